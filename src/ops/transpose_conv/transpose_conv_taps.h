/*
 * Which taps of a transposed convolution's filter reach a place of the full result, along one axis.
 */
#ifndef TH_TRANSPOSE_CONV_TAPS_H
#define TH_TRANSPOSE_CONV_TAPS_H

#include "th_base.h"

/* From one input element to the next, the tap that reaches the place falls by the stride: last, last - stride, ... */
typedef struct {
    int32_t last, count; /* count is 0 (and last negative) where a stride above the taps leaves a gap */
} th_transpose_taps;

/* `place` is not negative. */
TH_INLINE th_transpose_taps th_transpose_taps_at(int32_t place, int32_t taps, int32_t stride)
{
    th_transpose_taps t;
    t.last = taps - 1 - (taps - 1 + stride - place % stride) % stride;
    t.count = t.last < 0 ? 0 : t.last / stride + 1;
    return t;
}

#endif
