/*
 * Sums of products of int8 weights with int16 values, for pairs of output channels and one to four pixels at a time,
 * and their requantization. Used by convolutions whose target has the DSP instructions.
 *
 * A word of weights holds two weights of each of two channels, as halves 256 * odd + even: SMLAD with the word itself sums
 * 256 * odd + even, SMLAD with its SXTB16 sums even, and their difference (modulo 2^32) is 256 times the odd channel's sum.
 * For four pixels that makes 12 instructions for 16 multiply-accumulates: 1 LDR, 1 SXTB16, 2 LDRD, 8 SMLAD.
 *
 * The stream of a pair of channels: the even one's bias, the words, the odd one's bias, the even and the odd multiplier,
 * the even right shift in byte 0 and the odd one in byte 1. See weighted-dsp.ts, which packs it.
 */
#ifndef TH_PAIRS_S8_H
#define TH_PAIRS_S8_H

#include "th_dsp.h"
#include "th_fixedpoint.h"

/* Pixels of a block, at most. */
#define TH_PAIRS_PIXELS 4

/* Everything in words, as the assembly reads it. */
typedef struct {
    const int32_t *stream, *end; /* of the first pair of channels, and behind the last */
    const uint32_t *values;      /* [words][pixels] */
    int8_t *output;              /* of the first channel */
    int32_t out_step;            /* from pixel to pixel */
    int32_t word_bytes;          /* 4 * words */
    int32_t zero2;               /* 2 * output zero point + 1, or 0: the sums are wanted, of one pair */
    int32_t *sums;               /* even channel [4], odd channel [4] */
} th_pairs_block;

#if TH_DSP_ASM

/* r0 stream, r1 values, r2 the word, r3 its SXTB16, r12 and lr values; even sums in r4 to r7, odd ones in r8 to r11. */
#define TH_PAIRS_WORD "ldr r2, [r0], #4\n"
#define TH_PAIRS_WIDEN "sxtb16 r3, r2\n"
#define TH_PAIRS_ONE "ldr r12, [r1], #4\n"
#define TH_PAIRS_TWO "ldrd r12, lr, [r1], #8\n"
#define TH_PAIRS_SUM(even, odd, value)                                                                                 \
    "smlad " odd ", r2, " value ", " odd "\n"                                                                          \
    "smlad " even ", r3, " value ", " even "\n"

/* Instructions of 32 bits only, as they are jumped into. */
#define TH_PAIRS_STEP_1 TH_PAIRS_WORD TH_PAIRS_ONE TH_PAIRS_WIDEN TH_PAIRS_SUM("r4", "r8", "r12")
#define TH_PAIRS_STEP_2                                                                                                \
    TH_PAIRS_WORD TH_PAIRS_TWO TH_PAIRS_WIDEN TH_PAIRS_SUM("r4", "r8", "r12") TH_PAIRS_SUM("r5", "r9", "lr")
#define TH_PAIRS_STEP_3 TH_PAIRS_STEP_2 TH_PAIRS_ONE TH_PAIRS_SUM("r6", "r10", "r12")
#define TH_PAIRS_STEP_4                                                                                                \
    TH_PAIRS_STEP_2 TH_PAIRS_TWO TH_PAIRS_SUM("r6", "r10", "r12") TH_PAIRS_SUM("r7", "r11", "lr")

#define TH_PAIRS_FOUR(step) step step step step

#define TH_PAIRS_CLEAR(even, odd) "mov " even ", r4\nmov " odd ", r4\n"
#define TH_PAIRS_CLEAR_1 "mov r8, r4\n"
#define TH_PAIRS_CLEAR_2 TH_PAIRS_CLEAR_1 TH_PAIRS_CLEAR("r5", "r9")
#define TH_PAIRS_CLEAR_3 TH_PAIRS_CLEAR_2 TH_PAIRS_CLEAR("r6", "r10")
#define TH_PAIRS_CLEAR_4 TH_PAIRS_CLEAR_3 TH_PAIRS_CLEAR("r7", "r11")

