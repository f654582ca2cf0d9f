/*
 * Sums of products of int8 weights with int16 values, for pairs of output channels and one to four pixels at a time,
 * and their requantization. Used by convolutions whose target has the DSP instructions.
 *
 * A word of weights holds two weights of each of two channels, as halves 256 * odd + even: SMLAD with the word itself sums
 * 256 * odd + even, SMLAD with its SXTB16 sums even, and their difference (modulo 2^32) is 256 times the odd channel's sum.
 * For four pixels that makes 12 instructions for 16 multiply-accumulates: 1 LDR, 1 SXTB16, 2 LDRD, 8 SMLAD.
 *
 * Sums are doubled before they are scaled, so that SMMLAR rounds as the rounding doubling high multiply does; it adds what
 * the rounding shift and the zero point need as well. The sign of a sum stands for that of its scaled value, which
 * differs only where that is 0, and then the shift gives 0 both ways.
 *
 * The stream of a pair of channels: the words, twice the biases of both, both multipliers, and both right shifts in bytes 0
 * and 1. See weighted-dsp.ts, which packs it.
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
    int32_t *sums;               /* doubled: even channel [4], odd channel [4] */
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

/* Twice the sums with their biases: r1 and r2 are twice the biases. */
#define TH_PAIRS_SPLIT(even, odd)                                                                                      \
    "sub " odd ", " odd ", " even "\n"                                                                                 \
    "add " even ", r1, " even ", lsl #1\n"                                                                             \
    "add " odd ", r2, " odd ", asr #7\n"
#define TH_PAIRS_SPLIT_1 TH_PAIRS_SPLIT("r4", "r8")
#define TH_PAIRS_SPLIT_2 TH_PAIRS_SPLIT_1 TH_PAIRS_SPLIT("r5", "r9")
#define TH_PAIRS_SPLIT_3 TH_PAIRS_SPLIT_2 TH_PAIRS_SPLIT("r6", "r10")
#define TH_PAIRS_SPLIT_4 TH_PAIRS_SPLIT_3 TH_PAIRS_SPLIT("r7", "r11")

/* Requantization: r1 is half the divisor plus the zero point times the divisor, lr the right shift. */
#define TH_PAIRS_FINISH(sum, multiplier)                                                                               \
    "add r2, r1, " sum ", asr #31\n"                                                                                   \
    "smmlar " sum ", " sum ", " multiplier ", r2\n"                                                                    \
    "asr " sum ", " sum ", lr\n"                                                                                       \
    "ssat " sum ", #8, " sum "\n"
#define TH_PAIRS_EVEN_1 TH_PAIRS_FINISH("r4", "r3")
#define TH_PAIRS_EVEN_2 TH_PAIRS_EVEN_1 TH_PAIRS_FINISH("r5", "r3")
#define TH_PAIRS_EVEN_3 TH_PAIRS_EVEN_2 TH_PAIRS_FINISH("r6", "r3")
#define TH_PAIRS_EVEN_4 TH_PAIRS_EVEN_3 TH_PAIRS_FINISH("r7", "r3")
#define TH_PAIRS_ODD_1 TH_PAIRS_FINISH("r8", "r12")
#define TH_PAIRS_ODD_2 TH_PAIRS_ODD_1 TH_PAIRS_FINISH("r9", "r12")
#define TH_PAIRS_ODD_3 TH_PAIRS_ODD_2 TH_PAIRS_FINISH("r10", "r12")
#define TH_PAIRS_ODD_4 TH_PAIRS_ODD_3 TH_PAIRS_FINISH("r11", "r12")

/* Both channels of a pixel are neighbours: r1 output, r2 step. */
#define TH_PAIRS_STORE(even, odd, to) "bfi " even ", " odd ", #8, #8\nstrh " even ", " to "\n"
#define TH_PAIRS_STORE_1 TH_PAIRS_STORE("r4", "r8", "[r1]")
#define TH_PAIRS_STORE_2 TH_PAIRS_STORE_1 TH_PAIRS_STORE("r5", "r9", "[r1, r2]")
#define TH_PAIRS_STORE_3 TH_PAIRS_STORE_2 TH_PAIRS_STORE("r6", "r10", "[r1, r2, lsl #1]")
#define TH_PAIRS_STORE_4 TH_PAIRS_STORE_3 "add r3, r1, r2\n" TH_PAIRS_STORE("r7", "r11", "[r3, r2, lsl #1]")

/*
 * The stack: [0] zeros, [32] where the unrolled steps are entered, [36] the end of the pair's words, then the block.
 * length: instructions of a step; mask: 4 * (steps unrolled - 1).
 */
