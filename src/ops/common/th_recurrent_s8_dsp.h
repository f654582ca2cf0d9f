/*
 * Products of recurrent layers of int8 for cores with the DSP instructions, four rows at a time. Weights are the streams of
 * th_quads_s8.h, biases in them, each gate filled up with rows of zeros to a multiple of four.
 */
#ifndef TH_RECURRENT_S8_DSP_H
#define TH_RECURRENT_S8_DSP_H

#include "th_quads_s8.h"
#include "th_recurrent_s8.h"

TH_INLINE void th_recurrent_rows_s8_dsp(const th_recurrent_product_s8 *m, int32_t first, int32_t count,
                                        const int8_t *values, int16_t *sums)
{
    const int32_t before = (m->n - 1) & ~3;
    const int32_t words = before + 4 + TH_QUADS_REST;
    const int32_t groups = (m->units + 3) >> 2;
    int32_t twice[4]; /* the sums of rows 0, 2, 1, 3 */
    th_quads_block b;
    memset(&b, 0, sizeof b);
    b.end = (const int32_t *)(const void *)m->weights + first / m->units * groups * words;
    b.input = values;
    b.step_bytes = before * 4;
    b.last = th_quads_last(values + before, m->n - before);
    b.sums = twice;
    for (int32_t gate = 0; gate < count; gate += m->units) {
        for (int32_t u = 0; u < m->units; u += 4) {
            b.stream = b.end;
            b.end += words;
            th_quads_s8(&b);
            for (int32_t i = 0; i < th_min(4, m->units - u); i++) {
                const int32_t sum = twice[(i & 1) * 2 + (i >> 1)] >> 1;
                sums[gate + u + i] = th_recurrent_sum_s8(m, first + gate + u + i, sum);
            }
        }
    }
}

#define TH_RECURRENT_DEFINE_DSP(name, all)                                                                             \
    TH_KERNEL void name(const th_recurrent_int_params *p, const int8_t *input, const int32_t *stream,                  \
                        const int32_t *multipliers, const int8_t *shifts, const int32_t *recurrent,                    \
                        const int32_t *recurrent_multipliers, const int8_t *recurrent_shifts, const int16_t *table,    \
                        void *scratch, int8_t *output, int8_t *last_hidden)                                            \
    {                                                                                                                  \
        const th_recurrent_product_s8 given = {                                                                        \
            (const int8_t *)stream, 0, multipliers, shifts, p->input_step, p->inputs, p->units,                        \
        };                                                                                                             \
        const th_recurrent_product_s8 back = {                                                                         \
            (const int8_t *)recurrent, 0,        recurrent_multipliers, recurrent_shifts,                              \
            p->recurrent_step,         p->units, p->units,                                                             \
        };                                                                                                             \
        all(p, input, &given, &back, table, scratch, output, last_hidden, th_recurrent_rows_s8_dsp);                   \
    }

#endif
