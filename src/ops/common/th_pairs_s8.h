/*
 * Sums of products of int8 weights with int16 values, for pairs of output channels and one to four pixels at a time,
 * and their requantization. Used by convolutions whose target has the DSP instructions.
 *
 * A word of weights holds two weights of each of two channels, as halves 256 * odd + even: SMLAD with the word itself sums
 * 256 * odd + even, SMLAD with its SXTB16 sums even, and their difference (modulo 2^32) is 256 times the odd channel's sum.
 * For four pixels that makes 12 instructions for 16 multiply-accumulates: 1 LDR, 1 SXTB16, 2 LDRD, 8 SMLAD.
 *
 * The linear finish takes 256 times the sums, adds a bias, multiplies and shifts by a constant; where its outputs are
 * those of two roundings, linear-finish.ts has found the numbers.
 *
 * In the other finish sums are doubled before they are scaled, so that SMMLAR rounds as the rounding doubling high multiply
 * does; it adds what the rounding shift and the zero point need as well. The sign of a sum stands for that of its scaled
 * value, which differs only where that is 0, and then the shift gives 0 both ways.
 *
 * The stream of a pair of channels: the words, then for the linear finish the biases and the multipliers of both; else twice
 * the biases, the multipliers, and both right shifts in bytes 0 and 1. See weighted-dsp.ts, which packs it.
 */
#ifndef TH_PAIRS_S8_H
#define TH_PAIRS_S8_H

#include "th_dsp.h"
#include "th_fixedpoint.h"

/* How the sums of a pair are finished. */
enum { th_pairs_sums, th_pairs_rounded, th_pairs_linear };

/* Everything in words, as the assembly reads it. */
typedef struct {
    const int32_t *stream, *end;         /* of the first pair of channels, and behind the last */
    const uint32_t *values, *values_end; /* [words][pixels] */
    int8_t *output;                      /* of the first channel */
    int32_t out_step;                    /* from pixel to pixel */
    int32_t add;                         /* th_pairs_rounded: 2 * output zero point + 1; th_pairs_linear: linearAdd */
    int32_t *sums;                       /* th_pairs_sums, of one pair: even [4], 256 * odd + even [4] */
    int32_t finish;
    int32_t word_bytes; /* 4 * words of weights */
} th_pairs_block;

/* The shift of the linear finish. */
#define TH_PAIRS_BITS 12

/* One output of `th_pairs_linear`, from 256 times its sum. */
TH_INLINE int8_t th_pairs_s8_scale(uint32_t sum256, int32_t bias, int32_t multiplier, int32_t add)
{
    return (int8_t)th_ssat8(th_smmlar((int32_t)(sum256 + (uint32_t)bias), multiplier, add) >> TH_PAIRS_BITS);
}

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

/* Twice the sums with their biases: r1 and r2 are twice the biases; `down` makes a difference twice the odd sum. */
#define TH_PAIRS_SPLIT(even, odd, down)                                                                                \
    "sub " odd ", " odd ", " even "\n"                                                                                 \
    "add " even ", r1, " even ", lsl #1\n"                                                                             \
    "add " odd ", r2, " odd ", asr #" down "\n"
#define TH_PAIRS_SPLIT_1(down) TH_PAIRS_SPLIT("r4", "r8", down)
#define TH_PAIRS_SPLIT_2(down) TH_PAIRS_SPLIT_1(down) TH_PAIRS_SPLIT("r5", "r9", down)
#define TH_PAIRS_SPLIT_3(down) TH_PAIRS_SPLIT_2(down) TH_PAIRS_SPLIT("r6", "r10", down)
#define TH_PAIRS_SPLIT_4(down) TH_PAIRS_SPLIT_3(down) TH_PAIRS_SPLIT("r7", "r11", down)

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

/* The linear finish of a pixel: r1 and r2 biases, r3 and r12 multipliers, lr what is added; `up` as `down`, to 256 times. */
#define TH_PAIRS_TEXT_OF(number) #number
#define TH_PAIRS_TEXT(number) TH_PAIRS_TEXT_OF(number)
#define TH_PAIRS_LINEAR(even, odd, up)                                                                                 \
    "sub " odd ", " odd ", " even "\n"                                                                                 \
    "add " even ", r1, " even ", lsl #8\n"                                                                             \
    "add " odd ", r2, " odd ", lsl #" up "\n"                                                                          \
    "smmlar " even ", " even ", r3, lr\n"                                                                              \
    "smmlar " odd ", " odd ", r12, lr\n"                                                                               \
    "ssat " even ", #8, " even ", asr #" TH_PAIRS_TEXT(TH_PAIRS_BITS) "\n"                                             \
    "ssat " odd ", #8, " odd ", asr #" TH_PAIRS_TEXT(TH_PAIRS_BITS) "\n"
