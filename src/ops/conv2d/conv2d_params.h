#ifndef TH_CONV2D_PARAMS_H
#define TH_CONV2D_PARAMS_H

#include "th_base.h"

/* Sizes and steps in elements; k_c is the input channels that one filter sees (in_c / groups). */
typedef struct {
    int32_t in_w, in_c, in_step; /* step: from pixel to pixel */
    int32_t out_w, out_c, out_step;
    int32_t k_h, k_w, k_c;
    int32_t stride_w, dilation_w, pad_left;
    int32_t in_zero, out_zero; /* zero points; 0 for 16-bit activations */
    int32_t min, max;          /* of the quantized output */
    int32_t multiplier_step;   /* 1: a multiplier per output channel, 0: one for all */
} th_conv2d_params;

#endif
