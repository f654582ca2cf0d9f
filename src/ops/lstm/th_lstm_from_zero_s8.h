/*
 * LSTM over a sequence from states of zeros, int8; bit-exact with lstmIntegerStep.
 * input [steps][batch][inputs] or batch first, weights [4][units][inputs], bias [4][units] with the input's zero point in
 * it, recurrent [4][units][units] with its bias or NULL, for each product multipliers and shifts [4][units] or [1], table of
 * th_sigmoid_s16, scratch: 13 * units bytes, output like input with units in place of inputs or NULL,
 * last_hidden [batch][units] or NULL. Gates lie in the order input, output, forget, cell.
 */
#ifndef TH_TH_LSTM_FROM_ZERO_S8_H
#define TH_TH_LSTM_FROM_ZERO_S8_H

#include "th_recurrent_s8.h"

/* New cell and state of a unit, whose sums lie `units` apart. */
TH_INLINE void th_lstm_from_zero_s8_unit(const th_recurrent_s8_params *p, const int16_t *table, const int16_t *sums,
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

/* Both products of rows [first, first + units), added and limited. `past` holds a product meanwhile. */
TH_INLINE void th_lstm_from_zero_s8_sums(const th_recurrent_s8_params *p, int32_t first, const int8_t *x,
                                         const int8_t *narrow, const th_recurrent_product *given,
                                         const th_recurrent_product *back, int16_t *sums, int16_t *past,
                                         th_recurrent_dots *dots)
{
    th_recurrent_rows(given, first, p->units, x, sums, dots);
    th_recurrent_rows(back, first, p->units, narrow, past, dots);
    for (int32_t u = 0; u < p->units; u++) {
        sums[u] = (int16_t)th_recurrent_limited(p, sums[u] + past[u]);
    }
}

TH_INLINE void th_lstm_from_zero_s8_all(const th_recurrent_s8_params *p, const int8_t *input,
                                        const th_recurrent_product *given, const th_recurrent_product *back,
                                        const int16_t *table, void *scratch, int8_t *output, int8_t *last_hidden,
                                        th_recurrent_dots *dots)
{
    const int32_t units = p->units;
    int16_t *const sums = (int16_t *)scratch;
    int16_t *const cell = sums + 4 * units;
    int16_t *const hidden = cell + units;
    int8_t *const narrow = (int8_t *)(hidden + units);
    for (int32_t n = 0; n < p->batch; n++) {
        memset(cell, 0, (size_t)units * sizeof(int16_t));
        memset(narrow, 0, (size_t)units);
        for (int32_t k = 0; k < p->steps; k++) {
            const int32_t vector = th_recurrent_s8_vector(p, k, n);
            for (int32_t gate = 0; gate < 4; gate++) {
                /* The state in 16 bits is not read before it is computed anew. */
                th_lstm_from_zero_s8_sums(p, gate * units, input + vector * p->inputs, narrow, given, back,
                                          sums + gate * units, hidden, dots);
            }
            for (int32_t u = 0; u < units; u++) {
                th_lstm_from_zero_s8_unit(p, table, sums + u, hidden + u, cell + u);
            }
            th_recurrent_narrow(hidden, units, narrow);
            th_recurrent_s8_put(narrow, units, vector, output);
        }
        th_recurrent_s8_put(narrow, units, n, last_hidden);
    }
}

#define TH_LSTM_FROM_ZERO_S8_DEFINE(name, dots)                                                                        \
    TH_KERNEL void name(const th_recurrent_s8_params *p, const int8_t *input, const int8_t *weights,                   \
                        const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,                         \
                        const int8_t *recurrent, const int32_t *recurrent_bias, const int32_t *recurrent_multipliers,  \
                        const int8_t *recurrent_shifts, const int16_t *table, void *scratch, int8_t *output,           \
                        int8_t *last_hidden)                                                                           \
    {                                                                                                                  \
        const th_recurrent_product given = {weights, bias, multipliers, shifts, p->input_step, p->inputs};             \
        const th_recurrent_product back = {                                                                            \
            recurrent, recurrent_bias, recurrent_multipliers, recurrent_shifts, p->recurrent_step, p->units};          \
        th_lstm_from_zero_s8_all(p, input, &given, &back, table, scratch, output, last_hidden, dots);                  \
    }

#endif
