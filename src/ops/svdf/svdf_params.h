#ifndef TH_SVDF_PARAMS_H
#define TH_SVDF_PARAMS_H

#include "th_base.h"

/* Sizes in elements; `rank` filters make one unit. */
typedef struct {
    int32_t batch, inputs, units, rank, memory;
    int32_t in_zero, state_zero, out_zero;      /* zero points */
    int32_t feature_multiplier, feature_shift; /* to the state's scale */
    int32_t time_multiplier, time_shift;       /* to the output's scale */
} th_svdf_params;

typedef struct {
    int32_t batch, inputs, units, rank, memory;
    float min, max; /* of the activation */
} th_svdf_f32_params;

#endif
