#ifndef TH_DEPTHWISE_CONV2D_PARAMS_H
#define TH_DEPTHWISE_CONV2D_PARAMS_H

#include "th_base.h"

/* Sizes in elements; every input channel makes `multiplier` output channels, which lie together. */
typedef struct {
    int32_t in_w, in_c, out_w;
    int32_t in_step, out_step; /* from pixel to pixel */
    int32_t k_h, k_w, multiplier;
    int32_t stride_w, dilation_w, pad_left;
    int32_t in_zero, out_zero; /* zero points; 0 for 16-bit activations */
    int32_t min, max;          /* of the quantized output */
    int32_t multiplier_step;   /* 1: a multiplier per output channel, 0: one for all */
} th_depthwise_conv2d_params;

#endif