#define TH_PAIRS_LINEAR_1(up) TH_PAIRS_LINEAR("r4", "r8", up)
#define TH_PAIRS_LINEAR_2(up) TH_PAIRS_LINEAR_1(up) TH_PAIRS_LINEAR("r5", "r9", up)
#define TH_PAIRS_LINEAR_3(up) TH_PAIRS_LINEAR_2(up) TH_PAIRS_LINEAR("r6", "r10", up)
#define TH_PAIRS_LINEAR_4(up) TH_PAIRS_LINEAR_3(up) TH_PAIRS_LINEAR("r7", "r11", up)

/* Both channels of a pixel are neighbours: r1 output, r2 step. */
#define TH_PAIRS_STORE(even, odd, to) "bfi " even ", " odd ", #8, #8\nstrh " even ", " to "\n"
#define TH_PAIRS_STORE_1 TH_PAIRS_STORE("r4", "r8", "[r1], #2")
#define TH_PAIRS_STORE_2 TH_PAIRS_STORE("r5", "r9", "[r1, r2]") TH_PAIRS_STORE_1
#define TH_PAIRS_STORE_3 TH_PAIRS_STORE("r6", "r10", "[r1, r2, lsl #1]") TH_PAIRS_STORE_2
#define TH_PAIRS_STORE_4 "add r3, r1, r2\n" TH_PAIRS_STORE("r7", "r11", "[r3, r2, lsl #1]") TH_PAIRS_STORE_3

/*
 * The stack: [0] what sums begin with, [32] where the unrolled steps are entered, [36] the finish, then the block from `end` to `sums`.
 * length: instructions of a step; mask: 4 * (steps unrolled - 1); load and start: push what sums begin with, given r0 at
 * the block's finish.
 */
#define TH_PAIRS_NEXT(store)                                                                                           \
    "ldrd r1, r2, [sp, #52]\n" store "ldr r2, [sp, #40]\n"                                                             \
    "str r1, [sp, #52]\n"                                                                                              \
    "cmp r0, r2\n"                                                                                                     \
    "bne.w 0b\n"
#define TH_PAIRS_ZEROS                                                                                                 \
    "movs r4, #0\n"                                                                                                    \
    "movs r5, #0\n"                                                                                                    \
    "movs r6, #0\n"                                                                                                    \
    "movs r7, #0\n"                                                                                                    \
    "push {r4-r7}\n"                                                                                                   \
    "push {r4-r7}\n"
#define TH_PAIRS_BODY(pixels, steps, length, mask)                                                                     \
    TH_PAIRS_BODY_OF(pixels, steps, length, mask, "", TH_PAIRS_ZEROS, "7", "0")
#define TH_PAIRS_BODY_OF(pixels, steps, length, mask, load, start, down, up)                                           \
    __asm__("push {r4-r11, lr}\n"                                                                                      \
            "ldm r0!, {r4-r11}\n"                                                                                      \
            "ldm r0, {r2, r3}\n"                                                                                       \
            "push {r5-r11}\n" load                                                                                     \
            "mov r0, r4\n"                                                                                             \
            "rsb r1, r3, #0\n"                                                                                         \
            "and r1, r1, #" mask "\n"                                                                                  \
            "mov r3, #" length "\n"                                                                                    \
            "mul r1, r1, r3\n"                                                                                         \
            "adr.w r3, 1f\n"                                                                                           \
            "add r1, r1, r3\n"                                                                                         \
            "orr r1, r1, #1\n"                                                                                         \
            "adr.w r3, 4f\n"                                                                                           \
            "cmp r2, #1\n"                                                                                             \
            "it eq\n"                                                                                                  \
            "adreq.w r3, 3f\n"                                                                                         \
            "it hi\n"                                                                                                  \
            "adrhi.w r3, 2f\n"                                                                                         \
            "orr r3, r3, #1\n"                                                                                         \
            "push {r1, r3}\n" start                                                                                    \
            "0:\n"                                                                                                     \
            "ldm sp, {r4-r11}\n"                                                                                       \
            "ldr r1, [sp, #44]\n"                                                                                      \
            "ldr pc, [sp, #32]\n"                                                                                      \
            ".balign 4\n"                                                                                              \
            "1:\n" steps "ldr r2, [sp, #48]\n"                                                                         \
            "cmp r1, r2\n"                                                                                             \
            "bne 1b\n"                                                                                                 \
            "ldr pc, [sp, #36]\n"                                                                                      \
            ".balign 4\n"                                                                                              \
            "2:\n"                                                                                                     \
            "ldm r0!, {r1, r2, r3, r12}\n"                                                                             \
            "ldr lr, [sp, #60]\n" TH_PAIRS_LINEAR_##pixels(up) TH_PAIRS_NEXT(TH_PAIRS_STORE_##pixels) "b.w 5f\n"       \
            ".balign 4\n"                                                                                              \
            "3:\n"                                                                                                     \
            "ldm r0!, {r1, r2, r3, r12, lr}\n" TH_PAIRS_SPLIT_##pixels(down) "ldr r1, [sp, #60]\n"                     \
            "lsl r1, r1, lr\n"                                                                                         \
            "asr r1, r1, #1\n" TH_PAIRS_EVEN_##pixels "ldr r1, [sp, #60]\n"                                            \
            "lsr lr, lr, #8\n"                                                                                         \
            "lsl r1, r1, lr\n"                                                                                         \
            "asr r1, r1, #1\n" TH_PAIRS_ODD_##pixels TH_PAIRS_NEXT(TH_PAIRS_STORE_##pixels) "b 5f\n"                   \
            ".balign 4\n"                                                                                              \
            "4:\n"                                                                                                     \
            "ldr r1, [sp, #64]\n"                                                                                      \
            "stm r1, {r4-r11}\n"                                                                                       \
            "5:\n"                                                                                                     \
            "add sp, #68\n"                                                                                            \
            "pop {r4-r11, pc}\n")

