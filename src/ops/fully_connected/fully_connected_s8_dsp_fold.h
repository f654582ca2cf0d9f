/*
 * The layer of fully_connected_s8_dsp.h, its only input vector given a row at a time. The stream is the same: what follows
 * the words of a row are those of the next, which the loop takes for biases, so they are taken off again.
 */
#ifndef TH_FULLY_CONNECTED_S8_DSP_FOLD_H
#define TH_FULLY_CONNECTED_S8_DSP_FOLD_H

#include "fully_connected_s8_dsp.h"

typedef struct {
    int32_t rows, row_c;   /* row_c is a multiple of 4 */
    int32_t segment_rows;  /* of a segment of the stream */
    int32_t out_c;
    int32_t multiplier, rights; /* as above */
    int32_t out_zero, min, max;
} th_fully_connected_s8_dsp_fold_params;

/*
 * Takes row y, in order: row_c inputs. The last call writes the output [out_c].
 * scratch: twice the sums of outputs 0, 2, 1, 3 of each four, kept between calls.
 */
TH_KERNEL void th_fully_connected_s8_dsp_fold(const th_fully_connected_s8_dsp_fold_params *p, int32_t y,
                                              const int8_t *input, const int32_t *stream, const int32_t *scales,
                                              void *scratch, int8_t *output)
{
    int32_t *kept = (int32_t *)scratch;
    const int32_t segments = p->rows / p->segment_rows;
    const int32_t segment = y / p->segment_rows;
    const int32_t before = (y - segment * p->segment_rows) * p->row_c;
    const int is_end = (y + 1) % p->segment_rows == 0;
    const int32_t scale_words = th_quads_scale_step(p->multiplier) / 4;
    int32_t made[TH_QUADS_SCALES];
    int32_t sums[4];
    th_quads_block b;
    scales = th_quads_scales(scales, p->multiplier, p->rights, made);
    memset(&b, 0, sizeof b);
    b.input = input;
    b.step_bytes = 4 * (p->row_c - 4);
    b.last = th_load32(input + p->row_c - 4);
    b.sums = sums;
    for (int32_t left = p->out_c; left > 0; left -= 4, kept += 4, output += 4, scales += scale_words) {
        /* Words for four inputs: one or two outputs have half as many. */
        const int32_t words = left > 2 ? 4 : 2;
        const int32_t segment_words = words * (p->segment_rows * p->row_c / 4) + TH_QUADS_REST;
        b.stream = stream + segment * segment_words + words * (before / 4);
        const int32_t *behind = b.stream + words * (p->row_c / 4);
        if (left > 2) {
            b.end = behind + TH_QUADS_REST;
            th_quads_s8(&b);
        } else {
            th_quads_pair(&b);
        }
        for (int32_t i = 0; i < 4; i++) {
            /* Outputs 2 and 3 of a pair have no words, and no sums. */
            const uint32_t other = is_end || (left <= 2 && (i & 1) != 0) ? 0 : (uint32_t)behind[i];
            kept[i] = (int32_t)((y > 0 ? (uint32_t)kept[i] : 0) + (uint32_t)sums[i] - other);
        }
        if (y + 1 == p->rows) {
            th_quads_outputs(kept, scales, th_min(left, 4), p->out_zero, p->min, p->max, output);
        }
        stream += segments * segment_words;
    }
}

#endif
