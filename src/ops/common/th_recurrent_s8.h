/*
 * What the recurrent layers of int8 share. Sums have 12 bits after the point, gates and states 15 (see
 * recurrent-reference.ts, which they are bit-exact with).
 */
#ifndef TH_RECURRENT_S8_H
#define TH_RECURRENT_S8_H

#include "sigmoid_s16.h"
#include "th_base.h"
#include "th_fixedpoint.h"

typedef struct {
    int32_t steps, batch, inputs, units;
    int32_t batch_stride, step_stride;   /* of input and output, in vectors */
    int32_t reverse;                     /* 1: from the last step to the first */
    int32_t linear_before_reset;         /* GRU: the reset gate scales the recurrent sum, not the state */
    int32_t limit;                       /* of the magnitude of sums */
    int32_t input_step, recurrent_step;  /* 0 where all rows of a product share one multiplier, else 1 */
} th_recurrent_s8_params;

/* A matrix [..][n] with what brings its products to 12 bits after the point; bias may be NULL. */
typedef struct {
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t step, n;
} th_recurrent_product;

/* Adds to two sums the products of n values with two rows of weights that follow each other. */
typedef void th_recurrent_dots(const int8_t *values, const int8_t *weights, int32_t n, int32_t *sums);

TH_INLINE int32_t th_recurrent_sum(const th_recurrent_product *m, int32_t row, int32_t dot)
{
    const int32_t c = row * m->step;
    const int32_t sum = th_requantize(dot + (m->bias ? m->bias[row] : 0), m->multipliers[c], m->shifts[c]);
    return th_clamp(sum, INT16_MIN, INT16_MAX);
}

/* Rows [first, first + count) times the values, two at a time. */
TH_INLINE void th_recurrent_rows(const th_recurrent_product *m, int32_t first, int32_t count, const int8_t *values,
                                 int16_t *sums, th_recurrent_dots *dots)
{
    const int8_t *weights = m->weights + first * m->n;
    int32_t i = 0;
    for (; i + 2 <= count; i += 2) {
        int32_t two[2] = {0, 0};
        dots(values, weights, m->n, two);
        weights += 2 * m->n;
        sums[i] = (int16_t)th_recurrent_sum(m, first + i, two[0]);
        sums[i + 1] = (int16_t)th_recurrent_sum(m, first + i + 1, two[1]);
    }
    if (i < count) {
        int32_t dot = 0;
        for (int32_t k = 0; k < m->n; k++) {
            dot += values[k] * weights[k];
        }
        sums[i] = (int16_t)th_recurrent_sum(m, first + i, dot);
    }
}

/* The sum that an activation takes. */
TH_INLINE int32_t th_recurrent_limited(const th_recurrent_s8_params *p, int32_t sum)
{
    return th_clamp(sum, -p->limit, p->limit);
}

/* The vector of step `k` of sequence `n`. */
TH_INLINE int32_t th_recurrent_s8_vector(const th_recurrent_s8_params *p, int32_t k, int32_t n)
{
    return n * p->batch_stride + (p->reverse ? p->steps - 1 - k : k) * p->step_stride;
}

/* The hidden state as products and outputs take it: int8 of scale 1/128, rounded half up. */
TH_INLINE void th_recurrent_narrow(const int16_t *hidden, int32_t units, int8_t *narrow)
{
    for (int32_t u = 0; u < units; u++) {
        narrow[u] = (int8_t)th_min((hidden[u] + 128) >> 8, 127);
    }
}

TH_INLINE void th_recurrent_s8_put(const int8_t *state, int32_t units, int32_t vector, int8_t *output)
{
    if (output) {
        memcpy(output + vector * units, state, (size_t)units);
    }
}

TH_INLINE void th_recurrent_dots_s8(const int8_t *values, const int8_t *weights, int32_t n, int32_t *sums)
{
    int32_t first = 0;
    int32_t second = 0;
    for (int32_t i = 0; i < n; i++) {
        first += values[i] * weights[i];
        second += values[i] * weights[n + i];
    }
    sums[0] += first;
    sums[1] += second;
}

#endif
