/*
 * GRU over a sequence from a state of zeros, for a TH_TYPE (see th_recurrent_rows.h); bit-exact with gruIntegerStep.
 * input [steps][batch][inputs] or batch first, weights [3][units][inputs], bias [3][units] with the input's zero point in
 * it, recurrent [3][units][units] with its bias or NULL, for each product multipliers and shifts [3][units] or [1], table of
 * th_sigmoid_s16, scratch: 10 * units bytes and units of the type, twice where the reset gate comes before the product,
 * output like input with units in place of inputs or NULL, last_hidden [batch][units] or NULL. Gates lie in the order
 * update, reset, hidden.
 */

/* The buffers of a step: gates [2][units], candidate, past and hidden [units] of int16, narrow and scaled of the type. */
typedef struct {
    int16_t *gates, *candidate, *past, *hidden;
    TH_NAME(th_recurrent_state) *narrow, *scaled;
} TH_NAME(th_gru_state);

TH_INLINE TH_NAME(th_gru_state) TH_NAME(th_gru_in)(void *scratch, int32_t units)
{
    TH_NAME(th_gru_state) s;
    s.gates = (int16_t *)scratch;
    s.candidate = s.gates + 2 * units;
    s.past = s.candidate + units;
    s.hidden = s.past + units;
    s.narrow = (TH_NAME(th_recurrent_state) *)(s.hidden + units);
    s.scaled = s.narrow + units;
    return s;
}

/* Update and reset gate, 15 bits after the point, from the sums of both products. */
TH_INLINE void TH_NAME(th_gru_activate)(const th_recurrent_int_params *p, const int16_t *table, int16_t *gates,
                                        const int16_t *past)
{
    const th_sigmoid_s16_params scale = {2 * p->units, 3, 0};
    for (int32_t i = 0; i < 2 * p->units; i++) {
        const int32_t sum = th_recurrent_limited(p, gates[i] + past[i]);
        gates[i] = (int16_t)th_logistic_s16_value(&scale, table, sum);
    }
}

/* One step of one sequence. */
TH_INLINE void TH_NAME(th_gru_step)(const th_recurrent_int_params *p, const TH_NAME(th_recurrent_state) *x,
                                    const TH_NAME(th_recurrent_product) *given,
                                    const TH_NAME(th_recurrent_product) *back, const int16_t *table,
                                    const TH_NAME(th_gru_state) *s, TH_NAME(th_recurrent_multiply) *multiply)
{
    const th_sigmoid_s16_params scale = {p->units, 3, 0};
    const int32_t units = p->units;
    const int16_t *const reset = s->gates + units;
    const TH_NAME(th_recurrent_state) *before = s->narrow;
    multiply(given, 0, 2 * units, x, s->gates);
    /* Candidate and past are not used yet, and follow each other. */
    multiply(back, 0, 2 * units, s->narrow, s->candidate);
    TH_NAME(th_gru_activate)(p, table, s->gates, s->candidate);
    if (!p->linear_before_reset) {
        for (int32_t u = 0; u < units; u++) {
            s->scaled[u] = TH_NAME(th_recurrent_scaled)(s->hidden[u], reset[u]);
        }
        before = s->scaled;
    }
    multiply(given, 2 * units, units, x, s->candidate);
    multiply(back, 2 * units, units, before, s->past);
    for (int32_t u = 0; u < units; u++) {
        const int32_t past = p->linear_before_reset ? (s->past[u] * reset[u] + (1 << 14)) >> 15 : s->past[u];
        const int32_t sum = th_recurrent_limited(p, s->candidate[u] + past);
        const int32_t candidate = th_tanh_s16_value(&scale, table, sum);
        const int32_t kept = (s->gates[u] * (s->hidden[u] - candidate) + (1 << 14)) >> 15;
        s->hidden[u] = (int16_t)(candidate + kept);
    }
    TH_NAME(th_recurrent_narrow)(s->hidden, units, s->narrow);
}

TH_INLINE void TH_NAME(th_gru_all)(const th_recurrent_int_params *p, const TH_NAME(th_recurrent_state) *input,
                                   const TH_NAME(th_recurrent_product) *given,
                                   const TH_NAME(th_recurrent_product) *back, const int16_t *table, void *scratch,
                                   TH_NAME(th_recurrent_state) *output, TH_NAME(th_recurrent_state) *last_hidden,
                                   TH_NAME(th_recurrent_multiply) *multiply)
{
    const int32_t units = p->units;
    const TH_NAME(th_gru_state) state = TH_NAME(th_gru_in)(scratch, units);
    for (int32_t n = 0; n < p->batch; n++) {
        memset(state.hidden, 0, (size_t)units * sizeof(int16_t));
        memset(state.narrow, 0, (size_t)units * sizeof(*state.narrow));
        for (int32_t k = 0; k < p->steps; k++) {
            const int32_t vector = th_recurrent_int_vector(p, k, n);
            TH_NAME(th_gru_step)(p, input + vector * p->inputs, given, back, table, &state, multiply);
            TH_NAME(th_recurrent_put)(state.narrow, units, vector, output);
        }
        TH_NAME(th_recurrent_put)(state.narrow, units, n, last_hidden);
    }
}
