/*
 * Sums of products of int4 weights with int16 values, for pairs of output channels and one to four pixels at a time, as in
 * th_pairs_s8.h, whose blocks and finishes they have.
 *
 * A word holds four weights of each of two channels: its bytes are 16 * odd + even + 8, bytes 0 and 2 for the values of one
 * word, bytes 1 and 3 for those of the next. SXTB16 gives 16 * odd + even + 8 as halves, and AND of that even + 8. What the
 * eights add, eight times the sum of a pixel's values, is taken off before: sums begin with it. So the difference of both
 * sums is 16 times the odd channel's. For four pixels that makes 26 instructions for 32 multiply-accumulates.
 */
#ifndef TH_PAIRS_W4_H
#define TH_PAIRS_W4_H

#include "th_pairs_layer_s8.h"

/* A block, and what the sums of each pixel begin with. */
typedef struct {
    th_pairs_block block;
    int32_t starts[4];
} th_pairs_w4_block;

/* values [words][pixels] */
TH_INLINE void th_pairs_w4_starts(th_pairs_w4_block *b, const uint32_t *values, int32_t words, int32_t pixels)
{
    const uint32_t eights = UINT32_C(0xfff8fff8); /* -8 in both halves */
    int32_t sums[4] = {0, 0, 0, 0};
    const uint32_t *end = values + words * pixels;
    if (pixels == 4) {
        for (; values != end; values += 4) {
            sums[0] = th_smlad(values[0], eights, sums[0]);
            sums[1] = th_smlad(values[1], eights, sums[1]);
            sums[2] = th_smlad(values[2], eights, sums[2]);
            sums[3] = th_smlad(values[3], eights, sums[3]);
        }
    }
    while (values != end) {
        for (int32_t i = 0; i < pixels; i++) {
            sums[i] = th_smlad(*values++, eights, sums[i]);
        }
    }
    memcpy(b->starts, sums, sizeof sums);
}

#if TH_DSP_ASM

/* The low bytes of halves, then the high ones; registers as in th_pairs_s8.h, the operands in r3 and r2. */
#define TH_PAIRS_W4_LOW "ldr.w r2, [r0]\n"
#define TH_PAIRS_W4_LOW_OPERANDS "sxtb16 r3, r2\nand r2, r2, #0x000f000f\n"
#define TH_PAIRS_W4_HIGH "ldr r2, [r0], #4\n"
#define TH_PAIRS_W4_HIGH_OPERANDS "sxtb16 r3, r2, ror #8\nand r2, r3, #0x000f000f\n"
#define TH_PAIRS_W4_SUM(even, odd, value)                                                                              \
    "smlad " odd ", r3, " value ", " odd "\n"                                                                          \
    "smlad " even ", r2, " value ", " even "\n"
#define TH_PAIRS_W4_HALF_1(word, operands) word TH_PAIRS_ONE operands TH_PAIRS_W4_SUM("r4", "r8", "r12")
#define TH_PAIRS_W4_HALF_2(word, operands)                                                                             \
    word TH_PAIRS_TWO operands TH_PAIRS_W4_SUM("r4", "r8", "r12") TH_PAIRS_W4_SUM("r5", "r9", "lr")
#define TH_PAIRS_W4_HALF_3(word, operands)                                                                             \
    TH_PAIRS_W4_HALF_2(word, operands) TH_PAIRS_ONE TH_PAIRS_W4_SUM("r6", "r10", "r12")
#define TH_PAIRS_W4_HALF_4(word, operands)                                                                             \
    TH_PAIRS_W4_HALF_2(word, operands)                                                                                 \
    TH_PAIRS_TWO TH_PAIRS_W4_SUM("r6", "r10", "r12") TH_PAIRS_W4_SUM("r7", "r11", "lr")
#define TH_PAIRS_W4_STEP(half)                                                                                         \
    half(TH_PAIRS_W4_LOW, TH_PAIRS_W4_LOW_OPERANDS) half(TH_PAIRS_W4_HIGH, TH_PAIRS_W4_HIGH_OPERANDS)

#define TH_PAIRS_W4_STARTS                                                                                             \
    "ldm r12, {r4-r7}\n"                                                                                               \
    "push {r4-r7}\n"                                                                                                   \
    "push {r4-r7}\n"
#define TH_PAIRS_W4_DEFINE(pixels, length)                                                                             \
    TH_NAKED void th_pairs_w4_##pixels(const th_pairs_block *b TH_ASM_ARG)                                             \
    {                                                                                                                  \
        TH_PAIRS_BODY_OF(pixels, TH_PAIRS_FOUR(TH_PAIRS_W4_STEP(TH_PAIRS_W4_HALF_##pixels)), length, "12",             \
                         "add r12, r0, #8\n", TH_PAIRS_W4_STARTS, "3", "4");                                           \
    }

TH_PAIRS_W4_DEFINE(1, "12")
TH_PAIRS_W4_DEFINE(2, "16")
TH_PAIRS_W4_DEFINE(3, "22")
TH_PAIRS_W4_DEFINE(4, "26")

TH_INLINE void th_pairs_w4(const th_pairs_block *b, int32_t pixels)
{
    if (pixels == 4) {
        th_pairs_w4_4(b);
    } else if (pixels == 3) {
        th_pairs_w4_3(b);
    } else if (pixels == 2) {
        th_pairs_w4_2(b);
    } else {
        th_pairs_w4_1(b);
    }
}

#else

/* What the assembly above computes; the block is a th_pairs_w4_block's. */
TH_INLINE void th_pairs_w4(const th_pairs_block *b, int32_t pixels)
{
    const int32_t *starts = ((const th_pairs_w4_block *)(const void *)b)->starts;
    const int32_t words = b->word_bytes / 4;
    int8_t *output = b->output;
    for (const int32_t *pair = b->stream; pair != b->end; output += 2) {
        const int32_t *tail = pair + words;
        for (int32_t i = 0; i < pixels; i++) {
            int32_t even = starts[i];
            int32_t both = starts[i];
            for (int32_t k = 0; k < 2 * words; k++) {
                const uint32_t value = b->values[k * pixels + i];
                const uint32_t word = (uint32_t)pair[k >> 1];
                const uint32_t bytes = (k & 1) ? th_sxtb16_ror8(word) : th_sxtb16(word);
                both = th_smlad(bytes, value, both);
                even = th_smlad(bytes & UINT32_C(0x000f000f), value, even);
            }
            if (b->finish == th_pairs_sums) {
                b->sums[i] = even;
                b->sums[4 + i] = both;
            } else {
                const uint32_t odd16 = (uint32_t)both - (uint32_t)even;
                th_pairs_s8_store(b, tail, even, (int32_t)(odd16 << 4), output + i * b->out_step);
            }
        }
        if (b->finish == th_pairs_sums) {
            return;
        }
        pair = tail + (b->finish == th_pairs_linear ? 4 : 5);
    }
}

#endif

/* All channels of one to four pixels from their values [words][pixels]. */
TH_KERNEL void th_pairs_w4_pixels(const th_pairs_layer *p, const int32_t *stream, const uint32_t *values,
                                  int32_t pixels, int8_t *output)
{
    th_pairs_w4_block b;
    th_pairs_w4_starts(&b, values, p->words, pixels);
    th_pairs_pixels(p, &b.block, stream, values, pixels, output, th_pairs_w4, 4);
}

#endif
