/*
 * Fully connected layer, int8 activations and weights, for cores with the DSP instructions; bit-exact with
 * fullyConnectedReference. Four outputs at a time: the input is widened to 16 bits on the way, and words of weights
 * hold two weights of each of two outputs, as halves 256 * odd + even (see th_pairs_s8.h). Four inputs take 16
 * instructions for 16 multiply-accumulates: 1 LDM, 1 LDR, 6 SXTB16, 8 SMLAD.
 *
 * The stream of four outputs: for each four inputs words of inputs 0 and 2 for outputs 0 and 1, for outputs 2 and 3, then
 * those of inputs 1 and 3; twice the biases of outputs 0, 2, 1, 3. One or two outputs that are left have no words for
 * outputs 2 and 3. Outputs at the end that would only be padding around few weights are stored as they are: weights
 * [outputs][inputs], then biases. How outputs are scaled: four multipliers and four right shifts, a byte each. Inputs so
 * many that their sums would not fit come in segments, each with a stream of its own, the biases in the first. See
 * weighted-dsp.ts, which packs all this.
 */
#ifndef TH_FULLY_CONNECTED_S8_DSP_H
#define TH_FULLY_CONNECTED_S8_DSP_H

#include "th_dsp.h"
#include "th_fixedpoint.h"
#include "th_limit_s8.h"

typedef struct {
    int32_t batch, in_c, out_c;
    int32_t plain;      /* outputs at the end that are stored as they are */
    int32_t segments;   /* of equal size, a multiple of 4, in_c is cut into; zero2 is 0 if there are several */
    int32_t zero2;      /* 2 * output zero point + 1 where the short finish does, else 0 */
    int32_t multiplier; /* of all outputs; 0 where each has its own, in an array */
    int32_t rights;     /* four times the right shift of all outputs, a byte each */
    int32_t out_zero, min, max;
} th_fully_connected_s8_dsp_params;

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

/* Computes groups of outputs: th_quads_s8 or th_quads_w4. */
typedef void th_quads_compute(const th_quads_block *b);

/* Twice the sums of one or two outputs, whose stream has no words of outputs 2 and 3; moves the stream behind them. */
TH_INLINE void th_quads_pair(th_quads_block *b)
{
    const int32_t steps = b->step_bytes / 16 + 1;
    const int32_t *words = b->stream;
    const int32_t *tail = words + 2 * steps;
    int32_t even = 0;
    int32_t odd = 0;
    for (int32_t k = 0; k < steps; k++, words += 2) {
        const uint32_t bytes = k + 1 < steps ? th_load32(b->input + 4 * k) : b->last;
        const uint32_t first = (uint32_t)words[0];
        const uint32_t second = (uint32_t)words[1];
        odd = th_smlad(first, th_sxtb16(bytes), odd);
        even = th_smlad(th_sxtb16(first), th_sxtb16(bytes), even);
        odd = th_smlad(second, th_sxtb16_ror8(bytes), odd);
        even = th_smlad(th_sxtb16(second), th_sxtb16_ror8(bytes), even);
    }
    odd = (int32_t)((uint32_t)odd - (uint32_t)even);
    b->sums[0] = (int32_t)((uint32_t)tail[0] + 2 * (uint32_t)even);
    b->sums[1] = 0;
    b->sums[2] = (int32_t)((uint32_t)tail[2] + (uint32_t)(odd >> 7));
    b->sums[3] = 0;
    b->stream = tail + TH_QUADS_REST;
}

/* Up to four outputs, with any shift and limits, from twice the sums of outputs 0, 2, 1, 3. */
TH_INLINE void th_quads_outputs(const int32_t *twice, const int32_t *scales, int32_t channels, int32_t out_zero,
                                int32_t min, int32_t max, int8_t *output)
{
    for (int32_t c = 0; c < channels; c++) {
        const int32_t right = (int8_t)(scales[4] >> (8 * c));
        const int32_t sum = twice[(c & 1) * 2 + (c >> 1)] >> 1;
        output[c] = (int8_t)th_clamp(th_requantize(sum, scales[c], -right) + out_zero, min, max);
    }
}

/*
 * Up to four outputs, with any shift and limits, segment by segment; leaves the stream behind them. extra: what is added to
 * the sums of the first three outputs.
 */
