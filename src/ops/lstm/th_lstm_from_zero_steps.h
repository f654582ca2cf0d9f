/*
 * LSTM over a sequence from states of zeros, for a TH_TYPE (see th_recurrent_rows.h); bit-exact with lstmIntegerStep.
 * input [steps][batch][inputs] or batch first, weights [4][units][inputs], bias [4][units] with the input's zero point in
 * it, recurrent [4][units][units] with its bias or NULL, for each product multipliers and shifts [4][units] or [1], table of
 * th_sigmoid_s16, scratch: 12 * units bytes and units of the type, output like input with units in place of inputs or
 * NULL, last_hidden [batch][units] or NULL. Gates lie in the order input, output, forget, cell.
 */

/* Both products of rows [first, first + units), added and limited. `past` holds a product meanwhile. */
TH_INLINE void TH_NAME(th_lstm_from_zero_sums)(const th_recurrent_int_params *p, int32_t first,
                                               const TH_NAME(th_recurrent_state) *x,
                                               const TH_NAME(th_recurrent_state) *narrow,
                                               const TH_NAME(th_recurrent_product) *given,
                                               const TH_NAME(th_recurrent_product) *back, int16_t *sums,
                                               int16_t *past, TH_NAME(th_recurrent_multiply) *multiply)
{
    multiply(given, first, p->units, x, sums);
    multiply(back, first, p->units, narrow, past);
    for (int32_t u = 0; u < p->units; u++) {
        sums[u] = (int16_t)th_recurrent_limited(p, sums[u] + past[u]);
    }
}

TH_INLINE void TH_NAME(th_lstm_from_zero_all)(const th_recurrent_int_params *p,
                                              const TH_NAME(th_recurrent_state) *input,
                                              const TH_NAME(th_recurrent_product) *given,
                                              const TH_NAME(th_recurrent_product) *back, const int16_t *table,
                                              void *scratch, TH_NAME(th_recurrent_state) *output,
                                              TH_NAME(th_recurrent_state) *last_hidden,
                                              TH_NAME(th_recurrent_multiply) *multiply)
{
    const int32_t units = p->units;
    int16_t *const sums = (int16_t *)scratch;
    int16_t *const cell = sums + 4 * units;
    int16_t *const hidden = cell + units;
    TH_NAME(th_recurrent_state) *const narrow = (TH_NAME(th_recurrent_state) *)(hidden + units);
    for (int32_t n = 0; n < p->batch; n++) {
        memset(cell, 0, (size_t)units * sizeof(int16_t));
        memset(narrow, 0, (size_t)units * sizeof(*narrow));
        for (int32_t k = 0; k < p->steps; k++) {
            const int32_t vector = th_recurrent_int_vector(p, k, n);
            for (int32_t gate = 0; gate < 4; gate++) {
                /* The state in 16 bits is not read before it is computed anew. */
                TH_NAME(th_lstm_from_zero_sums)(p, gate * units, input + vector * p->inputs, narrow, given, back,
                                                sums + gate * units, hidden, multiply);
            }
            for (int32_t u = 0; u < units; u++) {
                th_lstm_from_zero_unit(p, table, sums + u, hidden + u, cell + u);
            }
            TH_NAME(th_recurrent_narrow)(hidden, units, narrow);
            TH_NAME(th_recurrent_put)(narrow, units, vector, output);
        }
        TH_NAME(th_recurrent_put)(narrow, units, n, last_hidden);
    }
}