/* The odd channel's sum with its bias (r1) from the difference. */
#define TH_PAIRS_SPLIT(even, odd) "sub " odd ", " odd ", " even "\nadd " odd ", r1, " odd ", asr #8\n"
#define TH_PAIRS_SPLIT_1 TH_PAIRS_SPLIT("r4", "r8")
#define TH_PAIRS_SPLIT_2 TH_PAIRS_SPLIT_1 TH_PAIRS_SPLIT("r5", "r9")
#define TH_PAIRS_SPLIT_3 TH_PAIRS_SPLIT_2 TH_PAIRS_SPLIT("r6", "r10")
#define TH_PAIRS_SPLIT_4 TH_PAIRS_SPLIT_3 TH_PAIRS_SPLIT("r7", "r11")

/* Requantization: lr is half the divisor plus the zero point times the divisor, r12 the right shift. */
#define TH_PAIRS_FINISH(sum, multiplier)                                                                               \
    "lsl " sum ", " sum ", #1\n"                                                                                       \
    "smmulr " sum ", " sum ", " multiplier "\n"                                                                        \
    "add r1, lr, " sum ", asr #31\n"                                                                                   \
    "add " sum ", " sum ", r1\n"                                                                                       \
    "asr " sum ", " sum ", r12\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"
#define TH_PAIRS_EVEN_1 TH_PAIRS_FINISH("r4", "r2")
#define TH_PAIRS_EVEN_2 TH_PAIRS_EVEN_1 TH_PAIRS_FINISH("r5", "r2")
#define TH_PAIRS_EVEN_3 TH_PAIRS_EVEN_2 TH_PAIRS_FINISH("r6", "r2")
#define TH_PAIRS_EVEN_4 TH_PAIRS_EVEN_3 TH_PAIRS_FINISH("r7", "r2")
#define TH_PAIRS_ODD_1 TH_PAIRS_FINISH("r8", "r3")
#define TH_PAIRS_ODD_2 TH_PAIRS_ODD_1 TH_PAIRS_FINISH("r9", "r3")
#define TH_PAIRS_ODD_3 TH_PAIRS_ODD_2 TH_PAIRS_FINISH("r10", "r3")
#define TH_PAIRS_ODD_4 TH_PAIRS_ODD_3 TH_PAIRS_FINISH("r11", "r3")

/* Both channels of a pixel are neighbours: r1 output, r2 step. */
#define TH_PAIRS_STORE(even, odd, to) "bfi " even ", " odd ", #8, #8\nstrh " even ", " to "\n"
#define TH_PAIRS_STORE_1 TH_PAIRS_STORE("r4", "r8", "[r1]")
#define TH_PAIRS_STORE_2 TH_PAIRS_STORE_1 TH_PAIRS_STORE("r5", "r9", "[r1, r2]")
#define TH_PAIRS_STORE_3 TH_PAIRS_STORE_2 TH_PAIRS_STORE("r6", "r10", "[r1, r2, lsl #1]")
#define TH_PAIRS_STORE_4 TH_PAIRS_STORE_3 "add r3, r1, r2\n" TH_PAIRS_STORE("r7", "r11", "[r3, r2, lsl #1]")

/*
 * The stack: [0] where the unrolled steps are entered, [4] the end of the pair's words, then the block.
 * length: instructions of a step; mask: 4 * (steps unrolled - 1).
 */
