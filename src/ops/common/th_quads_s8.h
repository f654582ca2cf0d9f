/*
 * Products of a vector of int8 with four rows of weights at a time, for cores with the DSP instructions: the input is widened
 * to 16 bits on the way, and words of weights hold two weights of each of two rows, as halves 256 * odd + even (see
 * th_pairs_s8.h). Four inputs take 16 instructions for 16 multiply-accumulates: 1 LDM, 1 LDR, 6 SXTB16, 8 SMLAD.
 *
 * The stream of four rows: for each four inputs words of inputs 0 and 2 for rows 0 and 1, for rows 2 and 3, then those of
 * inputs 1 and 3; twice the biases of rows 0, 2, 1, 3. How they are scaled: four multipliers and four right shifts, a byte
 * each. See packQuads of weighted-dsp.ts.
 */
#ifndef TH_QUADS_S8_H
#define TH_QUADS_S8_H

#include "th_dsp.h"
#include "th_fixedpoint.h"

/* Everything in words, as the assembly reads it. */
typedef struct {
    const int32_t *stream, *end; /* of the first four outputs, and behind the last */
    const int8_t *input;
    int8_t *output;
    int32_t step_bytes; /* of weights, for each four inputs but the last ones: 16 bytes, or 8 if they have 4 bits */
    uint32_t last;      /* the last one to four inputs */
    int32_t zero2;      /* as above, or 0: the sums are wanted, of four outputs */
    int32_t *sums;      /* twice those of outputs 0, 2, 1, 3 */
    const int32_t *scales;
    int32_t scale_step;
    int32_t starts[4]; /* what sums begin with: see fully_connected_s8_w4_dsp.h */
} th_quads_block;

/* Words of a group of outputs besides its weights. */
#define TH_QUADS_REST 4
/* Words of the scales of four outputs. */
#define TH_QUADS_SCALES 5

/* Where the scales of the first outputs are: in the array, or made up of what is the same for all. */
TH_INLINE const int32_t *th_quads_scales(const int32_t *scales, int32_t multiplier, int32_t rights, int32_t *made)
{
    if (multiplier == 0) {
        return scales;
    }
    made[0] = made[1] = made[2] = made[3] = multiplier;
    made[4] = rights;
    return made;
}

/* Bytes from the scales of four outputs to those of the next. */
TH_INLINE int32_t th_quads_scale_step(int32_t multiplier)
{
    return multiplier == 0 ? 4 * TH_QUADS_SCALES : 0;
}

#if TH_DSP_ASM

/* r0 stream, r1 input, r2 to r5 words, r6 a widened one, r7 their end, r8 and r9 values, then sums of 0, 2, 1, 3. */
#define TH_QUADS_SUM(word, value, even, odd)                                                                           \
    "sxtb16 r6, " word "\n"                                                                                            \
    "smlad " odd ", " word ", " value ", " odd "\n"                                                                    \
    "smlad " even ", r6, " value ", " even "\n"
#define TH_QUADS_SUMS                                                                                                  \
    "ldmia.w r0!, {r2, r3, r4, r5}\n"                                                                                  \
    "sxtb16 r9, r8, ror #8\n"                                                                                          \
    "sxtb16 r8, r8\n" TH_QUADS_SUM("r2", "r8", "r10", "r12") TH_QUADS_SUM("r3", "r8", "r11", "lr")                     \
        TH_QUADS_SUM("r4", "r9", "r10", "r12") TH_QUADS_SUM("r5", "r9", "r11", "lr")
/* 16 instructions of 32 bits, as they are jumped into. */
#define TH_QUADS_STEP "ldr r8, [r1], #4\n" TH_QUADS_SUMS
/* r2 is 2 * zero point + 1, r7 the right shift. */
#define TH_QUADS_FINISH(sum, multiplier)                                                                               \
    "lsl r9, r2, r7\n"                                                                                                 \
    "asr r9, r9, #1\n"                                                                                                 \
    "add r9, r9, " sum ", asr #31\n"                                                                                   \
    "smmlar " sum ", " sum ", " multiplier ", r9\n"                                                                    \
    "asr " sum ", " sum ", r7\n"                                                                                       \
    "ssat " sum ", #8, " sum "\n"

/* Twice the sums with their biases: r2 to r5 are twice the biases of outputs 0, 2, 1, 3. */
#define TH_QUADS_SPLIT                                                                                                 \
    "sub r12, r12, r10\n"                                                                                              \
    "sub lr, lr, r11\n"                                                                                                \
    "add r10, r2, r10, lsl #1\n"                                                                                       \
    "add r11, r3, r11, lsl #1\n"                                                                                       \
    "add r12, r4, r12, asr #7\n"                                                                                       \
    "add lr, r5, lr, asr #7\n"
#define TH_QUADS_ZEROS                                                                                                 \
    "mov r10, #0\n"                                                                                                    \
    "mov r11, #0\n"                                                                                                    \
    "mov r12, #0\n"                                                                                                    \
    "mov lr, #0\n"

/*
 * The stack: [0] where the unrolled steps are entered, then the block, as many bytes as `drop` with what `save` pushes.
 * skip: r1 to the bytes of steps that are skipped, from r8, the bytes of weights; start: what sums begin with.
 */
