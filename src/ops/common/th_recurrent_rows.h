/*
 * Products of recurrent layers, for a TH_TYPE (see th_name.h) that has defined th_recurrent_state (of inputs, and of the
 * state where it is multiplied), th_recurrent_wide (of sums and biases), th_recurrent_rescaled and th_recurrent_narrowed.
 */

/*
 * A matrix [gates][units][n] with what brings its products to 12 bits after the point; bias may be NULL. Kernels may have
 * it in another form, with the bias in it.
 */
typedef struct {
    const int8_t *weights;
    const TH_NAME(th_recurrent_wide) *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t step, n, units;
} TH_NAME(th_recurrent_product);

/* The products of `count` rows from `first` on, both whole gates, with a vector. */
typedef void TH_NAME(th_recurrent_multiply)(const TH_NAME(th_recurrent_product) *m, int32_t first, int32_t count,
                                            const TH_NAME(th_recurrent_state) *values, int16_t *sums);

TH_INLINE int16_t TH_NAME(th_recurrent_sum)(const TH_NAME(th_recurrent_product) *m, int32_t row,
                                            TH_NAME(th_recurrent_wide) sum)
{
    const int32_t c = row * m->step;
    return (int16_t)th_clamp(TH_NAME(th_recurrent_rescaled)(sum, m->multipliers[c], m->shifts[c]), INT16_MIN,
                             INT16_MAX);
}

/* In plain C, two rows at a time. */
TH_INLINE void TH_NAME(th_recurrent_rows)(const TH_NAME(th_recurrent_product) *m, int32_t first, int32_t count,
                                          const TH_NAME(th_recurrent_state) *values, int16_t *sums)
{
    const int8_t *weights = m->weights + first * m->n;
    for (int32_t i = 0; i < count; i += 2, weights += 2 * m->n) {
        /* A last row that is alone is computed twice. */
        const int8_t *others = weights + (i + 1 < count ? m->n : 0);
        TH_NAME(th_recurrent_wide) one = m->bias ? m->bias[first + i] : 0;
        TH_NAME(th_recurrent_wide) other = m->bias && i + 1 < count ? m->bias[first + i + 1] : 0;
        for (int32_t k = 0; k < m->n; k++) {
            one += values[k] * weights[k];
            other += values[k] * others[k];
        }
        sums[i] = TH_NAME(th_recurrent_sum)(m, first + i, one);
        if (i + 1 < count) {
            sums[i + 1] = TH_NAME(th_recurrent_sum)(m, first + i + 1, other);
        }
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
