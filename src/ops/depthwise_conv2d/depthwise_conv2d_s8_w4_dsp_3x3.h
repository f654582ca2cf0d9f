/*
 * Depthwise convolution with a 3x3 kernel, int8 activations, int4 weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. As depthwise_conv2d_s8_dsp_3x3.h, with weights in groups of 18 bytes: for each column a word of
 * the first and second row, and two bytes of the third (see th_depthwise_w4.h).
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_W4_DSP_3X3_H
#define TH_DEPTHWISE_CONV2D_S8_W4_DSP_3X3_H

#include "depthwise_conv2d_s8_dsp_3x3.h"
#include "th_depthwise_w4.h"

TH_INLINE void th_depthwise_w4_taps(th_depthwise_four *four, const int8_t *weights, int32_t is_linear)
{
    for (int32_t kx = 0; kx < 3; kx++, weights += 6) {
        const uint32_t third = (uint32_t)(uint8_t)weights[4] | (uint32_t)(uint8_t)weights[5] << 8;
        th_depthwise_w4_words(four->taps[kx], th_load32(weights), is_linear);
        th_depthwise_w4_row(four->taps[kx] + 4, third, is_linear);
    }
}

/* As th_depthwise_prepare. */
TH_KERNEL void th_depthwise_w4_prepare(th_depthwise_four *four, const int8_t *weights, const int32_t *biases2,
                                       const int32_t *multipliers, const th_depthwise_more *more)
{
    const int8_t *rights = more->rights;
    memcpy(four->biases, biases2, sizeof four->biases);
    th_depthwise_w4_taps(four, weights, 0);
    for (int32_t c = 0; c < 4; c++) {
        four->finish.rounded[c].multiplier = multipliers[c];
        four->finish.rounded[c].add = (int32_t)((uint32_t)more->zero2 << (rights[c] - 1));
        four->finish.rounded[c].right = rights[c];
    }
}

/* As th_depthwise_prepare_linear. */
TH_KERNEL void th_depthwise_w4_prepare_linear(th_depthwise_four *four, const int8_t *weights, const int32_t *biases,
                                              const int32_t *multipliers, const th_depthwise_more *more)
{
    (void)more;
    memcpy(four->biases, biases, sizeof four->biases);
    th_depthwise_w4_taps(four, weights, 1);
    memcpy(four->finish.multipliers, multipliers, sizeof four->finish.multipliers);
}

/* As the functions of th_depthwise_conv2d_s8_dsp_3x3. */
#define TH_DW3_DEFINE_W4(stride)                                                                                       \
    TH_KERNEL void th_depthwise_conv2d_s8_w4_dsp_3x3_##stride(                                                         \
        const th_depthwise_conv2d_dsp_3x3_params *params, const void *const *rows, const int8_t *weights,              \
        const int32_t *biases2, const int32_t *multipliers, const int8_t *rights, void *scratch, int8_t *output)       \
    {                                                                                                                  \
        static const th_depthwise_3x3_form form = {th_depthwise_w4_prepare, th_depthwise_3x3_##stride, 34, 18, 0};        \
        th_depthwise_3x3(params, rows, weights, biases2, multipliers, rights, scratch, output, &form);                 \
    }                                                                                                                  \
    TH_KERNEL void th_depthwise_conv2d_s8_w4_dsp_3x3_##stride##_linear(                                                \
        const th_depthwise_conv2d_dsp_3x3_params *params, const void *const *rows, const int8_t *weights,              \
        const int32_t *biases, const int32_t *multipliers, void *scratch, int8_t *output)                              \
    {                                                                                                                  \
        static const th_depthwise_3x3_form form = {th_depthwise_w4_prepare_linear, th_depthwise_3x3_##stride##_linear, \
                                                   26, 18, 0};                                                            \
        th_depthwise_3x3(params, rows, weights, biases, multipliers, weights, scratch, output, &form);                 \
    }
TH_DW3_DEFINE_W4(1)
TH_DW3_DEFINE_W4(2)

#endif
