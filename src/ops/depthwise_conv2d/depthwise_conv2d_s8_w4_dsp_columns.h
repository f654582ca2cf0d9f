/*
 * Depthwise convolution, int8 activations, int4 weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. As depthwise_conv2d_s8_dsp_columns.h, with a word of weights (see th_depthwise_w4.h) for four
 * channels and two rows of the kernel.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_W4_DSP_COLUMNS_H
#define TH_DEPTHWISE_CONV2D_S8_W4_DSP_COLUMNS_H

#include "depthwise_conv2d_s8_dsp_columns.h"
#include "th_depthwise_w4.h"

/* As th_depthwise_columns_weights and th_depthwise_columns_weights_linear. */
TH_KERNEL uint32_t *th_depthwise_w4_weights(uint32_t *to, const int8_t *weights, int32_t count)
{
    for (; count > 0; count--, weights += 4, to += 4) {
        th_depthwise_w4_words(to, th_load32(weights), 0);
    }
    return to;
}

TH_KERNEL uint32_t *th_depthwise_w4_weights_linear(uint32_t *to, const int8_t *weights, int32_t count)
{
    for (; count > 0; count--, weights += 4, to += 4) {
        th_depthwise_w4_words(to, th_load32(weights), 1);
    }
    return to;
}

#define TH_DWC_DEFINE_W4(pairs, less, least)                                                                           \
    TH_DWC_DEFINE_OF(th_depthwise_conv2d_s8_w4_dsp_columns_, th_depthwise_w4_weights, 4, pairs, less, least)

TH_DWC_DEFINE_W4(1, 1, 1)
TH_DWC_DEFINE_W4(2, 1, 1)
TH_DWC_DEFINE_W4(3, 2, 2)
TH_DWC_DEFINE_W4(4, 3, 2)
TH_DWC_DEFINE_W4(5, 4, 3)
TH_DWC_DEFINE_W4(6, 5, 4)
TH_DWC_DEFINE_W4(7, 6, 5)
TH_DWC_DEFINE_W4(8, 7, 6)

#endif
