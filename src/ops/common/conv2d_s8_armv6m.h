/*
 * Convolution without groups, int8 activations and weights, for Armv6-M; bit-exact with conv2dReference. Blocks of up to six
 * pixels of a row are packed to words and multiplied with all channels: see th_lanes_s8.h. Padding reads as the zero point,
 * which the biases in the stream account for.
 */
#ifndef TH_CONV2D_S8_ARMV6M_H
#define TH_CONV2D_S8_ARMV6M_H

#include "th_lanes_s8.h"

/* Sizes and steps in elements. */
typedef struct {
    int32_t block;              /* pixels, at most */
    int32_t depth, run;         /* values of a window, and of a run, both rounded up to a multiple of 4 */
    int32_t in_w, in_c, in_step;
    int32_t out_w, out_c, out_step;
    int32_t k_h, k_w;
    int32_t stride_w, dilation_w, pad_left;
    int32_t in_zero;
    int32_t zero2, pieces; /* see th_lanes_block */
    int32_t min, max;
} th_conv2d_s8_armv6m_params;

/* The outputs of a block from its values. */
TH_ROW void th_conv2d_m0_block(const th_conv2d_s8_armv6m_params *p, const int32_t *stream, const uint32_t *values,
                               int32_t pixels, int8_t *output)
{
    th_lanes_block b;
    b.stream = stream;
    b.end = stream + p->out_c * (2 + p->depth / 4);
    b.values = values;
    b.output = output;
    b.out_step = p->out_step;
    b.weight_bytes = p->depth;
    b.run_bytes = p->run;
    b.zero2 = p->zero2;
    b.pieces = p->pieces;
    b.pixels = pixels;
    th_lanes_s8(&b, th_lanes_words(pixels));
    th_limit_m0(output, pixels, p->out_c, p->out_step, p->min, p->max);
}

/* The pixels of a row from x on, `columns` of them one after another, zero points outside. */
TH_ROW void th_conv2d_m0_gather(const th_conv2d_s8_armv6m_params *p, const int8_t *row, int32_t x, int32_t columns,
                                int8_t *gathered)
{
    for (; columns > 0; columns--, x++, gathered += p->in_c) {
        if (row && x >= 0 && x < p->in_w) {
            memcpy(gathered, row + x * p->in_step, (size_t)p->in_c);
        } else {
            memset(gathered, p->in_zero, (size_t)p->in_c);
        }
    }
}

/*
 * Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * scratch: values [depth][words of a block], then the columns of a block's windows, [in_c] each.
 */
TH_KERNEL void th_conv2d_s8_armv6m(const th_conv2d_s8_armv6m_params *p, const void *const *rows, const int32_t *stream,
                                   void *scratch, int8_t *output)
{
    uint32_t *values = (uint32_t *)scratch;
    int8_t *gathered = (int8_t *)(values + th_lanes_words(p->block) * p->depth);
    const int32_t in_c = p->in_c;
    const int32_t reach = (p->k_w - 1) * p->dilation_w + 1;
    int32_t x = -p->pad_left;
    for (int32_t ox = 0; ox < p->out_w; ox += p->block, x += p->block * p->stride_w) {
        const int32_t pixels = th_min(p->out_w - ox, p->block);
        const int32_t columns = (pixels - 1) * p->stride_w + reach;
        const int32_t words = th_lanes_words(pixels);
        const int32_t is_inside = x >= 0 && x + columns <= p->in_w;
        uint32_t *to = values;
        for (int32_t ky = 0; ky < p->k_h; ky++) {
            const int8_t *from = (const int8_t *)rows[ky];
            int32_t step = p->in_step;
            if (from && is_inside) {
                from += x * step;
            } else {
                th_conv2d_m0_gather(p, from, x, columns, gathered);
                from = gathered;
                step = in_c;
            }
            /* Taps that follow each other are one piece. */
            const int32_t pieces = p->dilation_w == 1 && step == in_c ? 1 : p->k_w;
            const int32_t length = pieces == 1 ? p->k_w * in_c : in_c;
            for (int32_t i = 0; i < pieces; i++) {
                th_lanes_pack(to, pixels, from, p->stride_w * step, length);
                to += length * words;
                from += p->dilation_w * step;
            }
        }
        th_conv2d_m0_block(p, stream, values, pixels, output);
        output += p->block * p->out_step;
    }
}

/*
 * Computes a 1x1 convolution with stride 1 of out_w pixels, of one row or of all: input [out_w][in_c].
 * scratch: values [depth][words of a block].
 */
TH_KERNEL void th_conv2d_s8_armv6m_pixels(const th_conv2d_s8_armv6m_params *p, const int8_t *input,
                                          const int32_t *stream, void *scratch, int8_t *output)
{
    uint32_t *values = (uint32_t *)scratch;
    for (int32_t at = 0; at < p->out_w; at += p->block) {
        const int32_t pixels = th_min(p->out_w - at, p->block);
        th_lanes_pack(values, pixels, input, p->in_step, p->in_c);
        th_conv2d_m0_block(p, stream, values, pixels, output);
        input += p->block * p->in_step;
        output += p->block * p->out_step;
    }
}

/* The same functions, under names for blocks of three pixels and of one. */
#define TH_CONV2D_M0_BLOCK(n)                                                                                          \
    TH_KERNEL void th_conv2d_s8_armv6m_##n(const th_conv2d_s8_armv6m_params *p, const void *const *rows,               \
                                           const int32_t *stream, void *scratch, int8_t *output)                       \
    {                                                                                                                  \
        th_conv2d_s8_armv6m(p, rows, stream, scratch, output);                                                         \
    }                                                                                                                  \
    TH_KERNEL void th_conv2d_s8_armv6m_pixels_##n(const th_conv2d_s8_armv6m_params *p, const int8_t *input,            \
                                                  const int32_t *stream, void *scratch, int8_t *output)                \
    {                                                                                                                  \
        th_conv2d_s8_armv6m_pixels(p, input, stream, scratch, output);                                                 \
    }

TH_CONV2D_M0_BLOCK(3)
TH_CONV2D_M0_BLOCK(1)

#endif
