/*
 * Products of recurrent layers, for a TH_TYPE (see th_name.h) that has defined th_recurrent_state (of inputs, and of the
 * state where it is multiplied), th_recurrent_wide (of sums and biases), th_recurrent_rescaled and th_recurrent_narrowed.
 */

/* A matrix [..][n] with what brings its products to 12 bits after the point; bias may be NULL. */
typedef struct {
    const int8_t *weights;
    const TH_NAME(th_recurrent_wide) *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t step, n;
} TH_NAME(th_recurrent_product);

/* Adds to two sums the products of n values with two rows of weights that follow each other. */
typedef void TH_NAME(th_recurrent_loop)(const TH_NAME(th_recurrent_state) *values, const int8_t *weights, int32_t n,
                                        TH_NAME(th_recurrent_wide) *sums);

TH_INLINE void TH_NAME(th_recurrent_dots)(const TH_NAME(th_recurrent_state) *values, const int8_t *weights, int32_t n,
                                          TH_NAME(th_recurrent_wide) *sums)
{
    TH_NAME(th_recurrent_wide) first = 0;
    TH_NAME(th_recurrent_wide) second = 0;
    for (int32_t i = 0; i < n; i++) {
        first += values[i] * weights[i];
        second += values[i] * weights[n + i];
    }
    sums[0] += first;
    sums[1] += second;
}

TH_INLINE int16_t TH_NAME(th_recurrent_sum)(const TH_NAME(th_recurrent_product) *m, int32_t row,
                                            TH_NAME(th_recurrent_wide) dot)
{
    const int32_t c = row * m->step;
    const TH_NAME(th_recurrent_wide) sum = dot + (m->bias ? m->bias[row] : 0);
    return (int16_t)th_clamp(TH_NAME(th_recurrent_rescaled)(sum, m->multipliers[c], m->shifts[c]), INT16_MIN,
                             INT16_MAX);
}

/* Rows [first, first + count) times the values, two at a time. */
TH_INLINE void TH_NAME(th_recurrent_rows)(const TH_NAME(th_recurrent_product) *m, int32_t first, int32_t count,
                                          const TH_NAME(th_recurrent_state) *values, int16_t *sums,
                                          TH_NAME(th_recurrent_loop) *dots)
{
    const int8_t *weights = m->weights + first * m->n;
    int32_t i = 0;
    for (; i + 2 <= count; i += 2) {
        TH_NAME(th_recurrent_wide) two[2] = {0, 0};
        dots(values, weights, m->n, two);
        weights += 2 * m->n;
        sums[i] = TH_NAME(th_recurrent_sum)(m, first + i, two[0]);
        sums[i + 1] = TH_NAME(th_recurrent_sum)(m, first + i + 1, two[1]);
    }
    if (i < count) {
        TH_NAME(th_recurrent_wide) dot = 0;
        for (int32_t k = 0; k < m->n; k++) {
            dot += values[k] * weights[k];
        }
        sums[i] = TH_NAME(th_recurrent_sum)(m, first + i, dot);
    }
}

/* The hidden state as products and outputs take it. */
TH_INLINE void TH_NAME(th_recurrent_narrow)(const int16_t *hidden, int32_t units, TH_NAME(th_recurrent_state) *narrow)
{
    for (int32_t u = 0; u < units; u++) {
        narrow[u] = TH_NAME(th_recurrent_narrowed)(hidden[u]);
    }
}

TH_INLINE void TH_NAME(th_recurrent_put)(const TH_NAME(th_recurrent_state) *state, int32_t units, int32_t vector,
                                         TH_NAME(th_recurrent_state) *output)
{
    if (output) {
        memcpy(output + vector * units, state, (size_t)units * sizeof(*state));
    }
}
