/* Features of a window of a time series, float results: see th_imu_features_row.h. */
#ifndef TH_IMU_FEATURES_F32_H
#define TH_IMU_FEATURES_F32_H

#define TH_TYPE f32
#define TH_IMU_RESULT float
#define TH_IMU_STATISTIC(p, value) \
    ((float)(value) * (p)->factor)
#define TH_IMU_LEVEL(p, value) \
    ((float)(value) * (p)->level_factor)
#include "th_imu_features_row.h"

#endif
