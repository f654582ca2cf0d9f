/*
 * GRU over a sequence from a state of zeros, int8; bit-exact with gruIntegerStep.
 * input [steps][batch][inputs] or batch first, weights [3][units][inputs], bias [3][units] with the input's zero point in
 * it, recurrent [3][units][units] with its bias or NULL, for each product multipliers and shifts [3][units] or [1], table of
 * th_sigmoid_s16, scratch: 11 * units bytes, 12 where the reset gate comes before the product, output like input with units
 * in place of inputs or NULL, last_hidden [batch][units] or NULL. Gates lie in the order update, reset, hidden.
 */
#ifndef TH_TH_GRU_S8_H
#define TH_TH_GRU_S8_H

#include "th_recurrent_s8.h"

/* The buffers of a step: gates [2][units], candidate, past and hidden [units] of int16, narrow and scaled of int8. */
typedef struct {
    int16_t *gates, *candidate, *past, *hidden;
    int8_t *narrow, *scaled;
} th_gru_s8_state;

TH_INLINE th_gru_s8_state th_gru_s8_in(void *scratch, int32_t units)
{
    th_gru_s8_state s;
    s.gates = (int16_t *)scratch;
    s.candidate = s.gates + 2 * units;
    s.past = s.candidate + units;
    s.hidden = s.past + units;
    s.narrow = (int8_t *)(s.hidden + units);
    s.scaled = s.narrow + units;
    return s;
}

/* Update and reset gate, 15 bits after the point, from the sums of both products. */
TH_INLINE void th_gru_s8_activate(const th_recurrent_s8_params *p, const int16_t *table, int16_t *gates,
                                  const int16_t *past)
{
    const th_sigmoid_s16_params scale = {2 * p->units, 3, 0};
    for (int32_t i = 0; i < 2 * p->units; i++) {
        const int32_t sum = th_recurrent_limited(p, gates[i] + past[i]);
        gates[i] = (int16_t)th_logistic_s16_value(&scale, table, sum);
    }
}

/* One step of one sequence. */
TH_INLINE void th_gru_s8_step(const th_recurrent_s8_params *p, const int8_t *x, const th_recurrent_product *given,
                              const th_recurrent_product *back, const int16_t *table, const th_gru_s8_state *s,
                              th_recurrent_dots *dots)
{
    const th_sigmoid_s16_params scale = {p->units, 3, 0};
    const int32_t units = p->units;
    const int16_t *const reset = s->gates + units;
    const int8_t *before = s->narrow;
    th_recurrent_rows(given, 0, 2 * units, x, s->gates, dots);
    /* Candidate and past are not used yet, and follow each other. */
    th_recurrent_rows(back, 0, 2 * units, s->narrow, s->candidate, dots);
    th_gru_s8_activate(p, table, s->gates, s->candidate);
    if (!p->linear_before_reset) {
        for (int32_t u = 0; u < units; u++) {
            s->scaled[u] = (int8_t)th_min((s->hidden[u] * reset[u] + (1 << 22)) >> 23, 127);
        }
        before = s->scaled;
    }
    th_recurrent_rows(given, 2 * units, units, x, s->candidate, dots);
    th_recurrent_rows(back, 2 * units, units, before, s->past, dots);
    for (int32_t u = 0; u < units; u++) {
        const int32_t past = p->linear_before_reset ? (s->past[u] * reset[u] + (1 << 14)) >> 15 : s->past[u];
        const int32_t sum = th_recurrent_limited(p, s->candidate[u] + past);
        const int32_t candidate = th_tanh_s16_value(&scale, table, sum);
        const int32_t kept = (s->gates[u] * (s->hidden[u] - candidate) + (1 << 14)) >> 15;
        s->hidden[u] = (int16_t)(candidate + kept);
    }
    th_recurrent_narrow(s->hidden, units, s->narrow);
}

TH_INLINE void th_gru_s8_all(const th_recurrent_s8_params *p, const int8_t *input, const th_recurrent_product *given,
                             const th_recurrent_product *back, const int16_t *table, void *scratch, int8_t *output,
                             int8_t *last_hidden, th_recurrent_dots *dots)
{
    const int32_t units = p->units;
    const th_gru_s8_state state = th_gru_s8_in(scratch, units);
    for (int32_t n = 0; n < p->batch; n++) {
        memset(state.hidden, 0, (size_t)units * sizeof(int16_t));
        memset(state.narrow, 0, (size_t)units);
        for (int32_t k = 0; k < p->steps; k++) {
            const int32_t vector = th_recurrent_s8_vector(p, k, n);
            th_gru_s8_step(p, input + vector * p->inputs, given, back, table, &state, dots);
            th_recurrent_s8_put(state.narrow, units, vector, output);
        }
        th_recurrent_s8_put(state.narrow, units, n, last_hidden);
    }
}

#define TH_GRU_S8_DEFINE(name, dots)                                                                                   \
    TH_KERNEL void name(const th_recurrent_s8_params *p, const int8_t *input, const int8_t *weights,                   \
                        const int32_t *bias, const int32_t *multipliers, const int8_t *shifts,                         \
                        const int8_t *recurrent, const int32_t *recurrent_bias, const int32_t *recurrent_multipliers,  \
                        const int8_t *recurrent_shifts, const int16_t *table, void *scratch, int8_t *output,           \
                        int8_t *last_hidden)                                                                           \
    {                                                                                                                  \
        const th_recurrent_product given = {weights, bias, multipliers, shifts, p->input_step, p->inputs};             \
        const th_recurrent_product back = {                                                                            \
            recurrent, recurrent_bias, recurrent_multipliers, recurrent_shifts, p->recurrent_step, p->units};          \
        th_gru_s8_all(p, input, &given, &back, table, scratch, output, last_hidden, dots);                             \
    }

#endif