#define TH_PAIRS_BODY(steps, length, mask, split, even, odd, store)                                                    \
    __asm__("push {r4-r11, lr}\n"                                                                                      \
            "ldm r0, {r4-r11}\n"                                                                                       \
            "push {r4-r11}\n"                                                                                          \
            "mov r0, r4\n"                                                                                             \
            "rsb r1, r9, #0\n"                                                                                         \
            "and r1, r1, #" mask "\n"                                                                                  \
            "mov r2, #" length "\n"                                                                                    \
            "mul r1, r1, r2\n"                                                                                         \
            "adr.w r2, 1f\n"                                                                                           \
            "add r1, r1, r2\n"                                                                                         \
            "orr r1, r1, #1\n"                                                                                         \
            "movs r4, #0\n"                                                                                            \
            "movs r5, #0\n"                                                                                            \
            "movs r6, #0\n"                                                                                            \
            "movs r7, #0\n"                                                                                            \
            "sub sp, #8\n"                                                                                             \
            "push {r4-r7}\n"                                                                                           \
            "push {r4-r7}\n"                                                                                           \
            "str r1, [sp, #32]\n"                                                                                      \
            "0:\n"                                                                                                     \
            "ldm sp, {r4-r11}\n"                                                                                       \
            "ldr r1, [sp, #48]\n"                                                                                      \
            "ldr r2, [sp, #60]\n"                                                                                      \
            "add r2, r2, r0\n"                                                                                         \
            "str r2, [sp, #36]\n"                                                                                      \
            "ldr pc, [sp, #32]\n"                                                                                      \
            ".balign 4\n"                                                                                              \
            "1:\n"                                                                                                     \
            steps "ldr r2, [sp, #36]\n"                                                                                \
            "cmp r0, r2\n"                                                                                             \
            "bne 1b\n"                                                                                                 \
            "ldm r0!, {r1, r2, r3, r12, lr}\n"                                                                         \
            split "ldr r1, [sp, #64]\n"                                                                                \
            "cbnz r1, 2f\n"                                                                                            \
            "ldr r1, [sp, #68]\n"                                                                                      \
            "stm r1, {r4-r11}\n"                                                                                       \
            "b 3f\n"                                                                                                   \
            "2:\n"                                                                                                     \
            "lsl r1, r1, lr\n"                                                                                         \
            "asr r1, r1, #1\n"                                                                                         \
            even "ldr r1, [sp, #64]\n"                                                                                 \
            "lsr lr, lr, #8\n"                                                                                         \
            "lsl r1, r1, lr\n"                                                                                         \
            "asr r1, r1, #1\n"                                                                                         \
            odd "ldr r1, [sp, #52]\n"                                                                                  \
            "ldr r2, [sp, #56]\n"                                                                                      \
            store "add r1, r1, #2\n"                                                                                   \
            "str r1, [sp, #52]\n"                                                                                      \
            "3:\n"                                                                                                     \
            "ldr r1, [sp, #44]\n"                                                                                      \
            "cmp r0, r1\n"                                                                                             \
            "bne 0b\n"                                                                                                 \
            "add sp, #72\n"                                                                                            \
            "pop {r4-r11, pc}\n")

TH_NAKED void th_pairs_s8_1(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_FOUR(TH_PAIRS_STEP_1), "5", "12", TH_PAIRS_SPLIT_1, TH_PAIRS_EVEN_1,
                  TH_PAIRS_ODD_1, TH_PAIRS_STORE_1);
}

TH_NAKED void th_pairs_s8_2(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_FOUR(TH_PAIRS_STEP_2), "7", "12", TH_PAIRS_SPLIT_2, TH_PAIRS_EVEN_2,
                  TH_PAIRS_ODD_2, TH_PAIRS_STORE_2);
}

TH_NAKED void th_pairs_s8_3(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_FOUR(TH_PAIRS_STEP_3), "10", "12", TH_PAIRS_SPLIT_3, TH_PAIRS_EVEN_3,
                  TH_PAIRS_ODD_3, TH_PAIRS_STORE_3);
}

