/*
 * Depthwise convolution, int8 activations and weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. Four or more channels, multiplier 1, kernels of up to 16 rows, no dilation along the row;
 * |sum| < 2^30, right shifts from 1 to 22.
 *
 * Four channels of a block of the output row are made at a time. Each column of the input rows is widened once into scratch,
 * less its zero point, with zeros for padding: a word of two rows for each channel, pair of rows by pair. An output multiplies
 * its columns with weights in the same order: 6 instructions for the 8 products of a pair. Pairs of rows outside the image
 * are left out, up to two of them.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_DSP_COLUMNS_H
#define TH_DEPTHWISE_CONV2D_S8_DSP_COLUMNS_H

#include "depthwise_conv2d_params.h"
#include "th_depthwise_columns.h"
#include "th_limit_s8.h"

typedef struct {
    th_depthwise_conv2d_params p;
    int32_t block; /* outputs of a row in a block */
    int32_t add;   /* of the linear finish */
} th_depthwise_conv2d_dsp_columns_params;

/* What differs between numbers of pairs and finishes: functions for all pairs, for one pair less, and for two. */
typedef struct {
    uint32_t *(*weights)(uint32_t *to, const int8_t *weights, int32_t count);
    th_depthwise_columns_compute *compute[3];
    int32_t least;      /* pairs of the last function */
    int32_t is_linear;  /* the finish */
    int32_t pair_bytes; /* weights of four channels and two rows */
} th_depthwise_columns_form;

/* The pairs of rows that count: those with a row inside the image, and as many others as functions ask for. */
typedef struct {
    int32_t first, count;
} th_depthwise_row_pairs;

TH_INLINE th_depthwise_row_pairs th_depthwise_columns_pairs(const void *const *rows, int32_t k_h, int32_t least)
{
    th_depthwise_row_pairs pairs;
    int32_t end = (k_h + 1) >> 1;
    pairs.first = 0;
    while (end > least && !rows[2 * end - 2] && !rows[th_min(2 * end - 1, k_h - 1)]) {
        end--;
    }
    while (end - pairs.first > least && !rows[2 * pairs.first] && !rows[2 * pairs.first + 1]) {
        pairs.first++;
    }
    pairs.count = end - pairs.first;
    return pairs;
}

/* Prepares the weights of four channels, and how they are finished. */
TH_INLINE void th_depthwise_columns_prepare(const th_depthwise_conv2d_params *p, const void *const *rows,
                                            th_depthwise_row_pairs pairs, const int8_t *weights, const int32_t *biases,
                                            const int32_t *multipliers, const int8_t *rights, uint32_t *prepared,
                                            const th_depthwise_columns_form *form)
{
    const int32_t all = (p->k_h + 1) >> 1;
    const int32_t is_all = pairs.count == all;
    const int32_t calls = is_all ? 1 : p->k_w;
    const int32_t count = is_all ? all * p->k_w : pairs.count;
    uint32_t *const taps = prepared + 4;
    uint32_t *end = taps;
    memcpy(prepared, biases, 4 * sizeof(int32_t));
    weights += form->pair_bytes * pairs.first;
    for (int32_t i = 0; i < calls; i++, weights += form->pair_bytes * all) {
        end = form->weights(end, weights, count);
    }
    if (!rows[0] || !rows[p->k_h - 1]) {
        for (int32_t i = 0; i < pairs.count; i++) {
            /* The second row of an odd kernel's last pair has no weights. */
            const int32_t first = 2 * (pairs.first + i);
            const int32_t second = th_min(first + 1, p->k_h - 1);
            const uint32_t mask = (rows[first] ? 0xffffu : 0u) | (rows[second] ? 0xffff0000u : 0u);
            if (mask != 0xffffffffu) {
                for (uint32_t *at = taps + 4 * i; at < end; at += 4 * pairs.count) {
                    at[0] &= mask;
                    at[1] &= mask;
                    at[2] &= mask;
                    at[3] &= mask;
                }
            }
        }
    }
    if (form->is_linear) {
        memcpy(end, multipliers, 4 * sizeof(int32_t));
        return;
    }
    th_depthwise_columns_finish *f = (th_depthwise_columns_finish *)(void *)end;
    for (int32_t c = 0; c < 4; c++, f++) {
        const int32_t right = rights[c];
        f->multiplier = multipliers[c];
        f->add = (int32_t)((uint32_t)(2 * p->out_zero + 1) << (right - 1));
        f->right = right;
    }
}

