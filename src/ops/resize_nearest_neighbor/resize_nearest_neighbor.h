/*
 * Image resize by the nearest pixel, for elements of any size: one output row from the input row nearest to it.
 * input [in_w] pixels, columns [out_w] say which pixel each output pixel copies, output [out_w] pixels.
 */
#ifndef TH_RESIZE_NEAREST_NEIGHBOR_H
#define TH_RESIZE_NEAREST_NEIGHBOR_H

#include "th_base.h"

typedef struct {
    int32_t out_w;
    int32_t pixel_bytes; /* all channels */
} th_resize_nearest_neighbor_params;

TH_KERNEL void th_resize_nearest_neighbor_row(const th_resize_nearest_neighbor_params *p, const void *input,
                                              const int16_t *columns, void *output)
{
    const int32_t out_w = p->out_w;
    const int32_t pixel_bytes = p->pixel_bytes;
    const uint8_t *from = (const uint8_t *)input;
    uint8_t *to = (uint8_t *)output;
    for (int32_t x = 0; x < out_w; x++) {
        memcpy(to, from + columns[x] * pixel_bytes, (uint32_t)pixel_bytes);
        to += pixel_bytes;
    }
}

#endif
