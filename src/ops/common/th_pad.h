/*
 * Padding of any element size, 1 to 8 bytes: the output is filled with the padding value, then the input is copied
 * into its place. Bit-exact with padReference.
 */
#ifndef TH_PAD_H
#define TH_PAD_H

#include "move.h"

typedef struct {
    th_move_params move;
    int32_t bytes;         /* of the output */
    int32_t element_bytes; /* 1, 2, 4 or 8 */
} th_pad_params;

/* `value` is one element with the padding's contents. */
TH_KERNEL void th_pad(const th_pad_params *p, const void *input, const void *value, void *output)
{
    uint8_t *to = (uint8_t *)output;
    if (p->element_bytes == 1) {
        memset(to, *(const uint8_t *)value, (uint32_t)p->bytes);
    } else {
        for (int32_t i = 0; i < p->bytes; i += p->element_bytes) {
            memcpy(to + i, value, (uint32_t)p->element_bytes);
        }
    }
    th_move(&p->move, input, output);
}

#endif
