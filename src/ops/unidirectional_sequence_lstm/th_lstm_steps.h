/*
 * What kernels of an LSTM over a sequence share, for a TH_TYPE (see th_name.h) of activations and hidden state, s8 or s16,
 * that has defined th_lstm_value and th_lstm_bias; the cell state is int16, its scale a power of two. Bit-exact with
 * lstmReference.
 * input [batch][steps][inputs] or [steps][batch][inputs], weights [4][units][inputs], recurrent [4][units][units],
 * bias [4][units], table of th_sigmoid_s16, hidden and cell [batch][units], gates: scratch of 4 * units elements,
 * output like input with units in place of inputs.
 */

/* The four gates of one vector before their activations, each with 12 bits after the point. */
typedef void TH_NAME(th_lstm_gates_of)(const th_lstm_params *p, const TH_NAME(th_lstm_value) *input,
                                       const int8_t *weights, const int8_t *recurrent,
                                       const TH_NAME(th_lstm_bias) *bias, const TH_NAME(th_lstm_value) *hidden,
                                       int16_t *gates);

/* The states of one sequence after a step, from its gates, which may be changed. */
typedef void TH_NAME(th_lstm_states_of)(const th_lstm_params *p, const int16_t *table, int16_t *gates,
                                        TH_NAME(th_lstm_value) *hidden, int16_t *cell);

TH_INLINE void TH_NAME(th_lstm_states)(const th_lstm_params *p, const int16_t *table, int16_t *gates,
                                       TH_NAME(th_lstm_value) *hidden, int16_t *cell)
{
    const th_sigmoid_s16_params gate_scale = {p->units, 3, 0};
    const th_sigmoid_s16_params cell_scale = {p->units, p->tanh_multiplier, p->tanh_shift};
    int16_t *const forget = gates + p->units;
    int16_t *const candidate = forget + p->units;
    int16_t *const out = candidate + p->units;
    th_logistic_s16(&gate_scale, gates, table, gates);
    th_logistic_s16(&gate_scale, forget, table, forget);
    th_tanh_s16(&gate_scale, candidate, table, candidate);
    th_logistic_s16(&gate_scale, out, table, out);
    for (int32_t u = 0; u < p->units; u++) {
        const int32_t kept = th_requantize(forget[u] * cell[u], p->forget_multiplier, p->forget_shift);
        const int32_t added = th_requantize(gates[u] * candidate[u], p->update_multiplier, p->update_shift);
        int32_t sum = th_lstm_clamp16(th_lstm_clamp16(kept) + th_lstm_clamp16(added));
        if (p->cell_clip > 0) {
            sum = th_clamp(sum, -p->cell_clip, p->cell_clip);
        }
        cell[u] = (int16_t)sum;
    }
    th_tanh_s16(&cell_scale, cell, table, candidate);
    for (int32_t u = 0; u < p->units; u++) {
        const int32_t value = th_requantize(candidate[u] * out[u], p->hidden_multiplier, p->hidden_shift);
        hidden[u] = (TH_NAME(th_lstm_value))th_clamp(value + p->hidden_zero, p->min, p->max);
    }
}

TH_INLINE void TH_NAME(th_lstm_sequences)(const th_lstm_params *p, const TH_NAME(th_lstm_value) *input,
                                          const int8_t *weights, const int8_t *recurrent,
                                          const TH_NAME(th_lstm_bias) *bias, const int16_t *table,
                                          TH_NAME(th_lstm_value) *hidden, int16_t *cell, void *scratch,
                                          TH_NAME(th_lstm_value) *output, TH_NAME(th_lstm_gates_of) *gates_of,
                                          TH_NAME(th_lstm_states_of) *states_of)
{
    int16_t *const gates = (int16_t *)scratch;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t step = 0; step < p->steps; step++) {
            const int32_t vector = n * p->batch_stride + step * p->step_stride;
            gates_of(p, input + vector * p->inputs, weights, recurrent, bias, hidden, gates);
            states_of(p, table, gates, hidden, cell);
            memcpy(output + vector * p->units, hidden, (size_t)p->units * sizeof(*output));
        }
        hidden += p->units;
        cell += p->units;
    }
}
