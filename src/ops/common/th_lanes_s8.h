/*
 * Sums of products of int8 weights with int8 values of one to six pixels at a time, for Armv6-M, whose multiplier gives the
 * low 32 bits of a product in a cycle.
 *
 * Three pixels share two words: one holds x0 + x1 * 2^11, the other x2 + x1 * 2^21, each a signed sum modulo 2^32. A weight
 * multiplies words, sums of products are added as they are: with S0, S1, S2 below 2^21 (sums less than 2^20 either way,
 * and 2^20 added), the second word gives S2 and the lowest 11 bits of S1, and the first, less those, gives S0 and the upper
 * 10 bits of S1. So two multiplications make three multiply-accumulates, and sums of 8191 units of weights need no care.
 * A pixel alone has a word of its own, so have the last two of five. Words are loaded by LDM and destroyed by MULS; accumulators are high registers.
 *
 * The stream of a channel: the multiplier; 32 times the bias, less 2^20 for each run, plus the right shift; the weights, in
 * words of four. A run is as many words of weights as may be summed up before sums are taken apart. See weighted-armv6m.ts.
 */
#ifndef TH_LANES_S8_H
#define TH_LANES_S8_H

#include "th_armv6m.h"

/* Pixels of a block, at most. */
#define TH_LANES_PIXELS 6

/* Words that hold a value of each of n pixels: three share two, of five the last two have one each. */
TH_INLINE int32_t th_lanes_words(int32_t n)
{
    return n < 3 ? n : (n == 3 ? 2 : (n == 4 ? 3 : 4));
}

/* Everything in words, as the assembly reads it. */
typedef struct {
    const int32_t *stream, *end; /* 0: of the first channel, and behind the last */
    const uint32_t *values;      /* 8: [depth, rounded up to 4][words] */
    int8_t *output;              /* 12: of the first channel */
    int32_t out_step;            /* 16: from pixel to pixel */
    int32_t weight_bytes;        /* 20: of a channel, a multiple of 4 */
    int32_t run_bytes;           /* 24: of a run, a multiple of 4 */
    int32_t zero2;               /* 28: 2 * output zero point + 1 */
    int32_t pieces;              /* 32: see th_armv6m.h */
    int32_t pixels;              /* 36 */
} th_lanes_block;

#if TH_ARMV6M_ASM

/* r0 values, r1 four weights, r2 one, r3 to r6 words of values, r7 stream; sums in r8 to r11, r12 the end of the run. */
#define TH_LANES_LOAD_1 "ldmia r0!, {r3}\n"
#define TH_LANES_LOAD_2 "ldmia r0!, {r3, r4}\n"
#define TH_LANES_LOAD_3 "ldmia r0!, {r3, r4, r5}\n"
#define TH_LANES_LOAD_4 "ldmia r0!, {r3, r4, r5, r6}\n"
#define TH_LANES_SUM(word, weight, sum) "muls " word ", " weight ", " word "\nadd " sum ", " sum ", " word "\n"
#define TH_LANES_SUM_1(weight) TH_LANES_SUM("r3", weight, "r8")
#define TH_LANES_SUM_2(weight) TH_LANES_SUM_1(weight) TH_LANES_SUM("r4", weight, "r9")
#define TH_LANES_SUM_3(weight) TH_LANES_SUM_2(weight) TH_LANES_SUM("r5", weight, "r10")
#define TH_LANES_SUM_4(weight) TH_LANES_SUM_3(weight) TH_LANES_SUM("r6", weight, "r11")
#define TH_LANES_FOUR(load, sum)                                                                                       \
    "ldmia r7!, {r1}\n" load "sxtb r2, r1\n"                                                                           \
    "asrs r1, r1, #8\n" sum("r2") load "sxtb r2, r1\n"                                                                 \
    "asrs r1, r1, #8\n" sum("r2") load "sxtb r2, r1\n"                                                                 \
    "asrs r1, r1, #8\n" sum("r2") load sum("r1")