TH_NAKED void th_pairs_s8_4(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(TH_PAIRS_FOUR(TH_PAIRS_STEP_4) TH_PAIRS_FOUR(TH_PAIRS_STEP_4), "12", "28",
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

TH_INLINE int8_t th_pairs_s8_finish(int32_t sum2, int32_t multiplier, int32_t right, int32_t zero2)
{
    const int32_t nudge = ((zero2 * (1 << right)) >> 1) + (sum2 >> 31);
    return (int8_t)th_ssat8(th_smmlar(sum2, multiplier, nudge) >> right);
}

/* What the assembly above computes. */
TH_INLINE void th_pairs_s8(const th_pairs_block *b, int32_t pixels)
{
    const int32_t words = b->word_bytes / 4;
    int8_t *output = b->output;
    for (const int32_t *pair = b->stream; pair != b->end; pair += words + 5, output += 2) {
        const int32_t *tail = pair + words;
        for (int32_t i = 0; i < pixels; i++) {
            int32_t even = 0;
            int32_t odd = 0;
            for (int32_t k = 0; k < words; k++) {
                const uint32_t value = b->values[k * pixels + i];
                const uint32_t word = (uint32_t)pair[k];
                odd = th_smlad(word, value, odd);
                even = th_smlad(th_sxtb16(word), value, even);
            }
            odd = (int32_t)((uint32_t)odd - (uint32_t)even);
            odd = tail[1] + (odd >> 7);
            even = (int32_t)((uint32_t)tail[0] + 2 * (uint32_t)even);
            if (b->zero2 == 0) {
                b->sums[i] = even;
                b->sums[4 + i] = odd;
            } else {
                output[i * b->out_step] = th_pairs_s8_finish(even, tail[2], tail[4] & 255, b->zero2);
                output[i * b->out_step + 1] = th_pairs_s8_finish(odd, tail[3], tail[4] >> 8, b->zero2);
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
    const int32_t *tail = b->end - 5;
    for (int32_t c = 0; c < channels; c++) {
        const int32_t right = (int8_t)(tail[4] >> (8 * c));
        for (int32_t i = 0; i < pixels; i++) {
            const int32_t value = th_requantize(sums[4 * c + i] >> 1, tail[2 + c], -right) + p->out_zero;
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
 * Widens n bytes of each of `count` pixels (at least one) to words of two values: of four bytes the first and the third, then
 * the others; of what is left of one to three bytes one word or two. The words of a pixel are `step` apart.
 */
#if TH_DSP_ASM

/* Six instructions of 32 bits, as they are jumped into: r0 to, r1 bytes from word to word, r3 from. */
#define TH_WIDEN_WORD                                                                                                  \
    "ldr r4, [r3], #4\n"                                                                                               \
    "sxtb16 r5, r4\n"                                                                                                  \
    "sxtb16 r6, r4, ror #8\n"                                                                                          \
    "str.w r5, [r0]\n"                                                                                                 \
    "str.w r6, [r0, r1]\n"                                                                                             \
    "add.w r0, r0, r1, lsl #1\n"

TH_NAKED void th_widen_s8(uint32_t *to TH_ASM_ARG, int32_t step TH_ASM_ARG, int32_t count TH_ASM_ARG,
                          const int8_t *from TH_ASM_ARG, int32_t from_step TH_ASM_ARG, int32_t n TH_ASM_ARG)
{
    __asm__("push {r4-r11, lr}\n"
            "ldr r9, [sp, #36]\n"
            "ldr r8, [sp, #40]\n"
            "lsl r1, r1, #2\n"
            "and r4, r8, #12\n"
            "add r4, r4, r4, lsl #1\n"
            "adr.w r7, 2f\n"
            "sub r7, r7, r4, lsl #1\n"
            "orr r7, r7, #1\n"
            "bic lr, r8, #3\n"
            "0:\n"
            "mov r10, r0\n"
            "mov r11, r3\n"
            "add r12, r3, lr\n"
            "bx r7\n"
            ".balign 4\n"
            "1:\n"
            TH_WIDEN_WORD TH_WIDEN_WORD TH_WIDEN_WORD TH_WIDEN_WORD "2:\n"
            "cmp r3, r12\n"
            "bne 1b\n"
            "lsls r4, r8, #31\n"
            "bcs 3f\n"
            "bpl 5f\n"
            "ldrb r4, [r3]\n"
            "sxtb16 r4, r4\n"
            "str r4, [r0]\n"
            "b 5f\n"
            "3:\n"
            "bmi 4f\n"
            "ldrb r4, [r3]\n"
            "ldrb r5, [r3, #1]\n"
            "orr r4, r4, r5, lsl #16\n"
            "sxtb16 r4, r4\n"
            "str r4, [r0]\n"
            "b 5f\n"
            "4:\n"
            "ldrb r4, [r3]\n"
            "ldrb r5, [r3, #2]\n"
            "ldrb r6, [r3, #1]\n"
            "orr r4, r4, r5, lsl #16\n"
            "sxtb16 r4, r4\n"
            "sxtb16 r6, r6\n"
            "str r4, [r0]\n"
            "str r6, [r0, r1]\n"
            "5:\n"
            "add r0, r10, #4\n"
            "add r3, r11, r9\n"
            "subs r2, r2, #1\n"
            "bne 0b\n"
            "pop {r4-r11, pc}\n");
}

#else

TH_KERNEL void th_widen_s8(uint32_t *to, int32_t step, int32_t count, const int8_t *from, int32_t from_step, int32_t n)
{
    for (int32_t i = 0; i < count; i++) {
        const int8_t *pixel = from + i * from_step;
        uint32_t *word = to + i;
        int32_t k = 0;
        for (; k + 4 <= n; k += 4, word += 2 * step) {
            word[0] = th_sxtb16(th_load32(pixel + k));
            word[step] = th_sxtb16_ror8(th_load32(pixel + k));
        }
        if (k < n) {
            const int32_t left = n - k;
            const uint32_t second = left == 1 ? 0 : (uint8_t)pixel[k + left - 1];
            word[0] = th_sxtb16((uint8_t)pixel[k] | second << 16);
            if (left == 3) {
                word[step] = th_sxtb16((uint8_t)pixel[k + 1]);
            }
        }
    }
}

#endif

#endif
