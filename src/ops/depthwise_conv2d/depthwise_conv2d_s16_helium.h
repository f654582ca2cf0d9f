/*
 * Depthwise convolution with one output per channel, int16 activations, int8 weights, for Helium; bit-exact with
 * depthwiseConv2dReference. Eight channels of a pixel at a time, see th_depthwise_helium_s16.h.
 */
#ifndef TH_DEPTHWISE_CONV2D_S16_HELIUM_H
#define TH_DEPTHWISE_CONV2D_S16_HELIUM_H

#include "th_depthwise_helium_s16.h"
#include "th_depthwise_taps.h"

/* Computes run->pixels outputs. */
TH_INLINE void th_depthwise_conv2d_s16_helium_run(const th_depthwise_conv2d_helium_params *p, const th_dws16 *run,
                                                  int twice)
{
#if TH_HELIUM
    if (p->k_h == 3 && p->k_w == 3 && run->groups > 0) {
        const int32_t done = 8 * run->groups;
        twice ? th_dws16_3x3_twice(run) : th_dws16_3x3(run);
        th_dws16_any(run, run->stream + run->groups * (72 + (twice ? 72 : 64)), done, p->in_c - done, twice);
        return;
    }
#endif
    th_dws16_any(run, run->stream, 0, p->in_c, twice);
}

TH_INLINE void th_depthwise_conv2d_s16_helium_row(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                                  const int32_t *stream, void *scratch, int16_t *output, int twice)
{
    const int32_t last = p->in_w - 1 - (p->k_w - 1) * p->dilation_w;
    int32_t x = -p->pad_left;
    th_dws16 run;
    run.stream = (const int8_t *)stream;
    run.groups = p->in_c >> 3;
    run.in_move = p->stride_w * p->in_step - 16 * run.groups;
    run.out_move = p->out_step - 16 * run.groups;
    run.min = p->min;
    run.max = p->max;
    run.count = p->k_h * p->k_w;
    run.taps = (const int8_t **)scratch;
    run.output = (int8_t *)output;
    int8_t *zeros = (int8_t *)(run.taps + run.count);
    th_helium_fill(zeros, 0, 2 * p->in_c);
    for (int32_t left = p->out_w; left > 0; left -= run.pixels) {
        const int inside = th_depthwise_taps(p, rows, x, zeros, run.taps);
        run.pixels = inside ? th_min((last - x) / p->stride_w + 1, left) : 1;
        th_depthwise_conv2d_s16_helium_run(p, &run, twice);
        run.output += run.pixels * p->out_step;
        x += run.pixels * p->stride_w;
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * scratch: pointers [k_h][k_w], then [in_c] zeros; output [out_w][in_c]. For int64 biases, whose sums are rounded once.
 */
TH_KERNEL void th_depthwise_conv2d_s16_helium(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                              const int32_t *stream, void *scratch, int16_t *output)
{
    th_depthwise_conv2d_s16_helium_row(p, rows, stream, scratch, output, 0);
}

/* The same for int32 biases, whose sums are rounded twice. */
TH_KERNEL void th_depthwise_conv2d_s16_b32_helium(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                                  const int32_t *stream, void *scratch, int16_t *output)
{
    th_depthwise_conv2d_s16_helium_row(p, rows, stream, scratch, output, 1);
}

#endif