/* Sums of three pixels, or one, in words at r5, and what is added to them: r1 and r2 as accumulated. */
#define TH_LANES_ADD_3(first, second)                                                                                  \
    "mov r1, " first "\n"                                                                                              \
    "mov r2, " second "\n"                                                                                             \
    "lsrs r3, r2, #21\n"                                                                                               \
    "lsls r2, r2, #11\n"                                                                                               \
    "lsrs r2, r2, #11\n"                                                                                               \
    "lsls r4, r3, #11\n"                                                                                               \
    "subs r1, r1, r4\n"                                                                                                \
    "lsrs r4, r1, #22\n"                                                                                               \
    "lsls r4, r4, #11\n"                                                                                               \
    "adds r3, r3, r4\n"                                                                                                \
    "lsls r1, r1, #10\n"                                                                                               \
    "lsrs r1, r1, #10\n"                                                                                               \
    "ldr r4, [r5]\n"                                                                                                   \
    "adds r1, r1, r4\n"                                                                                                \
    "ldr r4, [r5, #4]\n"                                                                                               \
    "adds r3, r3, r4\n"                                                                                                \
    "ldr r4, [r5, #8]\n"                                                                                               \
    "adds r4, r4, r2\n"                                                                                                \
    "stmia r5!, {r1, r3, r4}\n"
#define TH_LANES_ADD_1(sum)                                                                                            \
    "ldr r1, [r5]\n"                                                                                                   \
    "add r1, r1, " sum "\n"                                                                                            \
    "stmia r5!, {r1}\n"
#define TH_LANES_TAKE_1 TH_LANES_ADD_1("r8")
#define TH_LANES_TAKE_2 TH_LANES_ADD_3("r8", "r9")
#define TH_LANES_TAKE_3 TH_LANES_TAKE_2 TH_LANES_ADD_1("r10")
#define TH_LANES_TAKE_4 TH_LANES_TAKE_2 TH_LANES_ADD_3("r10", "r11")
#define TH_LANES_TAKE_FIVE TH_LANES_TAKE_3 TH_LANES_ADD_1("r11")

/* 2^20 for each pixel, from r1 and its packed form in r2. */
#define TH_LANES_START_1 "mov r8, r1\n"
#define TH_LANES_START_2 "mov r8, r2\nmov r9, r1\n"
#define TH_LANES_START_3 TH_LANES_START_2 "mov r10, r1\n"
#define TH_LANES_START_4 TH_LANES_START_2 "mov r10, r2\nmov r11, r1\n"
#define TH_LANES_START_FIVE TH_LANES_START_3 "mov r11, r1\n"

/*
 * The stack: [0] six sums, [24] the multiplier, [28] bias and shift, [32] the end of the channel's weights, [36] the block.
 */
