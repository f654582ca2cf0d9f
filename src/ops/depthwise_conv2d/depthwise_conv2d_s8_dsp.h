/*
 * Depthwise convolution, int8 activations and weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. Stride 1 or 2 along the row, dilation 1 there; |sum| < 2^30, right shifts from 1 to 22.
 *
 * A block of the output row is made at a time. Its inputs, less their zero point and with zeros for padding, are put into
 * scratch as `planes`: words of two neighbours in a row of one channel, four channels side by side or one alone, so that a
 * word times a word of weights is two products of one sum. Then the output channels of those four are computed one after another, each
 * with its weights widened beside the planes, four outputs at a time.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_DSP_H
#define TH_DEPTHWISE_CONV2D_S8_DSP_H

#include "th_depthwise_groups.h"
#include "th_depthwise_planes.h"
#include "th_rows.h"

typedef struct {
    th_depthwise_conv2d_params p;
    int32_t block;       /* outputs of a row in a block, a multiple of four */
    int32_t plane_words; /* of the scratch, for the planes */
} th_depthwise_conv2d_dsp_params;

/* What a kernel is made of: how far an output reaches, and the functions for four outputs and for two. */
typedef struct {
    int32_t stride, steps, lanes; /* lanes: words from two neighbours to the next */
    th_depthwise_group *four, *two;
} th_depthwise_form;

/* All outputs of one channel in a block. */
TH_INLINE void th_depthwise_channel(const th_depthwise_form *form, th_depthwise_run *run, const int32_t *data,
                                    const int32_t *weights, int32_t outputs, int32_t pair, int8_t *output)
{
    const int32_t out_step = run->out_step;
    const int32_t fours = outputs >> 2;
    if (fours > 0) {
        run->count = fours;
        form->four(data, weights, output, run);
        data += fours * 2 * form->stride * pair;
        output += fours * 4 * out_step;
    }
    if (outputs & 2) {
        run->count = 1;
        form->two(data, weights, output, run);
        data += form->stride * pair;
        output += 2 * out_step;
    }
    if (outputs & 1) {
        run->count = 1;
        run->out_step = 0;
        form->two(data, weights, output, run);
        run->out_step = out_step;
    }
}

TH_KERNEL void th_depthwise_dsp(const th_depthwise_conv2d_dsp_params *params, const void *const *rows,
                                const int8_t *weights, const int32_t *biases2, const int32_t *multipliers,
                                const int8_t *rights, void *scratch, int8_t *output, const th_depthwise_form *form)
{
    const th_depthwise_conv2d_params *p = &params->p;
    int32_t *const planes_start = (int32_t *)scratch;
    int32_t *const words = planes_start + params->plane_words;
    const int32_t out_c = p->in_c * p->multiplier;
    th_taps inside = th_rows_inside(rows, p->k_h);
    const int32_t has_blank = inside.first == inside.end;
    if (has_blank) {
        inside.first = 0;
        inside.end = 1;
    }
    const int32_t count = inside.end - inside.first;
    th_depthwise_run run;
    run.out_step = p->out_step;
    run.rows = count;
    run.weight_bytes = count * form->steps * (form->stride == 1 ? 8 : 4);
    for (int32_t ox = 0; ox < p->out_w; ox += params->block) {
        const int32_t outputs = th_min(params->block, p->out_w - ox);
        th_depthwise_planes planes;
        planes.x0 = ox * form->stride - p->pad_left;
        planes.pairs = ((outputs - 1) * form->stride + p->k_w + 1) >> 1;
        planes.pair = form->lanes;
        planes.row = form->lanes * planes.pairs;
        run.row_bytes = planes.row * 4;
        if (planes.x0 < 0 || planes.x0 + 2 * planes.pairs > p->in_w || has_blank) {
            memset(planes_start, 0, (size_t)(planes.row * count) * sizeof(int32_t));
        }
        int32_t done = 0;
        while (done < p->in_c) {
            const int32_t lanes = th_min(p->in_c, th_depthwise_lanes);
            const int32_t ic = th_min(done, p->in_c - lanes);
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                if (rows[ky]) {
                    th_depthwise_fill(p, &planes, (const int8_t *)rows[ky] + ic, lanes,
                                      planes_start + (ky - inside.first) * planes.row);
                }
            }
            for (; done < ic + lanes; done++) {
                for (int32_t m = 0; m < p->multiplier; m++) {
                    const int32_t oc = done * p->multiplier + m;
                    const int8_t *own = weights + (oc * p->k_h + inside.first) * p->k_w;
                    if (form->stride == 1) {
                        th_depthwise_widen_1(own, count, p->k_w, form->steps, words);
                    } else {
                        th_depthwise_widen_2(own, count, p->k_w, form->steps, words);
                    }
                    const int32_t right = rights[oc];
                    run.bias2 = biases2[oc];
                    run.multiplier = multipliers[oc];
                    run.add = (int32_t)((uint32_t)(2 * p->out_zero + 1) << (right - 1));
                    run.right = right;
                    th_depthwise_channel(form, &run, planes_start + done - ic, words, outputs, planes.pair,
                                         output + oc);
                }
            }
        }
        if (p->min > INT8_MIN || p->max < INT8_MAX) {
            for (int32_t i = 0; i < outputs; i++) {
                for (int32_t c = 0; c < out_c; c++) {
                    output[i * p->out_step + c] = (int8_t)th_clamp(output[i * p->out_step + c], p->min, p->max);
                }
            }
        }
        output += outputs * p->out_step;
    }
}

/* Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input, weights [out_c][k_h][k_w]
 * and three bytes more, twice the biases, multipliers and right shifts [out_c], output [out_w][out_c]. */
#define TH_DW_DEFINE(stride, steps, lanes)                                                                             \
    TH_DW_DEFINE_GROUPS(stride, steps, lanes)                                                                          \
    TH_KERNEL void th_depthwise_conv2d_s8_dsp_##stride##_##steps##_##lanes(                                            \
        const th_depthwise_conv2d_dsp_params *params, const void *const *rows, const int8_t *weights,                  \
        const int32_t *biases2, const int32_t *multipliers, const int8_t *rights, void *scratch, int8_t *output)       \
    {                                                                                                                  \
        static const th_depthwise_form form = {stride, steps, lanes, th_depthwise_four_##stride##_##steps##_##lanes,   \
                                               th_depthwise_two_##stride##_##steps##_##lanes};                         \
        th_depthwise_dsp(params, rows, weights, biases2, multipliers, rights, scratch, output, &form);                 \
    }

TH_DW_DEFINE(1, 1, 1)
TH_DW_DEFINE(1, 1, 4)
TH_DW_DEFINE(1, 2, 1)
TH_DW_DEFINE(1, 2, 4)
TH_DW_DEFINE(1, 3, 1)
TH_DW_DEFINE(1, 3, 4)
TH_DW_DEFINE(1, 4, 1)
TH_DW_DEFINE(1, 4, 4)
TH_DW_DEFINE(1, 5, 1)
TH_DW_DEFINE(1, 5, 4)
TH_DW_DEFINE(1, 6, 1)
TH_DW_DEFINE(1, 6, 4)
TH_DW_DEFINE(2, 1, 1)
TH_DW_DEFINE(2, 1, 4)
TH_DW_DEFINE(2, 2, 1)
TH_DW_DEFINE(2, 2, 4)
TH_DW_DEFINE(2, 3, 1)
TH_DW_DEFINE(2, 3, 4)
TH_DW_DEFINE(2, 4, 1)
TH_DW_DEFINE(2, 4, 4)
TH_DW_DEFINE(2, 5, 1)
TH_DW_DEFINE(2, 5, 4)
TH_DW_DEFINE(2, 6, 1)
TH_DW_DEFINE(2, 6, 4)

#endif
