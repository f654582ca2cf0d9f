/*
 * Copies selected elements from one place to another: the kernel of slices, transpositions and padding.
 * Element size plays no part: `unit` is the longest run of bytes that stays together.
 */
#ifndef TH_MOVE_H
#define TH_MOVE_H

#include "th_base.h"

/* Everything in bytes but size; outermost dimension first, unused ones have size 1. Steps may be negative. */
typedef struct {
    int32_t unit;
    int32_t in_base, out_base;
    int32_t size[6], in_step[6], out_step[6];
} th_move_params;

/* `count` units at a constant distance. Constant lengths let the compiler use a single load and store. */
TH_INLINE void th_move_run(const uint8_t *from, int32_t in_step, uint8_t *to, int32_t out_step, int32_t count,
                           int32_t unit)
{
    switch (unit) {
    case 1:
        for (int32_t i = 0; i < count; i++) {
            to[i * out_step] = from[i * in_step];
        }
        return;
    case 2:
        for (int32_t i = 0; i < count; i++) {
            memcpy(to + i * out_step, from + i * in_step, 2);
        }
        return;
    case 4:
        for (int32_t i = 0; i < count; i++) {
            memcpy(to + i * out_step, from + i * in_step, 4);
        }
        return;
    default:
        for (int32_t i = 0; i < count; i++) {
            memcpy(to + i * out_step, from + i * in_step, (uint32_t)unit);
        }
    }
}

TH_KERNEL void th_move(const th_move_params *p, const void *input, void *output)
{
    const uint8_t *from = (const uint8_t *)input;
    uint8_t *to = (uint8_t *)output;
    int32_t in_at = p->in_base;
    int32_t out_at = p->out_base;
    int32_t index[5] = {0, 0, 0, 0, 0};
    for (;;) {
        th_move_run(from + in_at, p->in_step[5], to + out_at, p->out_step[5], p->size[5], p->unit);
        int32_t d = 4;
        for (; d >= 0; d--) {
            in_at += p->in_step[d];
            out_at += p->out_step[d];
            if (++index[d] < p->size[d]) {
                break;
            }
            in_at -= p->in_step[d] * p->size[d];
            out_at -= p->out_step[d] * p->size[d];
            index[d] = 0;
        }
        if (d < 0) {
            return;
        }
    }
}

#endif
