/*
 * Depthwise convolution with a 3x3 kernel, int8 activations and weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. Four or more channels, multiplier 1, stride 1 or 2 along the row; |sum| < 2^30, right shifts
 * from 1 to 22.
 *
 * Four channels of a block of the output row are made at a time. Each column of the three input rows is widened once into
 * scratch, less its zero point, with zeros for padding: for each channel a word of the first and the second row, then two
 * words of the third row, of channels 0 and 2, and 1 and 3. An output multiplies three columns with weights in the same
 * order: 24 instructions of 36 for 36 products.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_DSP_3X3_H
#define TH_DEPTHWISE_CONV2D_S8_DSP_3X3_H

#include "depthwise_conv2d_params.h"
#include "th_depthwise_3x3.h"
#include "th_limit_s8.h"

typedef struct {
    th_depthwise_conv2d_params p;
    int32_t block; /* outputs of a row in a block */
    int32_t add;   /* of the linear finish */
} th_depthwise_conv2d_dsp_3x3_params;

/*
 * Leaves out what weights of rows outside the image count. `rows` are the window's.
 */
TH_INLINE void th_depthwise_mask(const void *const *rows, th_depthwise_four *four)
{
    const uint32_t mask = (rows[0] ? 0xffffu : 0u) | (rows[1] ? 0xffff0000u : 0u);
    for (int32_t kx = 0; kx < 3; kx++) {
        uint32_t *taps = four->taps[kx];
        for (int32_t i = 0; i < 6; i++) {
            taps[i] &= i < 4 ? mask : rows[2] ? 0xffffffffu : 0u;
        }
    }
}

/* What differs between strides and finishes. */
typedef struct {
    void (*prepare)(th_depthwise_four *four, const int8_t *weights, const int32_t *biases, const int32_t *multipliers,
                    const th_depthwise_more *more);
    void (*compute)(const uint32_t *columns, const th_depthwise_four *four, const th_depthwise_outputs *to);
    int32_t four_words; /* of the scratch */
    int32_t group;      /* bytes of the weights of four channels */
    int32_t is_masked;  /* by what prepares the weights */
} th_depthwise_3x3_form;

TH_INLINE void th_depthwise_3x3(const th_depthwise_conv2d_dsp_3x3_params *params, const void *const *rows,
                                const int8_t *weights, const int32_t *biases, const int32_t *multipliers,
                                const int8_t *rights, void *scratch, int8_t *output, const th_depthwise_3x3_form *form)
{
    const th_depthwise_conv2d_params *p = &params->p;
    th_depthwise_four *const four = (th_depthwise_four *)scratch;
    uint32_t *const columns = (uint32_t *)scratch + form->four_words;
    const int32_t has_blank = !form->is_masked && (!rows[0] || !rows[1] || !rows[2]);
    const void *const present = rows[0] ? rows[0] : rows[1] ? rows[1] : rows[2];
    th_depthwise_source from;
    from.step = p->in_step;
    from.offset = (uint32_t)(-p->in_zero & 0xffff) * UINT32_C(0x10001);
    th_depthwise_outputs to;
    to.step = p->out_step;
    to.add = params->add;
    th_depthwise_more more;
    more.zero2 = 2 * p->out_zero + 1;
    more.mask = (rows[0] ? 0xff00u : 0u) | (rows[1] ? 0xff000000u : 0u);
    more.third_mask = rows[2] ? 0xff00ff00u : 0u;
    for (int32_t ox = 0; ox < p->out_w; ox += params->block) {
        const int32_t outputs = th_min(params->block, p->out_w - ox);
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const int32_t width = (outputs - 1) * p->stride_w + 3;
        const int32_t first = th_max(-x0, 0);
        const int32_t end = present ? th_min(width, p->in_w - x0) : 0;
        if (first > 0 || end < width) {
            memset(columns, 0, (size_t)width * 6 * sizeof(uint32_t));
        }
        from.end_x = (end - first) * p->in_step;
        for (int32_t ky = 0; ky < 3 && end > first; ky++) {
            from.rows[ky] = (const int8_t *)(rows[ky] ? rows[ky] : present) + (x0 + first) * p->in_step;
        }
        const int8_t *own = weights;
        to.output = output;
        to.end = output + outputs * p->out_step;
        for (int32_t c = 0; c < p->in_c; c += 4, own += form->group) {
            /* The last four channels may be some of the four before. */
            const int32_t step = c > 0 ? th_min(4, p->in_c - c) : 0;
            to.output += step;
            to.end += step;
            if (end > first) {
                from.rows[0] += step;
                from.rows[1] += step;
                from.rows[2] += step;
                th_depthwise_3x3_columns(&from, columns + 6 * first);
            }
            if (ox == 0 || p->in_c > 4) {
                const int32_t at = (int32_t)(to.output - output);
                more.rights = rights + at;
                form->prepare(four, own, biases + at, multipliers + at, &more);
                if (has_blank) {
                    th_depthwise_mask(rows, four);
                }
            }
            form->compute(columns, four, &to);
        }
        th_limit_s8(output, p->out_step, outputs, p->in_c, p->min, p->max);
        output += outputs * p->out_step;
    }
}

/*
 * Computes one output row: rows [3] of the window, each [in_w][in_c] or NULL outside the input, weights in groups of 36
 * (see th_depthwise_prepare), the last of the last four channels, twice the biases, multipliers and right shifts [out_c],
 * output [out_w][out_c]. scratch: what is prepared, then columns [block * stride + 3 - stride][6]. The name ends in the
 * stride.
 */
#define TH_DW3_DEFINE(stride)                                                                                          \
    TH_KERNEL void th_depthwise_conv2d_s8_dsp_3x3_##stride(                                                            \
        const th_depthwise_conv2d_dsp_3x3_params *params, const void *const *rows, const int8_t *weights,              \
        const int32_t *biases2, const int32_t *multipliers, const int8_t *rights, void *scratch, int8_t *output)       \
    {                                                                                                                  \
        static const th_depthwise_3x3_form form = {th_depthwise_prepare, th_depthwise_3x3_##stride, 34, 36, 0};            \
        th_depthwise_3x3(params, rows, weights, biases2, multipliers, rights, scratch, output, &form);                 \
    }
TH_DW3_DEFINE(1)
TH_DW3_DEFINE(2)

/* The same with the linear finish, whose biases and multipliers linear-finish.ts has found; it has no shifts. */
#define TH_DW3_DEFINE_LINEAR(stride)                                                                                   \
    TH_KERNEL void th_depthwise_conv2d_s8_dsp_3x3_##stride##_linear(                                                   \
        const th_depthwise_conv2d_dsp_3x3_params *params, const void *const *rows, const int8_t *weights,              \
        const int32_t *biases, const int32_t *multipliers, void *scratch, int8_t *output)                              \
    {                                                                                                                  \
        static const th_depthwise_3x3_form form = {th_depthwise_prepare_linear, th_depthwise_3x3_##stride##_linear,    \
                                                   26, 36, 1};                                                            \
        th_depthwise_3x3(params, rows, weights, biases, multipliers, weights, scratch, output, &form);                 \
    }
TH_DW3_DEFINE_LINEAR(1)
TH_DW3_DEFINE_LINEAR(2)

#endif
