/* A unit of the LSTM of th_lstm_from_zero_steps.h. */
#ifndef TH_LSTM_FROM_ZERO_UNIT_H
#define TH_LSTM_FROM_ZERO_UNIT_H

#include "th_recurrent_int.h"

/* New cell and state of a unit, whose sums lie `units` apart. */
TH_INLINE void th_lstm_from_zero_unit(const th_recurrent_int_params *p, const int16_t *table, const int16_t *sums,
                                      int16_t *hidden, int16_t *cell)
{
    const th_sigmoid_s16_params scale = {1, 3, 0};
    const th_sigmoid_s16_params cell_scale = {1, 6, 0};
    const int32_t units = p->units;
    const int32_t in = th_logistic_s16_value(&scale, table, sums[0]);
    const int32_t out = th_logistic_s16_value(&scale, table, sums[units]);
    const int32_t forget = th_logistic_s16_value(&scale, table, sums[2 * units]);
    const int32_t candidate = th_tanh_s16_value(&scale, table, sums[3 * units]);
    const int32_t kept = (forget * *cell + (1 << 14)) >> 15;
    const int32_t added = (in * candidate + (1 << 18)) >> 19;
    *cell = (int16_t)th_clamp(kept + added, INT16_MIN, INT16_MAX);
    *hidden = (int16_t)((out * th_tanh_s16_value(&cell_scale, table, *cell) + (1 << 14)) >> 15);
}

#endif
