/*
 * What the recurrent layers of integers share. Sums have 12 bits after the point, gates and states 15; bit-exact with
 * recurrent-reference.ts.
 */
#ifndef TH_RECURRENT_INT_H
#define TH_RECURRENT_INT_H

#include "sigmoid_s16.h"
#include "th_base.h"
#include "th_fixedpoint.h"
#include "th_name.h"

typedef struct {
    int32_t steps, batch, inputs, units;
    int32_t batch_stride, step_stride;  /* of input and output, in vectors */
    int32_t reverse;                    /* 1: from the last step to the first */
    int32_t linear_before_reset;        /* GRU: the reset gate scales the recurrent sum, not the state */
    int32_t limit;                      /* of the magnitude of sums */
    int32_t input_step, recurrent_step; /* 0 where all rows of a product share one multiplier, else 1 */
} th_recurrent_int_params;

/* The sum that an activation takes. */
TH_INLINE int32_t th_recurrent_limited(const th_recurrent_int_params *p, int32_t sum)
{
    return th_clamp(sum, -p->limit, p->limit);
}

/* The vector of step `k` of sequence `n`. */
TH_INLINE int32_t th_recurrent_int_vector(const th_recurrent_int_params *p, int32_t k, int32_t n)
{
    return n * p->batch_stride + (p->reverse ? p->steps - 1 - k : k) * p->step_stride;
}

/* The kernel `name` of a layer: `all` goes through its sequences, of a type's states; `multiply` is its inner loop. */
#define TH_RECURRENT_DEFINE(name, all, multiply, state, wide, product)                                                 \
    TH_KERNEL void name(const th_recurrent_int_params *p, const state *input, const int8_t *weights, const wide *bias, \
                        const int32_t *multipliers, const int8_t *shifts, const int8_t *recurrent,                     \
                        const wide *recurrent_bias, const int32_t *recurrent_multipliers,                              \
                        const int8_t *recurrent_shifts, const int16_t *table, void *scratch, state *output,            \
                        state *last_hidden)                                                                            \
    {                                                                                                                  \
        const product given = {weights, bias, multipliers, shifts, p->input_step, p->inputs, p->units};                \
        const product back = {                                                                                         \
            recurrent,         recurrent_bias, recurrent_multipliers, recurrent_shifts,                                \
            p->recurrent_step, p->units,       p->units,                                                               \
        };                                                                                                             \
        all(p, input, &given, &back, table, scratch, output, last_hidden, multiply);                                   \
    }
#define TH_RECURRENT_DEFINE_S8(name, all, multiply)                                                                    \
    TH_RECURRENT_DEFINE(name, all, multiply, int8_t, int32_t, th_recurrent_product_s8)
#define TH_RECURRENT_DEFINE_S16(name, all, multiply)                                                                   \
    TH_RECURRENT_DEFINE(name, all, multiply, int16_t, int64_t, th_recurrent_product_s16)

#endif
