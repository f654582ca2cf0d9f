/*
 * Depthwise convolution with one output per channel, int8 activations and weights, for Helium; bit-exact with
 * depthwiseConv2dReference. Sixteen channels of a pixel at a time, see th_depthwise_helium.h; of what is left of them
 * eight. Padding reads as the zero point, which the biases account for.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_HELIUM_H
#define TH_DEPTHWISE_CONV2D_S8_HELIUM_H

#include "th_depthwise_helium.h"
#include "th_depthwise_helium_8.h"
#include "th_depthwise_taps.h"

#if TH_HELIUM

/* Moves all taps, of which there is one at least. */
TH_INLINE void th_depthwise16_move(const int8_t **taps, int32_t count, int32_t by)
{
    __asm__ volatile("dlstp.32 lr, %1\n"
                     "0:\n"
                     "vldrw.u32 q0, [%0]\n"
                     "vadd.i32 q0, q0, %2\n"
                     "vstrw.32 q0, [%0], #16\n"
                     "letp lr, 0b"
                     : "+r"(taps)
                     : "r"(count), "r"(by)
                     : "lr", "q0", "memory");
}

#else

TH_INLINE void th_depthwise16_move(const int8_t **taps, int32_t count, int32_t by)
{
    for (int32_t i = 0; i < count; i++) {
        taps[i] += by;
    }
}

#endif

/*
 * The channels left of groups of sixteen, of `pixels` if the kernel is 3x3, else of one; taps are `moved` channels
 * on.
 */
TH_ROW void th_depthwise16_rest(const th_depthwise_conv2d_helium_params *p, const th_depthwise16 *run, int32_t moved,
                                int32_t pixels, int8_t *output)
{
    const int32_t taps = 2 * run->pairs + run->single;
    const int32_t end = p->in_c;
    th_depthwise8 rest;
    rest.stream = run->stream + run->groups * (16 * taps + 144);
    rest.out_zero = p->out_zero;
    rest.min = p->min;
    rest.max = p->max;
    rest.taps = run->taps;
    rest.pairs = run->pairs;
    rest.single = run->single;
    rest.pixels = pixels;
    rest.tap_step = p->dilation_w * p->in_step;
    rest.in_move = p->stride_w * p->in_step;
    rest.out_move = p->out_step;
    for (int32_t done = end & ~15; done < end; done += rest.channels) {
        rest.channels = th_min(end - done, 8);
        rest.scales = rest.stream + ((taps * rest.channels + 3) & ~3);
        rest.first = done - moved;
        rest.output = output + done;
        if (pixels > 1) {
            th_depthwise8_3x3(&rest);
        } else {
            th_depthwise8_any(&rest);
        }
        rest.stream = rest.scales + 72;
    }
}

/*
 * `pixels` outputs from where their taps are, all inside the image if they are several; moves the taps on by all but
 * one.
 */
TH_INLINE void th_depthwise16_pixels(const th_depthwise_conv2d_helium_params *p, th_depthwise16 *run, int32_t pixels,
                                     int relu)
{
    const int32_t done = 16 * run->groups;
    int8_t *output = run->output;
    if (p->k_h == 3 && p->k_w == 3) {
        run->pixels = pixels;
        if (run->groups > 0) {
            relu ? th_depthwise16_3x3_relu(run) : th_depthwise16_3x3(run);
        }
        if (done < p->in_c) {
            th_depthwise16_rest(p, run, 0, pixels, output);
        }
        return;
    }
    for (;;) {
        run->output = output;
        if (run->groups > 0) {
            relu ? th_depthwise16_any_relu(run) : th_depthwise16_any(run);
        }
        if (done < p->in_c) {
            th_depthwise16_rest(p, run, done, 1, output);
        }
        if (--pixels == 0) {
            return;
        }
        output += p->out_step;
        th_depthwise16_move(run->taps, p->k_h * p->k_w, run->in_move);
    }
}

TH_INLINE void th_depthwise_conv2d_helium(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                          const int32_t *stream, void *scratch, int8_t *output, int relu)
{
    const int32_t taps = p->k_h * p->k_w;
    const int32_t last = p->in_w - 1 - (p->k_w - 1) * p->dilation_w;
    th_depthwise16 run;
    run.stream = (const int8_t *)stream;
    run.groups = p->in_c >> 4;
    run.in_move = p->stride_w * p->in_step - 16 * run.groups;
    run.out_move = p->out_step - 16 * run.groups;
    run.out_zero = p->out_zero;
    run.min = p->min;
    run.max = p->max;
    run.taps = (const int8_t **)scratch;
    run.pairs = taps >> 1;
    run.single = taps & 1;
    int8_t *zeros = (int8_t *)(run.taps + taps);
    th_helium_fill(zeros, p->in_zero, p->in_c);
    int32_t x = -p->pad_left;
    for (int32_t left = p->out_w; left > 0;) {
        const int inside = th_depthwise_taps(p, rows, x, zeros, run.taps);
        const int32_t pixels = inside ? th_min((last - x) / p->stride_w + 1, left) : 1;
        run.output = output;
        th_depthwise16_pixels(p, &run, pixels, relu);
        output += pixels * p->out_step;
        x += pixels * p->stride_w;
        left -= pixels;
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * scratch: pointers [k_h][k_w], then [in_c] zero points; output [out_w][in_c].
 */
TH_KERNEL void th_depthwise_conv2d_s8_helium(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                             const int32_t *stream, void *scratch, int8_t *output)
{
    th_depthwise_conv2d_helium(p, rows, stream, scratch, output, 0);
}

/* The same, for outputs of all int8, the zero point the least of them. */
TH_KERNEL void th_depthwise_conv2d_s8_helium_relu(const th_depthwise_conv2d_helium_params *p, const void *const *rows,
                                                  const int32_t *stream, void *scratch, int8_t *output)
{
    th_depthwise_conv2d_helium(p, rows, stream, scratch, output, 1);
}

#endif
