/*
 * Padding of any element size, 1 to 8 bytes: the output is filled with the padding value, then the input is copied
 * into its place. At once or row by row; bit-exact with padReference.
 */
#ifndef TH_PAD_H
#define TH_PAD_H

#include "move.h"

typedef struct {
    th_move_params move;   /* of the input, or of one row */
    int32_t bytes;         /* of the output, or of one row */
    int32_t element_bytes; /* 1, 2, 4 or 8 */
} th_pad_params;

TH_INLINE void th_pad_fill(const th_pad_params *p, const void *value, void *output)
{
    const int32_t bytes = p->bytes;
    const int32_t element_bytes = p->element_bytes;
    uint8_t *to = (uint8_t *)output;
    if (element_bytes == 1) {
        memset(to, *(const uint8_t *)value, (uint32_t)bytes);
        return;
    }
    for (int32_t i = 0; i < bytes; i += element_bytes) {
        memcpy(to + i, value, (uint32_t)element_bytes);
    }
}

/* `value` is one element with the padding's contents. */
TH_KERNEL void th_pad(const th_pad_params *p, const void *input, const void *value, void *output)
{
    th_pad_fill(p, value, output);
    th_move(&p->move, input, output);
}

/* One output row: rows[0] is the input row in it, NULL if it is padding all along. */
TH_KERNEL void th_pad_row(const th_pad_params *p, const void *const *rows, const void *value, void *output)
{
    th_pad_fill(p, value, output);
    if (rows[0] != NULL) {
        th_move(&p->move, rows[0], output);
    }
}

#endif
