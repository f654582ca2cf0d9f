/*
 * All channels of a convolution's pixels, a block of them at a time: pairs of channels (see th_pairs_s8.h), and the last
 * channel of an odd number.
 */
#ifndef TH_PAIRS_LAYER_S8_H
#define TH_PAIRS_LAYER_S8_H

#include "th_limit_s8.h"
#include "th_pairs_s8.h"
#include "th_pairs_two_s8.h"
#include "th_widen_s8.h"

/* What all blocks of a layer share. */
typedef struct {
    int32_t words;              /* two values of each pixel to a word; an even number for weights of 4 bits */
    int32_t channels, out_step; /* outputs of a pixel; from pixel to pixel */
    int32_t finish;             /* of pairs; th_pairs_sums: their shifts are too large or too small for any other */
    int32_t add;                /* see th_pairs_block */
    int32_t out_zero, min, max;
} th_pairs_layer;

/* Computes a block: th_pairs_s8 or th_pairs_w4, whose block has more. */
typedef void th_pairs_compute(const th_pairs_block *b, int32_t pixels);

/*
 * The outputs of one pair of channels, or of its even one only, with any shift. tail: what follows the pair's words; the odd
 * sum is shifted left by `bits`.
 */
TH_INLINE void th_pairs_single(const th_pairs_layer *p, th_pairs_block *b, const int32_t *tail, int32_t pixels,
                               int32_t channels, th_pairs_compute *compute, int32_t bits)
{
    int32_t sums[8];
    b->sums = sums;
    b->finish = th_pairs_sums;
    compute(b, pixels);
    for (int32_t i = 0; i < pixels; i++) {
        sums[4 + i] = (int32_t)((uint32_t)sums[4 + i] - (uint32_t)sums[i]) >> bits;
        for (int32_t c = 0; c < channels; c++) {
            const int32_t sum = sums[4 * c + i];
            int8_t *to = b->output + i * p->out_step + c;
            if (p->finish == th_pairs_linear) {
                *to = th_pairs_s8_scale((uint32_t)sum << 8, tail[c], tail[2 + c], p->add);
                continue;
            }
            const int32_t right = (int8_t)(tail[4] >> (8 * c));
            const int32_t full = (int32_t)((uint32_t)(tail[c] >> 1) + (uint32_t)sum);
            *to = (int8_t)th_clamp(th_requantize(full, tail[2 + c], -right) + p->out_zero, INT8_MIN, INT8_MAX);
        }
    }
}

/* All channels of one to four pixels from their values [words][pixels]. */
TH_INLINE void th_pairs_pixels(const th_pairs_layer *p, th_pairs_block *b, const int32_t *stream,
                               const uint32_t *values, int32_t pixels, int8_t *output, th_pairs_compute *compute,
                               int32_t bits)
{
    const int32_t words = p->words * bits / 8;
    const int32_t step = words + (p->finish == th_pairs_linear ? 4 : 5);
    int32_t left = p->channels;
    b->stream = stream;
    b->values = values;
    b->values_end = values + p->words * pixels;
    b->output = output;
    b->out_step = p->out_step;
    b->word_bytes = 4 * words;
    b->add = p->add;
    b->finish = p->finish;
    b->sums = 0;
    if (p->finish == th_pairs_linear && bits == 8 && pixels == 1 && left > 3) {
        b->end = stream + (left >> 2) * 2 * step;
        th_pairs_two_s8(b);
        b->stream = b->end;
        b->output += left & ~3;
        left &= 3;
    }
    if (p->finish != th_pairs_sums && left > 1) {
        b->end = b->stream + (left >> 1) * step;
        compute(b, pixels);
        b->stream = b->end;
        b->output += left & ~1;
        left &= 1;
    }
    for (; left > 0; left -= 2) {
        b->end = b->stream + step;
        th_pairs_single(p, b, b->stream + words, pixels, th_min(left, 2), compute, bits);
        b->stream = b->end;
        b->output += 2;
    }
    th_limit_s8(output, p->out_step, pixels, p->channels, p->min, p->max);
}

/* All channels of one to four pixels, weights of 8 bits. */
TH_KERNEL void th_pairs_s8_pixels(const th_pairs_layer *p, const int32_t *stream, const uint32_t *values,
                                  int32_t pixels, int8_t *output)
{
    th_pairs_block b;
    th_pairs_pixels(p, &b, stream, values, pixels, output, th_pairs_s8, 8);
}

#endif