#define TH_PAIRS_BODY(clear, steps, length, mask, split, even, odd, store)                                             \
    __asm__("push {r4-r11, lr}\n"                                                                                      \
            "ldm r0, {r4-r11}\n"                                                                                       \
            "push {r4-r11}\n"                                                                                          \
            "sub sp, #8\n"                                                                                             \
            "mov r0, r4\n"                                                                                             \
            "rsb r1, r9, #0\n"                                                                                         \
            "and r1, r1, #" mask "\n"                                                                                  \
            "mov r2, #" length "\n"                                                                                    \
            "mul r1, r1, r2\n"                                                                                         \
            "adr.w r2, 1f\n"                                                                                           \
            "add r1, r1, r2\n"                                                                                         \
            "orr r1, r1, #1\n"                                                                                         \
            "str r1, [sp]\n"                                                                                           \
            "0:\n"                                                                                                     \
            "ldr r4, [r0], #4\n" clear "ldr r1, [sp, #16]\n"                                                           \
            "ldr r2, [sp, #28]\n"                                                                                      \
            "add r2, r2, r0\n"                                                                                         \
            "str r2, [sp, #4]\n"                                                                                       \
            "ldr pc, [sp]\n"                                                                                           \
            ".balign 4\n"                                                                                              \
            "1:\n" steps "ldr r2, [sp, #4]\n"                                                                          \
            "cmp r0, r2\n"                                                                                             \
            "bne 1b\n"                                                                                                 \
            "ldm r0!, {r1, r2, r3, r12}\n" split "ldr r1, [sp, #32]\n"                                                 \
            "cbnz r1, 2f\n"                                                                                            \
            "ldr r1, [sp, #36]\n"                                                                                      \
            "stm r1, {r4-r11}\n"                                                                                       \
            "b 3f\n"                                                                                                   \
            "2:\n"                                                                                                     \
            "lsl lr, r1, r12\n"                                                                                        \
            "asr lr, lr, #1\n" even "ldr r1, [sp, #32]\n"                                                              \
            "lsr r12, r12, #8\n"                                                                                       \
            "lsl lr, r1, r12\n"                                                                                        \
            "asr lr, lr, #1\n" odd "ldr r1, [sp, #20]\n"                                                               \
            "ldr r2, [sp, #24]\n" store "add r1, r1, #2\n"                                                             \
            "str r1, [sp, #20]\n"                                                                                      \
            "3:\n"                                                                                                     \
            "ldr r1, [sp, #12]\n"                                                                                      \
            "cmp r0, r1\n"                                                                                             \
            "bne 0b\n"                                                                                                 \
            "add sp, #40\n"                                                                                            \
            "pop {r4-r11, pc}\n")

TH_NAKED void th_pairs_s8_1(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_CLEAR_1, TH_PAIRS_FOUR(TH_PAIRS_STEP_1), "5", "12", TH_PAIRS_SPLIT_1, TH_PAIRS_EVEN_1,
                  TH_PAIRS_ODD_1, TH_PAIRS_STORE_1);
}

TH_NAKED void th_pairs_s8_2(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_CLEAR_2, TH_PAIRS_FOUR(TH_PAIRS_STEP_2), "7", "12", TH_PAIRS_SPLIT_2, TH_PAIRS_EVEN_2,
                  TH_PAIRS_ODD_2, TH_PAIRS_STORE_2);
}

TH_NAKED void th_pairs_s8_3(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_CLEAR_3, TH_PAIRS_FOUR(TH_PAIRS_STEP_3), "10", "12", TH_PAIRS_SPLIT_3, TH_PAIRS_EVEN_3,
                  TH_PAIRS_ODD_3, TH_PAIRS_STORE_3);
}

TH_NAKED void th_pairs_s8_4(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_CLEAR_4, TH_PAIRS_FOUR(TH_PAIRS_STEP_4) TH_PAIRS_FOUR(TH_PAIRS_STEP_4), "12", "28",
                  TH_PAIRS_SPLIT_4, TH_PAIRS_EVEN_4, TH_PAIRS_ODD_4, TH_PAIRS_STORE_4);
}

TH_INLINE void th_pairs_s8(const th_pairs_block *b, int32_t pixels)
{
    if (pixels == 4) {
        th_pairs_s8_4(b);
    } else if (pixels == 3) {
        th_pairs_s8_3(b);
    } else if (pixels == 2) {
        th_pairs_s8_2(b);
    } else {
        th_pairs_s8_1(b);
    }
}

#else

TH_INLINE int8_t th_pairs_s8_finish(int32_t sum, int32_t multiplier, int32_t right, int32_t zero2)
{
    const int32_t high = th_smmulr(sum * 2, multiplier);
    const int32_t nudge = (zero2 * (1 << right)) >> 1;
    return (int8_t)th_ssat8((high + (nudge + (high >> 31))) >> right);
}

