/*
 * Rows of images whose blocks of pixels become channels, or channels blocks, for elements of any size. A deep pixel holds
 * the pixels of a block one after the other, row by row of the block.
 */
#ifndef TH_BLOCKS_H
#define TH_BLOCKS_H

#include "th_base.h"

typedef struct {
    int32_t width; /* deep pixels in a row */
    int32_t block; /* side of a block */
    int32_t run;   /* bytes of one row of a block: `block` pixels */
} th_blocks_params;

/* One output row of SPACE_TO_DEPTH from the `block` input rows of its blocks. */
TH_KERNEL void th_space_to_depth_row(const th_blocks_params *p, const void *const *rows, void *output)
{
    const int32_t width = p->width;
    const int32_t block = p->block;
    const int32_t run = p->run;
    uint8_t *to = (uint8_t *)output;
    for (int32_t x = 0; x < width; x++) {
        for (int32_t k = 0; k < block; k++) {
            memcpy(to, (const uint8_t *)rows[k] + x * run, (uint32_t)run);
            to += run;
        }
    }
}

/* Output row `row` of DEPTH_TO_SPACE from the deep row it is part of. */
TH_KERNEL void th_depth_to_space_row(const th_blocks_params *p, const void *input, int32_t row, void *output)
{
    const int32_t width = p->width;
    const int32_t run = p->run;
    const int32_t pixel = p->block * run;
    const uint8_t *from = (const uint8_t *)input + row % p->block * run;
    uint8_t *to = (uint8_t *)output;
    for (int32_t x = 0; x < width; x++) {
        memcpy(to, from, (uint32_t)run);
        from += pixel;
        to += run;
    }
}

#endif
