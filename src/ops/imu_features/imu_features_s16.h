/* Features of a window of a time series, 16-bit results: see th_imu_features_row.h. */
#ifndef TH_IMU_FEATURES_S16_H
#define TH_IMU_FEATURES_S16_H

#define TH_TYPE s16
#define TH_IMU_RESULT int16_t
#define TH_IMU_STATISTIC(p, value) \
    (int16_t)th_clamp(th_requantize((value), (p)->multiplier, (p)->shift) + (p)->zero, (p)->min, (p)->max)
#define TH_IMU_LEVEL(p, value) \
    (int16_t)th_clamp(th_requantize((value), (p)->level_multiplier, (p)->level_shift) + (p)->zero, (p)->min, (p)->max)
#include "th_imu_features_row.h"

#endif
