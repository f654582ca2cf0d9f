/*
 * Fully connected layer, int8 activations and weights, for Armv6-M; bit-exact with fullyConnectedReference. Two outputs at a
 * time: their weights are the halves of a word that is multiplied with an input, so that a sum of products holds both sums
 * in 16 bits each, 2^15 added, for as many inputs as the weights of both allow: a run. Weights are stored with 128 added,
 * so that words come apart by masks. A last output alone is stored as it is.
 */
#ifndef TH_FULLY_CONNECTED_S8_ARMV6M_H
#define TH_FULLY_CONNECTED_S8_ARMV6M_H

#include "th_armv6m.h"

typedef struct {
    int32_t batch, in_c, out_c;
    int32_t run;               /* words of weights of any pair that are a run; 0 where each has its own, in an array */
    int32_t multiplier, right; /* of all outputs; 0 where each has its own, in arrays */
    int32_t zero2, pieces; /* see th_finish_m0 */
    int32_t min, max;
} th_fully_connected_s8_armv6m_params;

#if TH_ARMV6M_ASM

/* r0 values, r1 weights, r2 and r3 words of them, r4 and r5 values, r6 the mask, r7 their sum, r11 -128 for each half. */
#define TH_DENSE_TWO                                                                                                   \
    "ldmia r1!, {r2}\n"                                                                                                \
    "ldmia r0!, {r4, r5}\n"                                                                                            \
    "movs r3, r2\n"                                                                                                    \
    "ands r3, r3, r6\n"                                                                                                \
    "add r3, r3, r11\n"                                                                                                \
    "muls r4, r3, r4\n"                                                                                                \
    "adds r7, r7, r4\n"                                                                                                \
    "lsrs r2, r2, #8\n"                                                                                                \
    "ands r2, r2, r6\n"                                                                                                \
    "add r2, r2, r11\n"                                                                                                \
    "muls r5, r2, r5\n"                                                                                                \
    "adds r7, r7, r5\n"

/*
 * Adds products to two sums: values, an even number; weights for each two of them those of the first output, then those of
 * the second.
 */
TH_NAKED_M0 void th_dense_pair_m0(const uint32_t *values TH_M0_ARG, const uint8_t *weights TH_M0_ARG,
                                  const uint8_t *end TH_M0_ARG, int32_t run_bytes TH_M0_ARG, int32_t *sums TH_M0_ARG)
{
    __asm__(TH_M0_PUSH
            "mov lr, r2\n"
            "mov r10, r3\n"
            "ldr r4, [sp, #36]\n"
            "ldmia r4!, {r5, r6}\n"
            "mov r8, r5\n"
            "mov r9, r6\n"
            "movs r6, #255\n"
            "lsls r5, r6, #16\n"
            "orrs r6, r6, r5\n"
            "movs r7, #128\n"
            "lsls r5, r7, #16\n"
            "orrs r5, r5, r7\n"
            "rsbs r5, r5, #0\n"
            "mov r11, r5\n"
            "10:\n"
            "mov r2, r10\n"
            "adds r2, r2, r1\n"
            "cmp r2, lr\n"
            "bls 11f\n"
            "mov r2, lr\n"
            "11:\n"
            "mov r12, r2\n"
            "mov r7, r11\n"
            "rsbs r7, r7, #0\n"
            "lsls r7, r7, #8\n"
            "subs r2, r2, r1\n"
            "lsrs r2, r2, #3\n"
            "bcs 13f\n"
            "12:\n" TH_DENSE_TWO "13:\n" TH_DENSE_TWO
            "cmp r1, r12\n"
            "bne 12b\n"
            "lsrs r2, r7, #16\n"
            "add r9, r9, r2\n"
            "uxth r7, r7\n"
            "add r8, r8, r7\n"
            "cmp r1, lr\n"
            "bne 10b\n"
            "ldr r4, [sp, #36]\n"
            "mov r5, r8\n"
            "mov r6, r9\n"
            "stmia r4!, {r5, r6}\n" TH_M0_POP);
}