TH_NAKED void th_pairs_s8_1(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(1, TH_PAIRS_FOUR(TH_PAIRS_STEP_1), "5", "12");
}

TH_NAKED void th_pairs_s8_2(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(2, TH_PAIRS_FOUR(TH_PAIRS_STEP_2), "7", "12");
}

TH_NAKED void th_pairs_s8_3(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(3, TH_PAIRS_FOUR(TH_PAIRS_STEP_3), "10", "12");
}

TH_NAKED void th_pairs_s8_4(const th_pairs_block *b TH_ASM_ARG)
{
    TH_PAIRS_BODY(4, TH_PAIRS_FOUR(TH_PAIRS_STEP_4) TH_PAIRS_FOUR(TH_PAIRS_STEP_4), "12", "28");
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

/* One output of `th_pairs_rounded`. */
TH_INLINE int8_t th_pairs_s8_round(int32_t sum2, int32_t multiplier, int32_t right, int32_t zero2)
{
    const int32_t nudge = ((zero2 * (1 << right)) >> 1) + (sum2 >> 31);
    return (int8_t)th_ssat8(th_smmlar(sum2, multiplier, nudge) >> right);
}

/* The outputs (or sums) of a pixel, of a pair whose tail is given: from the even sum and 256 times the odd one. */
TH_INLINE void th_pairs_s8_store(const th_pairs_block *b, const int32_t *tail, int32_t even, int32_t odd256, int8_t *to)
{
    if (b->finish == th_pairs_linear) {
        to[0] = th_pairs_s8_scale((uint32_t)even << 8, tail[0], tail[2], b->add);
        to[1] = th_pairs_s8_scale((uint32_t)odd256, tail[1], tail[3], b->add);
    } else {
        const int32_t even2 = (int32_t)((uint32_t)tail[0] + 2 * (uint32_t)even);
        to[0] = th_pairs_s8_round(even2, tail[2], tail[4] & 255, b->add);
        to[1] = th_pairs_s8_round(tail[1] + (odd256 >> 7), tail[3], tail[4] >> 8, b->add);
    }
}

/* What the assembly above computes. */
TH_INLINE void th_pairs_s8(const th_pairs_block *b, int32_t pixels)
{
    const int32_t words = b->word_bytes / 4;
    int8_t *output = b->output;
    for (const int32_t *pair = b->stream; pair != b->end; output += 2) {
        const int32_t *tail = pair + words;
        for (int32_t i = 0; i < pixels; i++) {
            int8_t *to = output + i * b->out_step;
            int32_t even = 0;
            int32_t both = 0;
            for (int32_t k = 0; k < words; k++) {
                const uint32_t value = b->values[k * pixels + i];
                const uint32_t word = (uint32_t)pair[k];
                both = th_smlad(word, value, both);
                even = th_smlad(th_sxtb16(word), value, even);
            }
            if (b->finish == th_pairs_sums) {
                b->sums[i] = even;
                b->sums[4 + i] = both;
            } else {
                th_pairs_s8_store(b, tail, even, (int32_t)((uint32_t)both - (uint32_t)even), to);
            }
        }
        if (b->finish == th_pairs_sums) {
            return;
        }
        pair = tail + (b->finish == th_pairs_linear ? 4 : 5);
    }
}

#endif

#endif
