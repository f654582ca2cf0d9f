/*
 * Parameters of the pooling kernels, NHWC.
 */
#ifndef TH_POOL2D_H
#define TH_POOL2D_H

#include "th_base.h"

/* Sizes in elements (in_h for folds only); min and max are of the activation, in the output's type. */
typedef struct {
    int32_t in_h, in_w, channels, out_w;
    int32_t in_step, out_step; /* from pixel to pixel */
    int32_t k_h, k_w, stride_w, pad_left;
    int32_t min, max;
} th_pool2d_params;

typedef struct {
    int32_t in_h, in_w, channels, out_w;
    int32_t in_step, out_step; /* from pixel to pixel */
    int32_t k_h, k_w, stride_w, pad_left;
    float min, max;
} th_pool2d_f32_params;

#endif