/* One function for all forms: what differs is in the functions that it calls. */
TH_ROW void th_depthwise_columns_row(const th_depthwise_conv2d_dsp_columns_params *params, const void *const *rows,
                                     const int8_t *weights, const int32_t *biases, const int32_t *multipliers,
                                     const int8_t *rights, void *scratch, int8_t *output,
                                     const th_depthwise_columns_form *form)
{
    const th_depthwise_conv2d_params *p = &params->p;
    const int32_t all = (p->k_h + 1) >> 1;
    const th_depthwise_row_pairs pairs = th_depthwise_columns_pairs(rows, p->k_h, form->least);
    const int32_t tap_words = 4 * pairs.count * p->k_w;
    const int32_t finish_words = form->is_linear ? 4 : 12;
    uint32_t *const prepared = (uint32_t *)scratch;
    uint32_t *const columns = prepared + 4 + tap_words + finish_words;
    th_depthwise_rows from;
    from.step = p->in_step;
    from.offset = (uint32_t)(-p->in_zero & 0xffff) * UINT32_C(0x10001);
    from.to_step = 16 * pairs.count;
    th_depthwise_columns_outputs to;
    to.step = p->out_step;
    to.back = 4 * tap_words - p->stride_w * from.to_step;
    to.taps_end = prepared + 4 + tap_words;
    to.prepared_bytes = 4 * (4 + tap_words + finish_words);
    to.add = params->add;
    for (int32_t ox = 0; ox < p->out_w; ox += params->block) {
        const int32_t outputs = th_min(params->block, p->out_w - ox);
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const int32_t width = (outputs - 1) * p->stride_w + p->k_w;
        const int32_t first = th_max(-x0, 0);
        const int32_t end = th_min(width, p->in_w - x0);
        /* Columns outside are zeros; pairs of rows outside are whatever, as their weights are zeros. */
        if (first > 0 || end < width) {
            memset(columns, 0, (size_t)(width * from.to_step));
        }
        from.end_x = (end - first) * p->in_step;
        const int8_t *own = weights;
        for (int32_t done = 0; done < p->in_c; done += 4, own += form->pair_bytes * all * p->k_w) {
            const int32_t c = th_min(done, p->in_c - 4);
            const int32_t offset = (x0 + first) * p->in_step + c;
            for (int32_t i = 0; i < pairs.count && end > first; i++) {
                const int32_t at = 2 * (pairs.first + i);
                const int8_t *row = (const int8_t *)rows[at];
                const int8_t *next = (const int8_t *)rows[th_min(at + 1, p->k_h - 1)];
                if (row || next) {
                    from.first = (row ? row : next) + offset;
                    from.second = (next ? next : row) + offset;
                    th_depthwise_columns_widen(&from, columns + (first * pairs.count + i) * 4);
                }
            }
            if (ox == 0 || p->in_c > 4) {
                th_depthwise_columns_prepare(p, rows, pairs, own, biases + c, multipliers + c, rights + c, prepared,
                                             form);
            }
            to.output = output + c;
            to.end = to.output + outputs * p->out_step;
            form->compute[all - pairs.count](columns, prepared, &to);
        }
        th_limit_s8(output, p->out_step, outputs, p->in_c, p->min, p->max);
        output += outputs * p->out_step;
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input; weights in groups of four
 * channels, the last of the last four: for each column of the kernel and two of its rows (zeros after an odd last) channels
 * 0 and 1 of both, then channels 2 and 3; twice the biases, multipliers and right shifts [out_c], output [out_w][out_c]. The
 * name ends in the pairs of rows; `less` and `least` are one and two less, but not none. With the linear finish, whose biases
 * and multipliers linear-finish.ts has found, there are no shifts.
 */
#define TH_DWC_FORM(prepare, pair_bytes, pairs, less, least, linear, is_linear)                                        \
    static const th_depthwise_columns_form form = {prepare##linear,                                                    \
                                                   {th_depthwise_columns_##pairs##linear,                              \
                                                    th_depthwise_columns_##less##linear,                               \
                                                    th_depthwise_columns_##least##linear},                             \
                                                   least,                                                              \
                                                   is_linear,                                                          \
                                                   pair_bytes}
#define TH_DWC_DEFINE_OF(name, prepare, pair_bytes, pairs, less, least)                                                \
    TH_KERNEL void name##pairs(const th_depthwise_conv2d_dsp_columns_params *params, const void *const *rows,          \
                               const int8_t *weights, const int32_t *biases2, const int32_t *multipliers,              \
                               const int8_t *rights, void *scratch, int8_t *output)                                    \
    {                                                                                                                  \
        TH_DWC_FORM(prepare, pair_bytes, pairs, less, least, , 0);                                                     \
        th_depthwise_columns_row(params, rows, weights, biases2, multipliers, rights, scratch, output, &form);         \
    }                                                                                                                  \
    TH_KERNEL void name##pairs##_linear(const th_depthwise_conv2d_dsp_columns_params *params, const void *const *rows, \
                                        const int8_t *weights, const int32_t *biases, const int32_t *multipliers,      \
                                        void *scratch, int8_t *output)                                                 \
    {                                                                                                                  \
        TH_DWC_FORM(prepare, pair_bytes, pairs, less, least, _linear, 1);                                              \
        th_depthwise_columns_row(params, rows, weights, biases, multipliers, weights, scratch, output, &form);         \
    }
#define TH_DWC_DEFINE(pairs, less, least)                                                                              \
    TH_DWC_DEFINE_OF(th_depthwise_conv2d_s8_dsp_columns_, th_depthwise_columns_weights, 8, pairs, less, least)

TH_DWC_DEFINE(1, 1, 1)
TH_DWC_DEFINE(2, 1, 1)
TH_DWC_DEFINE(3, 2, 2)
TH_DWC_DEFINE(4, 3, 2)
TH_DWC_DEFINE(5, 4, 3)
TH_DWC_DEFINE(6, 5, 4)
TH_DWC_DEFINE(7, 6, 5)
TH_DWC_DEFINE(8, 7, 6)

#endif
