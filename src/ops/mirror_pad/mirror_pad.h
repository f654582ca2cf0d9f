/* Padding with the input's own elements, mirrored at its edges; any element size. Bit-exact with MIRROR_PAD's reference. */
#ifndef TH_MIRROR_PAD_H
#define TH_MIRROR_PAD_H

#include "th_base.h"

/* Outermost dimension first; unused ones have size 1 and no padding. */
typedef struct {
    int32_t in_size[6], out_size[6], before[6];
    int32_t edge;          /* 1: the edge is repeated (symmetric), 0: it is not (reflect) */
    int32_t element_bytes;
} th_mirror_pad_params;

/* The input index along dimension d that output index i shows. */
TH_INLINE int32_t th_mirror_index(const th_mirror_pad_params *p, int32_t d, int32_t i)
{
    const int32_t at = i - p->before[d];
    if (at < 0) {
        return -at - p->edge;
    }
    return at < p->in_size[d] ? at : 2 * (p->in_size[d] - 1) - at + p->edge;
}

TH_KERNEL void th_mirror_pad(const th_mirror_pad_params *p, const void *input, void *output)
{
    const uint8_t *from = (const uint8_t *)input;
    uint8_t *to = (uint8_t *)output;
    int32_t index[5] = {0, 0, 0, 0, 0};
    for (;;) {
        int32_t row = 0;
        for (int32_t d = 0; d < 5; d++) {
            row = (row + th_mirror_index(p, d, index[d])) * p->in_size[d + 1];
        }
        for (int32_t i = 0; i < p->out_size[5]; i++) {
            const int32_t at = (row + th_mirror_index(p, 5, i)) * p->element_bytes;
            memcpy(to, from + at, (uint32_t)p->element_bytes);
            to += p->element_bytes;
        }
        int32_t d = 4;
        while (d >= 0 && ++index[d] == p->out_size[d]) {
            index[d] = 0;
            d--;
        }
        if (d < 0) {
            return;
        }
    }
}

#endif
