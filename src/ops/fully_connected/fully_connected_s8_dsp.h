/*
 * Fully connected layer, int8 activations and weights, for cores with the DSP instructions; bit-exact with
 * fullyConnectedReference. Four outputs at a time: see th_quads_s8.h. One or two outputs that are left have no words for
 * outputs 2 and 3. Outputs at the end that would only be padding around few weights are stored as they are: weights
 * [outputs][inputs], then biases. Inputs so many that their sums would not fit come in segments, each with a stream of
 * its own, the biases in the first. See weighted-dsp.ts, which packs all this.
 */
#ifndef TH_FULLY_CONNECTED_S8_DSP_H
#define TH_FULLY_CONNECTED_S8_DSP_H

#include "th_limit_s8.h"
#include "th_quads_s8.h"

typedef struct {
    int32_t batch, in_c, out_c;
    int32_t plain;      /* outputs at the end that are stored as they are */
    int32_t segments;   /* of equal size, a multiple of 4, in_c is cut into; zero2 is 0 if there are several */
    int32_t zero2;      /* 2 * output zero point + 1 where the short finish does, else 0 */
    int32_t multiplier; /* of all outputs; 0 where each has its own, in an array */
    int32_t rights;     /* four times the right shift of all outputs, a byte each */
    int32_t out_zero, min, max;
} th_fully_connected_s8_dsp_params;

/* Computes groups of outputs: th_quads_s8 or th_quads_w4. */
typedef void th_quads_compute(const th_quads_block *b);

/* Twice the sums of one or two outputs, whose stream has no words of outputs 2 and 3; moves the stream behind them. */
TH_INLINE void th_quads_pair(th_quads_block *b)
{
    const int32_t steps = b->step_bytes / 16 + 1;
    const int32_t *words = b->stream;
    const int32_t *tail = words + 2 * steps;
    int32_t even = 0;
    int32_t odd = 0;
    for (int32_t k = 0; k < steps; k++, words += 2) {
        const uint32_t bytes = k + 1 < steps ? th_load32(b->input + 4 * k) : b->last;
        const uint32_t first = (uint32_t)words[0];
        const uint32_t second = (uint32_t)words[1];
        odd = th_smlad(first, th_sxtb16(bytes), odd);
        even = th_smlad(th_sxtb16(first), th_sxtb16(bytes), even);
        odd = th_smlad(second, th_sxtb16_ror8(bytes), odd);
        even = th_smlad(th_sxtb16(second), th_sxtb16_ror8(bytes), even);
    }
    odd = (int32_t)((uint32_t)odd - (uint32_t)even);
    b->sums[0] = (int32_t)((uint32_t)tail[0] + 2 * (uint32_t)even);
    b->sums[1] = 0;
    b->sums[2] = (int32_t)((uint32_t)tail[2] + (uint32_t)(odd >> 7));
    b->sums[3] = 0;
    b->stream = tail + TH_QUADS_REST;
}

/* Up to four outputs, with any shift and limits, from twice the sums of outputs 0, 2, 1, 3. */
TH_INLINE void th_quads_outputs(const int32_t *twice, const int32_t *scales, int32_t channels, int32_t out_zero,
                                int32_t min, int32_t max, int8_t *output)
{
    for (int32_t c = 0; c < channels; c++) {
        const int32_t right = (int8_t)(scales[4] >> (8 * c));
        const int32_t sum = twice[(c & 1) * 2 + (c >> 1)] >> 1;
        output[c] = (int8_t)th_clamp(th_requantize(sum, scales[c], -right) + out_zero, min, max);
    }
}

/*
 * Up to four outputs, with any shift and limits, segment by segment; leaves the stream behind them. extra: what is added to
 * the sums of the first three outputs.
 */