#else

/* What the assembly above computes. */
TH_KERNEL void th_dense_pair_m0(const uint32_t *values, const uint8_t *weights, const uint8_t *end, int32_t run_bytes,
                                int32_t *sums)
{
    while (weights != end) {
        const uint8_t *stop = weights + th_min((int32_t)(end - weights), run_bytes);
        uint32_t both = UINT32_C(0x80008000);
        for (; weights != stop; weights += 4, values += 2) {
            both += (weights[0] + ((uint32_t)weights[2] << 16) - UINT32_C(0x00800080)) * values[0];
            both += (weights[1] + ((uint32_t)weights[3] << 16) - UINT32_C(0x00800080)) * values[1];
        }
        sums[0] += (int32_t)(both & 0xffffu);
        sums[1] += (int32_t)(both >> 16);
    }
}

#endif

/*
 * The sums of an input vector: values [in_c, rounded up to 2] and weights, see above, how many words of weights of each pair
 * are a run, sums from the biases.
 */
TH_ROW void th_dense_sums_m0(const th_fully_connected_s8_armv6m_params *p, const uint32_t *values, const uint8_t *weights,
                             const uint8_t *runs, int32_t *sums)
{
    const int32_t pair_bytes = 2 * ((p->in_c + 1) & ~1);
    int32_t c = 0;
    for (; c + 2 <= p->out_c; c += 2, weights += pair_bytes) {
        const int32_t run = p->run != 0 ? p->run : runs[c >> 1];
        th_dense_pair_m0(values, weights, weights + pair_bytes, 4 * run, sums + c);
    }
    if (c < p->out_c) {
        const int8_t *alone = (const int8_t *)weights;
        uint32_t sum = (uint32_t)sums[c];
        for (int32_t k = 0; k < p->in_c; k++) {
            const int32_t weight = alone[k];
            sum += values[k] * (uint32_t)weight;
        }
        sums[c] = (int32_t)sum;
    }
}

/*
 * input [batch][in_c], weights for each pair of outputs as above, then those of a last one; how many words of a pair's are a
 * run, biases [out_c] less 2^15 for each run, multipliers and right shifts [out_c], or none, output [batch][out_c].
 * scratch: [in_c, rounded up to 2] values and [out_c] sums.
 */
TH_KERNEL void th_fully_connected_s8_armv6m(const th_fully_connected_s8_armv6m_params *p, const int8_t *input,
                                            const int32_t *weights, const uint8_t *runs, const int32_t *biases,
                                            const int32_t *multipliers, const int8_t *rights, void *scratch,
                                            int8_t *output)
{
    const int32_t depth = (p->in_c + 1) & ~1;
    uint32_t *values = (uint32_t *)scratch;
    int32_t *sums = (int32_t *)(values + depth);
    for (int32_t n = 0; n < p->batch; n++, input += p->in_c) {
        values[depth - 1] = 0;
        for (int32_t k = 0; k < p->in_c; k++) {
            const int32_t x = input[k];
            values[k] = (uint32_t)x;
        }
        memcpy(sums, biases, (size_t)p->out_c * sizeof *sums);
        th_dense_sums_m0(p, values, (const uint8_t *)weights, runs, sums);
        /* Outputs that share a scale are finished together. */
        const int32_t together = p->multiplier == 0 ? 1 : p->out_c;
        for (int32_t c = 0; c < p->out_c; c += together, output += together) {
            th_finish_m0 finish;
            finish.sums = sums + c;
            finish.end = finish.sums + together;
            finish.output = output;
            finish.out_step = 1;
            finish.multiplier = p->multiplier != 0 ? p->multiplier : multipliers[c];
            finish.right = p->multiplier != 0 ? p->right : rights[c];
            finish.zero2 = p->zero2;
            finish.pieces = p->pieces;
            th_finish_s8_m0(&finish);
        }
    }
    th_limit_m0(output - p->batch * p->out_c, p->batch, p->out_c, p->out_c, p->min, p->max);
}

#endif
