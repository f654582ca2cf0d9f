/*
 * Fully connected layer, int8 activations, int4 weights, for cores with the DSP instructions; bit-exact with
 * fullyConnectedReference. As fully_connected_s8_dsp.h, with two weights of each of four outputs in a word: its halves are
 * 4096 * w3 + 256 * w2 + 16 * w1 + w0, where w0, w1 and w2 are 8 more than the weights. SMLAD takes the word itself, its
 * bytes 0 and 2, and its nibbles 0 and 2: four inputs take 18 instructions for 16 multiply-accumulates. What the eights add,
 * eight times the sum of the inputs, is taken off before: sums begin with it.
 *
 * The stream of four outputs: for each four inputs a word for inputs 0 and 2, and one for inputs 1 and 3; then as there.
 */
#ifndef TH_FULLY_CONNECTED_S8_W4_DSP_H
#define TH_FULLY_CONNECTED_S8_W4_DSP_H

#include "fully_connected_s8_dsp.h"

#if TH_DSP_ASM

/* r10: output 0; r12: with 16 times output 1; r11: 256 times output 2; lr: all and 4096 times output 3. */
#define TH_QUADS_W4_SUM(word, value)                                                                                   \
    "smlad lr, " word ", " value ", lr\n"                                                                              \
    "uxtb16 r4, " word "\n"                                                                                            \
    "smlad r12, r4, " value ", r12\n"                                                                                  \
    "and r4, " word ", #0x000f000f\n"                                                                                  \
    "smlad r10, r4, " value ", r10\n"                                                                                  \
    "and " word ", " word ", #0x0f000f00\n"                                                                            \
    "smlad r11, " word ", " value ", r11\n"
#define TH_QUADS_W4_SUMS                                                                                               \
    "ldrd r2, r3, [r0], #8\n"                                                                                          \
    "sxtb16 r9, r8, ror #8\n"                                                                                          \
    "sxtb16 r8, r8\n" TH_QUADS_W4_SUM("r2", "r8") TH_QUADS_W4_SUM("r3", "r9")
/* 18 instructions of 32 bits, as they are jumped into. */
#define TH_QUADS_W4_STEP "ldr r8, [r1], #4\n" TH_QUADS_W4_SUMS
#define TH_QUADS_W4_SPLIT                                                                                              \
    "sub lr, lr, r11\n"                                                                                                \
    "sub lr, lr, r12\n"                                                                                                \
    "sub r12, r12, r10\n"                                                                                              \
    "add r10, r2, r10, lsl #1\n"                                                                                       \
    "add r11, r3, r11, asr #7\n"                                                                                       \
    "add r12, r4, r12, asr #3\n"                                                                                       \
    "add lr, r5, lr, asr #11\n"

TH_NAKED void th_quads_w4(const th_quads_block *b TH_ASM_ARG)
{
    TH_QUADS_BODY("add r2, r0, #8\n"
                  "ldm r2, {r2, r3, r12, lr}\n"
                  "push {r2, r3, r12, lr}\n",
                  "and r1, r8, #24\nadd r1, r1, r1, lsl #3\n",
                  "add r2, sp, #44\n"
                  "ldm r2, {r10, r11, r12, lr}\n",
                  TH_QUADS_W4_STEP, TH_QUADS_W4_SUMS, TH_QUADS_W4_SPLIT, "60");
}

#else

/* What the assembly above computes. */
TH_INLINE void th_quads_w4(const th_quads_block *b)
{
    const int32_t steps = b->step_bytes / 8 + 1;
    const int32_t *scales = b->scales;
    int8_t *output = b->output;
    for (const int32_t *quad = b->stream; quad != b->end; quad += 2 * steps + TH_QUADS_REST, output += 4) {
        const int32_t *tail = quad + 2 * steps;
        int32_t s0 = b->starts[0];
        int32_t s2 = b->starts[1];
        int32_t s1 = b->starts[2];
        int32_t s3 = b->starts[3];
        for (int32_t k = 0; k < 2 * steps; k++) {
            const uint32_t bytes = k + 2 < 2 * steps ? th_load32(b->input + 4 * (k >> 1)) : b->last;
            const uint32_t value = (k & 1) ? th_sxtb16_ror8(bytes) : th_sxtb16(bytes);
            const uint32_t word = (uint32_t)quad[k];
            s3 = th_smlad(word, value, s3);
            s1 = th_smlad(word & UINT32_C(0x00ff00ff), value, s1);
            s0 = th_smlad(word & UINT32_C(0x000f000f), value, s0);
            s2 = th_smlad(word & UINT32_C(0x0f000f00), value, s2);
        }
        s3 = (int32_t)((uint32_t)s3 - (uint32_t)s2 - (uint32_t)s1);
        s1 = (int32_t)((uint32_t)s1 - (uint32_t)s0);
        int32_t sums[4];
        sums[0] = (int32_t)((uint32_t)tail[0] + 2 * (uint32_t)s0);
        sums[1] = (int32_t)((uint32_t)tail[2] + (uint32_t)(s1 >> 3));
        sums[2] = (int32_t)((uint32_t)tail[1] + (uint32_t)(s2 >> 7));
        sums[3] = (int32_t)((uint32_t)tail[3] + (uint32_t)(s3 >> 11));
        th_quads_store(b, sums, scales, output);
        scales += b->scale_step / 4;
    }
}

#endif

/* The sum of n inputs. */
TH_INLINE int32_t th_quads_w4_inputs(const int8_t *input, int32_t n)
{
    const uint32_t ones = UINT32_C(0x00010001);
    int32_t sum = 0;
    int32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const uint32_t bytes = th_load32(input + i);
        sum = th_smlad(th_sxtb16(bytes), ones, th_smlad(th_sxtb16_ror8(bytes), ones, sum));
    }
    for (; i < n; i++) {
        sum += input[i];
    }
    return sum;
}

/* input [batch][in_c], output [batch][out_c]. */
TH_KERNEL void th_fully_connected_s8_w4_dsp(const th_fully_connected_s8_dsp_params *p, const int8_t *input,
                                            const int32_t *stream, const int32_t *scales, int8_t *output)
{
    int32_t made[TH_QUADS_SCALES];
    scales = th_quads_scales(scales, p->multiplier, p->rights, made);
    for (int32_t n = 0; n < p->batch; n++) {
        const int32_t start = -8 * th_quads_w4_inputs(input + n * p->in_c, p->in_c);
        th_quads_block b;
        b.starts[0] = start;
        b.starts[1] = (int32_t)(UINT32_C(256) * (uint32_t)start);
        b.starts[2] = (int32_t)(UINT32_C(17) * (uint32_t)start);
        b.starts[3] = (int32_t)(UINT32_C(273) * (uint32_t)start);
        th_quads_vector(p, &b, input + n * p->in_c, stream, scales, output + n * p->out_c, start, th_quads_w4, 4);
    }
    th_limit_s8(output, p->out_c, p->batch, p->out_c, p->min, p->max);
}

#endif
