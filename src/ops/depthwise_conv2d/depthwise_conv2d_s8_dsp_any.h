/*
 * Depthwise convolution, int8 activations and weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. Four or more channels, multiplier 1, any kernel, stride and dilation; |sum| < 2^30, right shifts
 * from 1 to 22. Two rows of the kernel at a time, four channels.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_DSP_ANY_H
#define TH_DEPTHWISE_CONV2D_S8_DSP_ANY_H

#include "depthwise_conv2d_params.h"
#include "th_dsp.h"

TH_INLINE int8_t th_depthwise_any_finish(const th_depthwise_conv2d_params *p, int32_t sum, int32_t multiplier,
                                         int32_t right)
{
    const int32_t add = (int32_t)((uint32_t)(2 * p->out_zero + 1) << (right - 1)) + (sum >> 31);
    return (int8_t)th_clamp(th_smmlar(2 * sum, multiplier, add) >> right, p->min, p->max);
}

/* Sums of four channels over a column of the kernel: pairs of rows, `at` bytes in; a row outside reads as the zero point. */
TH_KERNEL void th_depthwise_any_column(const void *const *rows, int32_t k_h, int32_t at, uint32_t zeros,
                                       const int8_t *weights, int32_t *sums)
{
    int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
    for (int32_t ky = 0; ky < k_h; ky += 2, weights += 8) {
        const int8_t *first = (const int8_t *)rows[ky];
        const int8_t *second = ky + 1 < k_h ? (const int8_t *)rows[ky + 1] : first;
        const uint32_t a = first ? th_load32(first + at) : zeros;
        const uint32_t b = second ? th_load32(second + at) : zeros;
        const uint32_t low = th_pkhbt(a, b);
        const uint32_t high = th_pkhtb(b, a);
        const uint32_t u = th_load32(weights);
        const uint32_t v = th_load32(weights + 4);
        s0 = th_smlad(th_sxtb16(low), th_sxtb16(u), s0);
        s1 = th_smlad(th_sxtb16_ror8(low), th_sxtb16_ror8(u), s1);
        s2 = th_smlad(th_sxtb16(high), th_sxtb16(v), s2);
        s3 = th_smlad(th_sxtb16_ror8(high), th_sxtb16_ror8(v), s3);
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* One pixel of a kernel with one column whose rows are all inside the input; the assembly knows the offsets. */
typedef struct {
    const void *const *rows;    /* 0: two for each pair */
    int32_t pairs, at;          /* 4, 8: bytes to the first channel of the pixel */
    const int8_t *weights;      /* 12 */
    const int32_t *biases;      /* 16 */
    const int32_t *multipliers; /* 20 */
    const int8_t *rights;       /* 24 */
    int32_t zero2;              /* 28: twice the output's zero point, and one */
    int8_t *output;             /* 32 */
    int32_t groups;             /* 36: of four channels, at least one; what else is used up goes on with them */
} th_depthwise_any_pixel;

#if TH_DSP_ASM

#define TH_DWA_FINISH(sum)                                                                                             \
    "ldrsb r8, [r1], #1\n"                                                                                             \
    "ldr r9, [r0], #4\n"                                                                                               \
    "lsl " sum ", " sum ", #1\n"                                                                                       \
    "sub r10, r8, #1\n"                                                                                                \
    "lsl r10, r2, r10\n"                                                                                               \
    "add r10, r10, " sum ", asr #31\n"                                                                                 \
    "smmlar " sum ", " sum ", r9, r10\n"                                                                               \
    "asr " sum ", " sum ", r8\n"                                                                                       \
    "ssat " sum ", #8, " sum "\n"                                                                                      \
    "strb " sum ", [lr], #1\n"

TH_NAKED void th_depthwise_any_groups(th_depthwise_any_pixel *pixel TH_ASM_ARG)
{
    __asm__("push {r0, r4-r11, lr}\n"
            "ldr r3, [r0, #12]\n"
            "1:\n"
            "ldr r12, [sp]\n"
            "ldr lr, [r12, #16]\n"
            "ldm r12, {r0-r2}\n"
            "ldm lr!, {r4-r7}\n"
            "str lr, [r12, #16]\n"
            "add lr, r2, #4\n"
            "str lr, [r12, #8]\n"
            "2:\n"
            "ldrd r8, r9, [r0], #8\n"
            "ldr r10, [r3], #4\n"
            "ldr r11, [r3], #4\n"
            "ldr r8, [r8, r2]\n"
            "ldr r9, [r9, r2]\n"
            "subs r1, r1, #1\n"
            "pkhbt r12, r8, r9, lsl #16\n"
            "pkhtb r9, r9, r8, asr #16\n"
            "sxtb16 r8, r12\n"
            "sxtb16 lr, r10\n"
            "sxtb16 r12, r12, ror #8\n"
            "sxtb16 r10, r10, ror #8\n"
            "smlad r4, r8, lr, r4\n"
            "smlad r5, r12, r10, r5\n"
            "sxtb16 r8, r9\n"
            "sxtb16 lr, r11\n"
            "sxtb16 r9, r9, ror #8\n"
            "sxtb16 r11, r11, ror #8\n"
            "smlad r6, r8, lr, r6\n"
            "smlad r7, r9, r11, r7\n"
            "bne 2b\n"
            "ldr r12, [sp]\n"
            "ldrd r0, r1, [r12, #20]\n"
            "ldrd r2, lr, [r12, #28]\n" TH_DWA_FINISH("r4") TH_DWA_FINISH("r5") TH_DWA_FINISH("r6")
                TH_DWA_FINISH("r7") "ldr r4, [r12, #36]\n"
            "strd r0, r1, [r12, #20]\n"
            "str lr, [r12, #32]\n"
            "subs r4, r4, #1\n"
            "str r4, [r12, #36]\n"
            "bne 1b\n"
            "str r3, [r12, #12]\n"
            "pop {r0, r4-r11, pc}\n");
}

#else

TH_KERNEL void th_depthwise_any_groups(th_depthwise_any_pixel *pixel)
{
    for (; pixel->groups > 0; pixel->groups--) {
        int32_t sums[4];
        memcpy(sums, pixel->biases, sizeof sums);
        th_depthwise_any_column(pixel->rows, 2 * pixel->pairs, pixel->at, 0, pixel->weights, sums);
        for (int32_t i = 0; i < 4; i++) {
            const int32_t right = *pixel->rights++;
            const int32_t add = (int32_t)((uint32_t)pixel->zero2 << (right - 1)) + (sums[i] < 0 ? -1 : 0);
            *pixel->output++ = (int8_t)th_ssat8(th_smmlar(2 * sums[i], *pixel->multipliers++, add) >> right);
        }
        pixel->at += 4;
        pixel->weights += 8 * pixel->pairs;
        pixel->biases += 4;
    }
}

#endif

/* Rows that th_depthwise_any_pixel takes at most. */
enum { th_depthwise_any_rows = 16 };

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input; weights in groups of four
 * channels, the last of the last four: for each column of the kernel and two of its rows (zeros after an odd last) channels
 * 0 and 1 of both, then channels 2 and 3; biases less the sums of weights times the input's zero point, multipliers and right
 * shifts [out_c], output [out_w][out_c].
 */
TH_KERNEL void th_depthwise_conv2d_s8_dsp_any(const th_depthwise_conv2d_params *p, const void *const *rows,
                                              const int8_t *weights, const int32_t *biases, const int32_t *multipliers,
                                              const int8_t *rights, int8_t *output)
{
    const uint32_t zeros = (uint32_t)(p->in_zero & 0xff) * UINT32_C(0x01010101);
    const int32_t column_bytes = ((p->k_h + 1) >> 1) * 8;
    const void *pairs[th_depthwise_any_rows];
    const int32_t is_inside = p->k_w == 1 && p->k_h <= th_depthwise_any_rows && rows[0] && rows[p->k_h - 1];
    for (int32_t i = 0; is_inside && i < p->k_h; i += 2) {
        pairs[i] = rows[i];
        pairs[i + 1] = rows[th_min(i + 1, p->k_h - 1)];
    }
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const int8_t *own = weights;
        if (is_inside && x0 >= 0 && x0 < p->in_w) {
            th_depthwise_any_pixel pixel;
            pixel.rows = pairs;
            pixel.pairs = (p->k_h + 1) >> 1;
            pixel.zero2 = 2 * p->out_zero + 1;
            pixel.weights = weights;
            for (int32_t done = 0; done < p->in_c; done += 4 * th_max((p->in_c - done) >> 2, 1)) {
                const int32_t c = th_min(done, p->in_c - 4);
                pixel.at = x0 * p->in_step + c;
                pixel.biases = biases + c;
                pixel.multipliers = multipliers + c;
                pixel.rights = rights + c;
                pixel.output = output + c;
                pixel.groups = th_max((p->in_c - done) >> 2, 1);
                th_depthwise_any_groups(&pixel);
            }
            for (int32_t c = 0; c < p->in_c && (p->min > INT8_MIN || p->max < INT8_MAX); c++) {
                output[c] = (int8_t)th_clamp(output[c], p->min, p->max);
            }
            output += p->out_step;
            continue;
        }
        for (int32_t done = 0; done < p->in_c; done += 4) {
            const int32_t c = th_min(done, p->in_c - 4);
            int32_t sums[4] = {0, 0, 0, 0};
            for (int32_t kx = 0; kx < p->k_w; kx++, own += column_bytes) {
                const int32_t x = x0 + kx * p->dilation_w;
                static const void *const outside[2] = {NULL, NULL};
                if (x >= 0 && x < p->in_w) {
                    th_depthwise_any_column(rows, p->k_h, x * p->in_step + c, zeros, own, sums);
                } else {
                    for (int32_t ky = 0; ky < p->k_h; ky += 2) {
                        th_depthwise_any_column(outside, 2, 0, zeros, own + 4 * ky, sums);
                    }
                }
            }
            for (int32_t i = 0; i < 4; i++) {
                output[c + i] = th_depthwise_any_finish(p, sums[i] + biases[c + i], multipliers[c + i], rights[c + i]);
            }
        }
        output += p->out_step;
    }
}

#endif