TH_INLINE void th_quads_long(const th_fully_connected_s8_dsp_params *p, th_quads_block *b, int32_t channels,
                             int32_t extra, th_quads_compute *compute, int32_t bits)
{
    const int32_t inputs = p->in_c / p->segments;
    const int32_t before = (inputs - 1) & ~3;
    const int8_t *input = b->input;
    int32_t totals[4] = {2 * extra, 2 * extra, 2 * extra, 0}; /* twice those of outputs 0, 2, 1, 3 */
    int32_t sums[4];
    b->sums = sums;
    b->zero2 = 0;
    for (int32_t left = p->segments; left > 0; left--) {
        b->last = th_quads_last(b->input + before, inputs - before);
        if (channels <= 2 && bits == 8) {
            th_quads_pair(b);
        } else {
            b->end = b->stream + (before + 4) * bits / 8 + TH_QUADS_REST;
            compute(b);
            b->stream = b->end;
        }
        for (int32_t i = 0; i < 4; i++) {
            totals[i] = (int32_t)((uint32_t)totals[i] + (uint32_t)sums[i]);
        }
        b->input += inputs;
    }
    b->input = input;
    th_quads_outputs(totals, b->scales, channels, p->out_zero, p->min, p->max, b->output);
}

/* All outputs of one input vector but plain ones. extra: see above; the block's starts are set where the sums are short. */
TH_INLINE void th_quads_vector(const th_fully_connected_s8_dsp_params *p, th_quads_block *b, const int8_t *input,
                               const int32_t *stream, const int32_t *scales, int8_t *output, int32_t extra,
                               th_quads_compute *compute, int32_t bits)
{
    const int32_t before = (p->in_c / p->segments - 1) & ~3;
    int32_t left = p->out_c - p->plain;
    b->step_bytes = before * bits / 2;
    b->scale_step = th_quads_scale_step(p->multiplier);
    b->stream = stream;
    b->scales = scales;
    b->input = input;
    b->output = output;
    if (p->zero2 != 0 && left > 3) {
        b->last = th_quads_last(input + before, p->in_c - before);
        b->end = stream + (left >> 2) * ((before + 4) * bits / 8 + TH_QUADS_REST);
        b->zero2 = p->zero2;
        b->sums = 0;
        compute(b);
        b->stream = b->end;
        b->scales += (left >> 2) * (b->scale_step / 4);
        b->output += left & ~3;
        left &= 3;
    }
    memset(b->starts, 0, sizeof b->starts);
    for (; left > 0; left -= 4) {
        th_quads_long(p, b, th_min(left, 4), extra, compute, bits);
        b->scales += b->scale_step / 4;
        b->output += 4;
    }
}

/* The plain outputs of one input vector: the block's stream, scales and output have come to them. */
TH_INLINE void th_quads_plain(const th_fully_connected_s8_dsp_params *p, const th_quads_block *b)
{
    const int32_t in_c = p->in_c;
    const int8_t *weights = (const int8_t *)b->stream;
    const int32_t *biases = b->stream + ((p->plain * in_c + 3) >> 2);
    for (int32_t c = 0; c < p->plain; c++) {
        int32_t sum = biases[c];
        int32_t k = 0;
        for (; k + 4 <= in_c; k += 4, weights += 4) {
            const uint32_t four = th_load32(weights);
            const uint32_t values = th_load32(b->input + k);
            sum = th_smlad(th_sxtb16(four), th_sxtb16(values), sum);
            sum = th_smlad(th_sxtb16_ror8(four), th_sxtb16_ror8(values), sum);
        }
        for (; k < in_c; k++) {
            sum += *weights++ * b->input[k];
        }
        const int32_t *scales = b->scales + (c >> 2) * (b->scale_step / 4);
        const int32_t right = (int8_t)(scales[4] >> (8 * (c & 3)));
        b->output[c] = (int8_t)th_clamp(th_requantize(sum, scales[c & 3], -right) + p->out_zero, p->min, p->max);
    }
}

/* input [batch][in_c], output [batch][out_c]. */
TH_KERNEL void th_fully_connected_s8_dsp(const th_fully_connected_s8_dsp_params *p, const int8_t *input,
                                         const int32_t *stream, const int32_t *scales, int8_t *output)
{
    int32_t made[TH_QUADS_SCALES];
    scales = th_quads_scales(scales, p->multiplier, p->rights, made);
    for (int32_t n = 0; n < p->batch; n++) {
        th_quads_block b;
        th_quads_vector(p, &b, input + n * p->in_c, stream, scales, output + n * p->out_c, 0, th_quads_s8, 8);
        th_quads_plain(p, &b);
    }
    th_limit_s8(output, p->out_c, p->batch, p->out_c, p->min, p->max);
}

#endif