/* What the assembly above computes. */
TH_INLINE void th_pairs_s8(const th_pairs_block *b, int32_t pixels)
{
    const int32_t words = b->word_bytes / 4;
    int8_t *output = b->output;
    for (const int32_t *pair = b->stream; pair != b->end; pair += words + 5, output += 2) {
        const int32_t *tail = pair + 1 + words;
        for (int32_t i = 0; i < pixels; i++) {
            int32_t even = pair[0];
            int32_t odd = pair[0];
            for (int32_t k = 0; k < words; k++) {
                const uint32_t value = b->values[k * pixels + i];
                const uint32_t word = (uint32_t)pair[1 + k];
                odd = th_smlad(word, value, odd);
                even = th_smlad(th_sxtb16(word), value, even);
            }
            odd = (int32_t)((uint32_t)odd - (uint32_t)even);
            odd = tail[0] + (odd >> 8);
            if (b->zero2 == 0) {
                b->sums[i] = even;
                b->sums[4 + i] = odd;
            } else {
                output[i * b->out_step] = th_pairs_s8_finish(even, tail[1], tail[3] & 255, b->zero2);
                output[i * b->out_step + 1] = th_pairs_s8_finish(odd, tail[2], tail[3] >> 8, b->zero2);
            }
        }
    }
}

#endif

/* What all blocks of a layer share, and how its outputs are limited where the short finish does not do. */
typedef struct {
    int32_t words;               /* two values of each pixel to a word */
    int32_t channels, out_step;  /* outputs of a pixel; from pixel to pixel */
    int32_t zero2;               /* see th_pairs_block; 0 for the long finish */
    int32_t out_zero, min, max;
} th_pairs_layer;

/* The outputs of the pair of channels at `stream`, or of the even one only, with any shift and limits. */
TH_KERNEL void th_pairs_s8_long(const th_pairs_layer *p, th_pairs_block *b, int32_t pixels, int32_t channels)
{
    int32_t sums[8];
    b->sums = sums;
    th_pairs_s8(b, pixels);
    const int32_t *tail = b->end - 4;
    for (int32_t c = 0; c < channels; c++) {
        const int32_t right = (int8_t)(tail[3] >> (8 * c));
        for (int32_t i = 0; i < pixels; i++) {
            const int32_t value = th_requantize(sums[4 * c + i], tail[1 + c], -right) + p->out_zero;
            b->output[i * p->out_step + c] = (int8_t)th_clamp(value, p->min, p->max);
        }
    }
}

/* All channels of one to four pixels from their values. */
TH_INLINE void th_pairs_s8_block(const th_pairs_layer *p, const int32_t *stream, const uint32_t *values, int32_t pixels,
                                 int8_t *output)
{
    const int32_t step = p->words + 5;
    int32_t left = p->channels;
    th_pairs_block b;
    b.stream = stream;
    b.values = values;
    b.output = output;
    b.out_step = p->out_step;
    b.word_bytes = 4 * p->words;
    if (p->zero2 != 0 && left > 1) {
        b.end = stream + (left >> 1) * step;
        b.zero2 = p->zero2;
        b.sums = 0;
        th_pairs_s8(&b, pixels);
        b.stream = b.end;
        b.output += left & ~1;
        left &= 1;
    }
    b.zero2 = 0;
    for (; left > 0; left -= 2) {
        b.end = b.stream + step;
        th_pairs_s8_long(p, &b, pixels, th_min(left, 2));
        b.stream = b.end;
        b.output += 2;
    }
}

/*
 * Widens n bytes to words of two values: of four bytes the first and the third, then the others; of what is left of one to
 * three bytes one word or two. Words are `step` apart.
 */
TH_INLINE uint32_t *th_widen_s8(uint32_t *to, int32_t step, const int8_t *from, int32_t n)
{
    const int8_t *last = from + (n & ~3);
    for (; from != last; from += 4, to += 2 * step) {
        const uint32_t bytes = th_load32(from);
        to[0] = th_sxtb16(bytes);
        to[step] = th_sxtb16_ror8(bytes);
    }
    n &= 3;
    if (n > 0) {
        const uint32_t first = (uint8_t)from[0];
        const uint32_t second = n > 1 ? (uint8_t)from[1] : 0;
        if (n < 3) {
            *to = th_sxtb16(first | second << 16);
        } else {
            *to = th_sxtb16(first | (uint32_t)(uint8_t)from[2] << 16);
            to += step;
            *to = th_sxtb16(second);
        }
        to += step;
    }
    return to;
}

#endif