TH_INLINE void th_quads_long(const th_fully_connected_s8_dsp_params *p, th_quads_block *b, int32_t channels,
                             int32_t extra, th_quads_compute *compute, int32_t bits)
{
    const int32_t inputs = p->in_c / p->segments;
    const int32_t before = (inputs - 1) & ~3;
    const int8_t *input = b->input;
    int32_t totals[4] = {2 * extra, 2 * extra, 2 * extra, 0}; /* twice those of outputs 0, 2, 1, 3 */
    int32_t sums[4];
    b->sums = sums;
    b->zero2 = 0;
    for (int32_t left = p->segments; left > 0; left--) {
        b->last = th_quads_last(b->input + before, inputs - before);
        if (channels <= 2 && bits == 8) {
            th_quads_pair(b);
        } else {
            b->end = b->stream + (before + 4) * bits / 8 + TH_QUADS_REST;
            compute(b);
            b->stream = b->end;
        }
        for (int32_t i = 0; i < 4; i++) {
            totals[i] = (int32_t)((uint32_t)totals[i] + (uint32_t)sums[i]);
        }
        b->input += inputs;
    }
    b->input = input;
    th_quads_outputs(totals, b->scales, channels, p->out_zero, p->min, p->max, b->output);
}

/* All outputs of one input vector but plain ones. extra: see above; the block's starts are set where the sums are short. */
TH_INLINE void th_quads_vector(const th_fully_connected_s8_dsp_params *p, th_quads_block *b, const int8_t *input,
                               const int32_t *stream, const int32_t *scales, int8_t *output, int32_t extra,
                               th_quads_compute *compute, int32_t bits)
{
    const int32_t before = (p->in_c / p->segments - 1) & ~3;
    int32_t left = p->out_c - p->plain;
    b->step_bytes = before * bits / 2;
    b->scale_step = th_quads_scale_step(p->multiplier);
    b->stream = stream;
    b->scales = scales;
    b->input = input;
    b->output = output;
    if (p->zero2 != 0 && left > 3) {
        b->last = th_quads_last(input + before, p->in_c - before);
        b->end = stream + (left >> 2) * ((before + 4) * bits / 8 + TH_QUADS_REST);
        b->zero2 = p->zero2;
        b->sums = 0;
        compute(b);
        b->stream = b->end;
        b->scales += (left >> 2) * (b->scale_step / 4);
        b->output += left & ~3;
        left &= 3;
    }
    memset(b->starts, 0, sizeof b->starts);
    for (; left > 0; left -= 4) {
        th_quads_long(p, b, th_min(left, 4), extra, compute, bits);
        b->scales += b->scale_step / 4;
        b->output += 4;
    }
}

/* The plain outputs of one input vector: the block's stream, scales and output have come to them. */
TH_INLINE void th_quads_plain(const th_fully_connected_s8_dsp_params *p, const th_quads_block *b)
{
    const int32_t in_c = p->in_c;
    const int8_t *weights = (const int8_t *)b->stream;
    const int32_t *biases = b->stream + ((p->plain * in_c + 3) >> 2);
    for (int32_t c = 0; c < p->plain; c++) {
        int32_t sum = biases[c];
        int32_t k = 0;
        for (; k + 4 <= in_c; k += 4, weights += 4) {
            const uint32_t four = th_load32(weights);
            const uint32_t values = th_load32(b->input + k);
            sum = th_smlad(th_sxtb16(four), th_sxtb16(values), sum);
            sum = th_smlad(th_sxtb16_ror8(four), th_sxtb16_ror8(values), sum);
        }
        for (; k < in_c; k++) {
            sum += *weights++ * b->input[k];
        }
        const int32_t *scales = b->scales + (c >> 2) * (b->scale_step / 4);
        const int32_t right = (int8_t)(scales[4] >> (8 * (c & 3)));
        b->output[c] = (int8_t)th_clamp(th_requantize(sum, scales[c & 3], -right) + p->out_zero, p->min, p->max);
    }
}

/* input [batch][in_c], output [batch][out_c]. */
TH_KERNEL void th_fully_connected_s8_dsp(const th_fully_connected_s8_dsp_params *p, const int8_t *input,
                                         const int32_t *stream, const int32_t *scales, int8_t *output)
{
    int32_t made[TH_QUADS_SCALES];
    scales = th_quads_scales(scales, p->multiplier, p->rights, made);
    for (int32_t n = 0; n < p->batch; n++) {
        th_quads_block b;
        th_quads_vector(p, &b, input + n * p->in_c, stream, scales, output + n * p->out_c, 0, th_quads_s8, 8);
        th_quads_plain(p, &b);
    }
    th_limit_s8(output, p->out_c, p->batch, p->out_c, p->min, p->max);
}

#endif