#define TH_QUADS_BODY(save, skip, start, step, sums, split, drop)                                                      \
    __asm__("push {r4-r11, lr}\n"                                                                                      \
            "ldm r0!, {r4-r11}\n" save "ldm r0, {r2, r3}\n"                                                            \
            "push {r2, r3}\n"                                                                                          \
            "push {r4-r11}\n"                                                                                          \
            "mov r0, r4\n" skip "adr.w r2, 2f\n"                                                                       \
            "sub r2, r2, r1\n"                                                                                         \
            "orr r2, r2, #1\n"                                                                                         \
            "push {r2}\n"                                                                                              \
            "0:\n" start "ldr r1, [sp, #12]\n"                                                                         \
            "ldr r7, [sp, #20]\n"                                                                                      \
            "add r7, r7, r0\n"                                                                                         \
            "ldr pc, [sp]\n"                                                                                           \
            ".balign 4\n"                                                                                              \
            "1:\n" step step step step "2:\n"                                                                          \
            "cmp r0, r7\n"                                                                                             \
            "bne 1b\n"                                                                                                 \
            "ldr r8, [sp, #24]\n" sums "ldm r0!, {r2-r5}\n" split "ldr r2, [sp, #28]\n"                                \
            "cbnz r2, 3f\n"                                                                                            \
            "ldr r2, [sp, #32]\n"                                                                                      \
            "stm r2, {r10, r11, r12, lr}\n"                                                                            \
            "b 4f\n"                                                                                                   \
            "3:\n"                                                                                                     \
            "ldr r8, [sp, #36]\n"                                                                                      \
            "ldr r9, [sp, #40]\n"                                                                                      \
            "ldm r8, {r3-r7}\n"                                                                                        \
            "add r8, r8, r9\n"                                                                                         \
            "str r8, [sp, #36]\n" TH_QUADS_FINISH("r10", "r3") "lsr r7, r7, #8\n" TH_QUADS_FINISH("r12", "r4")         \
            "lsr r7, r7, #8\n" TH_QUADS_FINISH("r11", "r5") "lsr r7, r7, #8\n" TH_QUADS_FINISH("lr", "r6")             \
            "bfi r10, r12, #8, #8\n"                                                                                   \
            "bfi r10, r11, #16, #8\n"                                                                                  \
            "bfi r10, lr, #24, #8\n"                                                                                   \
            "ldr r1, [sp, #16]\n"                                                                                      \
            "str r10, [r1], #4\n"                                                                                      \
            "str r1, [sp, #16]\n"                                                                                      \
            "4:\n"                                                                                                     \
            "ldr r1, [sp, #8]\n"                                                                                       \
            "cmp r0, r1\n"                                                                                             \
            "bne 0b\n"                                                                                                 \
            "add sp, #" drop "\n"                                                                                      \
            "pop {r4-r11, pc}\n")

TH_NAKED void th_quads_s8(const th_quads_block *b TH_ASM_ARG)
{
    TH_QUADS_BODY("", "and r1, r8, #48\nlsl r1, r1, #2\n", TH_QUADS_ZEROS, TH_QUADS_STEP, TH_QUADS_SUMS, TH_QUADS_SPLIT,
                  "44");
}

#else

/* Four outputs, of twice their sums. */
TH_INLINE void th_quads_store(const th_quads_block *b, const int32_t *sums, const int32_t *scales, int8_t *output)
{
    for (int32_t i = 0; i < 4; i++) {
        if (b->zero2 == 0) {
            b->sums[(i & 1) * 2 + (i >> 1)] = sums[i];
        } else {
            const int32_t right = (scales[4] >> (8 * i)) & 255;
            const int32_t nudge = ((b->zero2 * (1 << right)) >> 1) + (sums[i] >> 31);
            output[i] = (int8_t)th_ssat8(th_smmlar(sums[i], scales[i], nudge) >> right);
        }
    }
}

/* What the assembly above computes. */
TH_INLINE void th_quads_s8(const th_quads_block *b)
{
    const int32_t steps = b->step_bytes / 16 + 1;
    const int32_t *scales = b->scales;
    int8_t *output = b->output;
    for (const int32_t *quad = b->stream; quad != b->end; quad += 4 * steps + TH_QUADS_REST, output += 4) {
        const int32_t *tail = quad + 4 * steps;
        int32_t sums[4];
        for (int32_t half = 0; half < 2; half++) {
            int32_t even = 0;
            int32_t odd = 0;
            for (int32_t k = 0; k < steps; k++) {
                const uint32_t bytes = k + 1 < steps ? th_load32(b->input + 4 * k) : b->last;
                const uint32_t first = (uint32_t)quad[4 * k + half];
                const uint32_t second = (uint32_t)quad[4 * k + 2 + half];
                odd = th_smlad(first, th_sxtb16(bytes), odd);
                even = th_smlad(th_sxtb16(first), th_sxtb16(bytes), even);
                odd = th_smlad(second, th_sxtb16_ror8(bytes), odd);
                even = th_smlad(th_sxtb16(second), th_sxtb16_ror8(bytes), even);
            }
            odd = (int32_t)((uint32_t)odd - (uint32_t)even);
            sums[2 * half] = (int32_t)((uint32_t)tail[half] + 2 * (uint32_t)even);
            sums[2 * half + 1] = (int32_t)((uint32_t)tail[2 + half] + (uint32_t)(odd >> 7));
        }
        th_quads_store(b, sums, scales, output);
        scales += b->scale_step / 4;
    }
}

#endif

/* The last one to four of some inputs, from `input` on. */
TH_INLINE uint32_t th_quads_last(const int8_t *input, int32_t n)
{
    uint32_t last = 0;
    for (int32_t i = 0; i < n; i++) {
        last |= (uint32_t)(uint8_t)input[i] << (8 * i);
    }
    return last;
}

#endif
