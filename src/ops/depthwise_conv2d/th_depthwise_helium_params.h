/*
 * Parameters of depthwise convolutions with one output per channel for Helium.
 */
#ifndef TH_DEPTHWISE_HELIUM_PARAMS_H
#define TH_DEPTHWISE_HELIUM_PARAMS_H

#include "th_helium.h"

/* Sizes; steps from pixel to pixel in bytes. */
typedef struct {
    int32_t in_w, in_c, in_step;
    int32_t out_w, out_step;
    int32_t k_h, k_w;
    int32_t stride_w, dilation_w, pad_left;
    int32_t in_zero, out_zero, min, max;
} th_depthwise_conv2d_helium_params;

#endif
