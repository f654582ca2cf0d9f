#ifndef TH_TRANSPOSE_CONV_PARAMS_H
#define TH_TRANSPOSE_CONV_PARAMS_H

#include "th_base.h"

/* Sizes in elements. */
typedef struct {
    int32_t in_w, in_c;
    int32_t out_w, out_c;
    int32_t k_h, k_w, stride_h, stride_w;
    int32_t pad_top, pad_left; /* rows and columns of the full result cut off before the output */
    int32_t in_zero, out_zero; /* zero points; 0 for 16-bit activations */
    int32_t min, max;          /* of the quantized output */
    int32_t multiplier_step;   /* 1: a multiplier per output channel, 0: one for all */
} th_transpose_conv_params;

#endif
