/*
 * Convolution without groups, int8 activations, int4 weights, for cores with the DSP instructions; bit-exact with
 * conv2dReference. As conv2d_s8_dsp.h, with the weights of th_pairs_w4.h and an even number of words.
 */
#ifndef TH_CONV2D_S8_W4_DSP_H
#define TH_CONV2D_S8_W4_DSP_H

#include "conv2d_s8_dsp.h"
#include "th_pairs_w4.h"

/* As th_conv2d_s8_dsp. */
TH_KERNEL void th_conv2d_s8_w4_dsp(const th_conv2d_s8_dsp_params *p, const void *const *rows, const int32_t *stream,
                                   void *scratch, int8_t *output)
{
    th_conv2d_s8_dsp_row(p, rows, stream, scratch, output, th_pairs_w4_pixels);
}

/* As th_conv2d_s8_dsp_pixels. */
TH_KERNEL void th_conv2d_s8_w4_dsp_pixels(const th_conv2d_s8_dsp_pixels_params *p, const int8_t *input,
                                          const int32_t *stream, void *scratch, int8_t *output)
{
    th_conv2d_s8_dsp_points(p, input, stream, scratch, output, th_pairs_w4_pixels);
}

#endif