#define TH_LANES_BODY(load, start, sum, take)                                                                          \
    __asm__(TH_M0_PUSH                                                                                                 \
            "sub sp, #40\n"                                                                                            \
            "str r0, [sp, #36]\n"                                                                                      \
            "10:\n"                                                                                                    \
            "ldr r7, [r0]\n"                                                                                           \
            "ldmia r7!, {r1, r2}\n"                                                                                    \
            "ldr r3, [r0, #20]\n"                                                                                      \
            "adds r3, r3, r7\n"                                                                                        \
            "str r3, [r0]\n"                                                                                           \
            "ldr r0, [r0, #8]\n"                                                                                       \
            "add r5, sp, #24\n"                                                                                        \
            "stmia r5!, {r1, r2, r3}\n"                                                                                \
            "mov r5, sp\n"                                                                                             \
            "asrs r1, r2, #5\n"                                                                                        \
            "mov r2, r1\n"                                                                                             \
            "mov r3, r1\n"                                                                                             \
            "stmia r5!, {r1, r2, r3}\n"                                                                                \
            "stmia r5!, {r1, r2, r3}\n"                                                                                \
            "11:\n"                                                                                                    \
            "ldr r6, [sp, #36]\n"                                                                                      \
            "ldr r3, [r6, #24]\n"                                                                                      \
            "adds r3, r3, r7\n"                                                                                        \
            "ldr r4, [sp, #32]\n"                                                                                      \
            "cmp r3, r4\n"                                                                                             \
            "bls 12f\n"                                                                                                \
            "mov r3, r4\n"                                                                                             \
            "12:\n"                                                                                                    \
            "mov r12, r3\n"                                                                                            \
            "movs r1, #1\n"                                                                                            \
            "lsls r1, r1, #20\n"                                                                                       \
            "lsls r2, r1, #11\n"                                                                                       \
            "adds r2, r2, r1\n"                                                                                        \
            start "subs r3, r3, r7\n"                                                                                  \
            "lsrs r3, r3, #3\n"                                                                                        \
            "bcs 14f\n"                                                                                                \
            "13:\n" TH_LANES_FOUR(load, sum) "14:\n" TH_LANES_FOUR(load, sum)                                          \
            "cmp r7, r12\n"                                                                                            \
            "bne 13b\n"                                                                                                \
            "mov r5, sp\n" take                                                                                        \
            "ldr r4, [sp, #32]\n"                                                                                      \
            "cmp r7, r4\n"                                                                                             \
            "beq 15f\n"                                                                                                \
            "b 11b\n"                                                                                                  \
            "15:\n"                                                                                                    \
            "ldr r0, [sp, #36]\n"                                                                                      \
            "ldr r4, [r0, #12]\n"                                                                                      \
            "adds r5, r4, #1\n"                                                                                        \
            "str r5, [r0, #12]\n"                                                                                      \
            "ldr r5, [r0, #16]\n"                                                                                      \
            "ldr r3, [r0, #28]\n"                                                                                      \
            "ldr r2, [r0, #32]\n"                                                                                      \
            "ldr r7, [r0, #36]\n"                                                                                      \
            "ldr r6, [sp, #28]\n"                                                                                      \
            "lsls r6, r6, #27\n"                                                                                       \
            "lsrs r6, r6, #27\n"                                                                                       \
            "ldr r1, [sp, #24]\n"                                                                                      \
            "mov r0, sp\n" TH_M0_FINISH                                                                                \
            "ldr r0, [sp, #36]\n"                                                                                      \
            "ldr r1, [r0]\n"                                                                                           \
            "ldr r2, [r0, #4]\n"                                                                                       \
            "cmp r1, r2\n"                                                                                             \
            "beq 17f\n"                                                                                                \
            "b 10b\n"                                                                                                  \
            "17:\n"                                                                                                    \
            "add sp, #40\n" TH_M0_POP)

TH_NAKED_M0 void th_lanes_s8_1(th_lanes_block *b TH_M0_ARG)
{
    TH_LANES_BODY(TH_LANES_LOAD_1, TH_LANES_START_1, TH_LANES_SUM_1, TH_LANES_TAKE_1);
}

TH_NAKED_M0 void th_lanes_s8_2(th_lanes_block *b TH_M0_ARG)
{
    TH_LANES_BODY(TH_LANES_LOAD_2, TH_LANES_START_2, TH_LANES_SUM_2, TH_LANES_TAKE_2);
}

TH_NAKED_M0 void th_lanes_s8_3(th_lanes_block *b TH_M0_ARG)
{
    TH_LANES_BODY(TH_LANES_LOAD_3, TH_LANES_START_3, TH_LANES_SUM_3, TH_LANES_TAKE_3);
}

TH_NAKED_M0 void th_lanes_s8_4(th_lanes_block *b TH_M0_ARG)
{
    TH_LANES_BODY(TH_LANES_LOAD_4, TH_LANES_START_4, TH_LANES_SUM_4, TH_LANES_TAKE_4);
}

/* Five pixels. */
TH_NAKED_M0 void th_lanes_s8_five(th_lanes_block *b TH_M0_ARG)
{
    TH_LANES_BODY(TH_LANES_LOAD_4, TH_LANES_START_FIVE, TH_LANES_SUM_4, TH_LANES_TAKE_FIVE);
}

/* All channels of a block; the block's stream and output go on with them. */
TH_INLINE void th_lanes_s8(th_lanes_block *b, int32_t words)
{
    if (b->pixels == 5) {
        th_lanes_s8_five(b);
    } else if (words == 4) {
        th_lanes_s8_4(b);
    } else if (words == 3) {
        th_lanes_s8_3(b);
    } else if (words == 2) {
        th_lanes_s8_2(b);
    } else {
        th_lanes_s8_1(b);
    }
}

