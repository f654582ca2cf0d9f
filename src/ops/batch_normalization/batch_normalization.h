/* Batch normalization at inference, float32: a factor and an offset for each channel. */
#ifndef TH_BATCH_NORMALIZATION_H
#define TH_BATCH_NORMALIZATION_H

#include "th_base.h"

typedef struct {
    int32_t pixels, channels;
} th_batch_normalization_params;

/* output[i][c] = input[i][c] * factor[c] + offset[c]; output may be input. */
TH_KERNEL void th_batch_normalization_f32(const th_batch_normalization_params *p, const float *input,
                                          const float *factor, const float *offset, float *output)
{
    for (int32_t i = 0; i < p->pixels; i++) {
        for (int32_t c = 0; c < p->channels; c++) {
            *output++ = *input++ * factor[c] + offset[c];
        }
    }
}

#endif
