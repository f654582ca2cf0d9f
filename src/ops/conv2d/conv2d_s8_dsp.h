/*
 * Convolution without groups, int8 activations and weights, for cores with the DSP instructions; bit-exact with
 * conv2dReference. Blocks of up to four pixels of a row are widened to 16 bits and multiplied with pairs of output channels:
 * see th_pairs_s8.h. Padding reads as the zero point, which the biases in the stream account for.
 */
#ifndef TH_CONV2D_S8_DSP_H
#define TH_CONV2D_S8_DSP_H

#include "th_pairs_layer_s8.h"

/* Sizes and steps in elements. */
typedef struct {
    int32_t words, row_words; /* of two values of a window, and of a row of it */
    int32_t in_w, in_c, in_step;
    int32_t out_w, out_c, out_step;
    int32_t k_h, k_w;
    int32_t stride_w, dilation_w, pad_left;
    int32_t in_zero;
    int32_t block;       /* pixels that are computed together, at most 4 */
    int32_t finish, add; /* see th_pairs_layer */
    int32_t out_zero, min, max;
} th_conv2d_s8_dsp_params;

/* Of a 1x1 convolution of so many pixels; see th_conv2d_s8_dsp_params. */
typedef struct {
    th_pairs_layer layer;
    int32_t in_c, in_step;
    int32_t pixels, block;
} th_conv2d_s8_dsp_pixels_params;

TH_INLINE th_pairs_layer th_conv2d_s8_dsp_layer(const th_conv2d_s8_dsp_params *p)
{
    th_pairs_layer layer;
    layer.words = p->words;
    layer.channels = p->out_c;
    layer.out_step = p->out_step;
    layer.finish = p->finish;
    layer.add = p->add;
    layer.out_zero = p->out_zero;
    layer.min = p->min;
    layer.max = p->max;
    return layer;
}

/* The taps of one row of a window that begins at x, one after another in `gathered`. */
TH_ROW void th_conv2d_s8_dsp_gather(const th_conv2d_s8_dsp_params *p, const int8_t *row, int32_t x, int8_t *gathered)
{
    const int32_t in_c = p->in_c;
    const th_taps inside = th_taps_inside(x, p->dilation_w, p->k_w, p->in_w);
    memset(gathered, p->in_zero, (size_t)(p->k_w * in_c));
    if (p->dilation_w == 1 && p->in_step == in_c && inside.first < inside.end) {
        memcpy(gathered + inside.first * in_c, row + (x + inside.first) * in_c,
               (size_t)((inside.end - inside.first) * in_c));
        return;
    }
    for (int32_t kx = inside.first; kx < inside.end; kx++) {
        memcpy(gathered + kx * in_c, row + (x + kx * p->dilation_w) * p->in_step, (size_t)in_c);
    }
}

/* The values of the windows that begin at x, x + stride and so on. */
TH_INLINE void th_conv2d_s8_dsp_windows(const th_conv2d_s8_dsp_params *p, const void *const *rows, int32_t x,
                                        uint32_t *values, int32_t pixels, int8_t *gathered)
{
    const int32_t length = p->k_w * p->in_c;
    const int32_t stride = p->stride_w;
    /* Those from `first` to `end` lie inside the row, as one piece each. */
    int32_t first = 0;
    int32_t end = 0;
    if (p->k_w == 1 || (p->dilation_w == 1 && p->in_step == p->in_c)) {
        const int32_t last = p->in_w - p->k_w;
        end = pixels;
        while (first < end && x + first * stride < 0) {
            first++;
        }
        while (first < end && x + (end - 1) * stride > last) {
            end--;
        }
    }
    for (int32_t ky = 0; ky < p->k_h; ky++, values += p->row_words * pixels) {
        const int8_t *row = (const int8_t *)rows[ky];
        if (!row) {
            memset(gathered, p->in_zero, (size_t)length);
            th_widen_s8(values, pixels, pixels, gathered, 0, length);
            continue;
        }
        if (end - first == 4) {
            th_widen4_s8(values, row + x * p->in_step, stride * p->in_step, length);
            continue;
        }
        if (first < end) {
            th_widen_s8(values + first, pixels, end - first, row + (x + first * stride) * p->in_step,
                        stride * p->in_step, length);
        }
        for (int32_t i = 0; i < pixels; i++) {
            if (i < first || i >= end) {
                th_conv2d_s8_dsp_gather(p, row, x + i * stride, gathered);
                th_widen_s8(values + i, pixels, 1, gathered, 0, length);
            }
        }
    }
}

/* What computes all channels of a block of pixels: th_pairs_s8_pixels or th_pairs_w4_pixels. */
typedef void th_conv2d_s8_dsp_compute(const th_pairs_layer *p, const int32_t *stream, const uint32_t *values,
                                      int32_t pixels, int8_t *output);

TH_INLINE void th_conv2d_s8_dsp_row(const th_conv2d_s8_dsp_params *p, const void *const *rows, const int32_t *stream,
                                    void *scratch, int8_t *output, th_conv2d_s8_dsp_compute *compute)
{
    const th_pairs_layer layer = th_conv2d_s8_dsp_layer(p);
    uint32_t *values = (uint32_t *)scratch;
    int8_t *gathered = (int8_t *)(values + p->block * p->words);
    int32_t x = -p->pad_left;
    for (int32_t ox = 0; ox < p->out_w; ox += p->block) {
        const int32_t pixels = th_min(p->out_w - ox, p->block);
        th_conv2d_s8_dsp_windows(p, rows, x, values, pixels, gathered);
        compute(&layer, stream, values, pixels, output);
        x += p->block * p->stride_w;
        output += p->block * p->out_step;
    }
}

TH_INLINE void th_conv2d_s8_dsp_points(const th_conv2d_s8_dsp_pixels_params *p, const int8_t *input,
                                       const int32_t *stream, void *scratch, int8_t *output,
                                       th_conv2d_s8_dsp_compute *compute)
{
    uint32_t *values = (uint32_t *)scratch;
    for (int32_t at = 0; at < p->pixels; at += p->block) {
        const int32_t pixels = th_min(p->pixels - at, p->block);
        if (pixels == 4) {
            th_widen4_s8(values, input, p->in_step, p->in_c);
        } else {
            th_widen_s8(values, pixels, pixels, input, p->in_step, p->in_c);
        }
        compute(&p->layer, stream, values, pixels, output);
        input += p->block * p->in_step;
        output += p->block * p->layer.out_step;
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * scratch: values [words][block] of 32 bits, then [k_w][in_c] bytes.
 */
TH_KERNEL void th_conv2d_s8_dsp(const th_conv2d_s8_dsp_params *p, const void *const *rows, const int32_t *stream,
                                void *scratch, int8_t *output)
{
    th_conv2d_s8_dsp_row(p, rows, stream, scratch, output, th_pairs_s8_pixels);
}

/*
 * Computes a 1x1 convolution with stride 1 of pixels of one row or of all: input [pixels][in_c].
 * scratch: values [words][block] of 32 bits.
 */
TH_KERNEL void th_conv2d_s8_dsp_pixels(const th_conv2d_s8_dsp_pixels_params *p, const int8_t *input,
                                       const int32_t *stream, void *scratch, int8_t *output)
{
    th_conv2d_s8_dsp_points(p, input, stream, scratch, output, th_pairs_s8_pixels);
}

#endif