#else

/* Words of pixels that share them; the rest are of a pixel each. */
TH_INLINE int32_t th_lanes_shared(int32_t pixels, int32_t words)
{
    return pixels == 5 ? 2 : words & ~1;
}

/* Adds the sums of a run, as accumulated, to those of its pixels. */
TH_KERNEL void th_lanes_add(const uint32_t *accumulated, int32_t shared, int32_t words, int32_t *sums)
{
    for (words -= shared; shared > 0; shared -= 2, accumulated += 2, sums += 3) {
        const uint32_t low = accumulated[1] >> 21;
        const uint32_t first = accumulated[0] - (low << 11);
        sums[0] += (int32_t)(first & 0x3fffffu);
        sums[1] += (int32_t)(low + ((first >> 22) << 11));
        sums[2] += (int32_t)(accumulated[1] & 0x1fffffu);
    }
    for (; words > 0; words--, accumulated++, sums++) {
        sums[0] = (int32_t)((uint32_t)sums[0] + accumulated[0]);
    }
}

/* What the assembly above computes. */
TH_KERNEL void th_lanes_s8(th_lanes_block *b, int32_t words)
{
    const int32_t shared = th_lanes_shared(b->pixels, words);
    for (; b->stream != b->end; b->stream += 2 + b->weight_bytes / 4) {
        const int8_t *weights = (const int8_t *)(b->stream + 2);
        const int32_t start = b->stream[1] >> 5;
        int32_t sums[6] = {start, start, start, start, start, start};
        for (int32_t done = 0; done < b->weight_bytes; done += b->run_bytes) {
            const uint32_t one = UINT32_C(1) << 20;
            uint32_t accumulated[4] = {one, one, one, one};
            for (int32_t i = 0; i < shared; i += 2) {
                accumulated[i] += one << 11;
            }
            for (int32_t k = done; k < th_min(done + b->run_bytes, b->weight_bytes); k++) {
                const int32_t weight = weights[k];
                for (int32_t i = 0; i < words; i++) {
                    accumulated[i] += b->values[k * words + i] * (uint32_t)weight;
                }
            }
            th_lanes_add(accumulated, shared, words, sums);
        }
        th_finish_m0 finish;
        finish.sums = sums;
        finish.end = sums + b->pixels;
        finish.output = b->output++;
        finish.out_step = b->out_step;
        finish.multiplier = b->stream[0];
        finish.right = b->stream[1] & 31;
        finish.zero2 = b->zero2;
        finish.pieces = b->pieces;
        th_finish_s8_m0(&finish);
    }
}

#endif

/* Two words of each n values of three pixels, or of the last one twice, as `words` from value to value. */
TH_ROW void th_lanes_pack_3(uint32_t *to, int32_t words, const int8_t *first, const int8_t *second, const int8_t *third,
                            int32_t n)
{
    for (int32_t k = 0; k < n; k++, to += words) {
        const int32_t x0 = first[k];
        const int32_t x1 = second[k];
        const int32_t x2 = third[k];
        to[0] = (uint32_t)x0 + ((uint32_t)x1 << 11);
        to[1] = (uint32_t)x2 + ((uint32_t)x1 << 21);
    }
}

/*
 * Packs n values of each of one to six pixels, `step` bytes apart, as words (see above). Weights behind the last value are
 * 0, so what follows in memory does not matter.
 */
TH_ROW void th_lanes_pack(uint32_t *to, int32_t pixels, const int8_t *from, int32_t step, int32_t n)
{
    const int32_t words = th_lanes_words(pixels);
    const int32_t alone = pixels == 5 ? 2 : pixels % 3 == 1;
    for (; pixels > alone; pixels -= 3, from += 3 * step, to += 2) {
        const int8_t *second = from + step;
        th_lanes_pack_3(to, words, from, second, pixels > 2 ? second + step : second, n);
    }
    for (; pixels > 0; pixels--, from += step, to++) {
        for (int32_t k = 0; k < n; k++) {
            const int32_t x = from[k];
            to[k * words] = (uint32_t)x;
        }
    }
}

#endif
