/*
 * Transposed convolution, float32.
 * input [batch][in_h][in_w][in_c], weights [out_c][k_h][k_w][in_c], bias [out_c] or NULL,, output
 * [batch][out_h][out_w][out_c].
 * Gathers what a convolution's gradient scatters: input (y, x) reaches output (y * stride_h - pad_top + ky, ...).
 */
#ifndef TH_TRANSPOSE_CONV_F32_H
#define TH_TRANSPOSE_CONV_F32_H

#include "th_base.h"

typedef struct {
    int32_t batch, in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t k_h, k_w, stride_h, stride_w;
    int32_t pad_top, pad_left; /* rows and columns of the full result cut off before the output */
    float min, max; /* of the activation */
} th_transpose_conv_f32_params;

/* The sum of one output element; `filter` are the weights of its channel, y and x its place in the full result. */
TH_INLINE float th_transpose_conv_f32_sum(const th_transpose_conv_f32_params *p, const float *input,
                                          const float *filter, int32_t y, int32_t x)
{
    float sum = 0.0f;
    for (int32_t ky = y % p->stride_h; ky < p->k_h && ky <= y; ky += p->stride_h) {
        const int32_t iy = (y - ky) / p->stride_h;
        if (iy >= p->in_h) {
            continue;
        }
        for (int32_t kx = x % p->stride_w; kx < p->k_w && kx <= x; kx += p->stride_w) {
            const int32_t ix = (x - kx) / p->stride_w;
            if (ix >= p->in_w) {
                continue;
            }
            const float *in = input + (iy * p->in_w + ix) * p->in_c;
            const float *w = filter + (ky * p->k_w + kx) * p->in_c;
            for (int32_t c = 0; c < p->in_c; c++) {
                sum += in[c] * w[c];
            }
        }
    }
    return sum;
}

/* Output row oy; `input` is the image it lies in. */
TH_INLINE void th_transpose_conv_f32_row(const th_transpose_conv_f32_params *p, const float *input,
                                         const float *weights, const float *bias, int32_t oy, float *output)
{
    const int32_t per_filter = p->k_h * p->k_w * p->in_c;
    const int32_t y = oy + p->pad_top;
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        for (int32_t oc = 0; oc < p->out_c; oc++) {
            const float sum = th_transpose_conv_f32_sum(p, input, weights + oc * per_filter, y, ox + p->pad_left);
            *output++ = th_clampf(sum + (bias ? bias[oc] : 0.0f), p->min, p->max);
        }
    }
}

TH_KERNEL void th_transpose_conv_f32(const th_transpose_conv_f32_params *p, const float *input, const float *weights,
                                     const float *bias, float *output)
{
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            th_transpose_conv_f32_row(p, input, weights, bias, oy, output);
            output += p->out_w * p->out_c;
        }
        input += p->in_h * p->in_w * p->in_c;
    }
}

#endif
