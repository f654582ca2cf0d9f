/* Recurrent layers of int8: sums in 32 bits; the state is int8 of scale 1/128 where it is multiplied or given out. */
#ifndef TH_RECURRENT_S8_H
#define TH_RECURRENT_S8_H

#include "th_recurrent_int.h"

typedef int8_t th_recurrent_state_s8;
typedef int32_t th_recurrent_wide_s8;

TH_INLINE int32_t th_recurrent_rescaled_s8(int32_t sum, int32_t multiplier, int32_t shift)
{
    return th_requantize(sum, multiplier, shift);
}

/* 15 bits after the point to 7, rounded half up. */
TH_INLINE int8_t th_recurrent_narrowed_s8(int32_t hidden)
{
    return (int8_t)th_min((hidden + 128) >> 8, 127);
}

/* A hidden state times a gate, narrowed. */
TH_INLINE int8_t th_recurrent_scaled_s8(int32_t hidden, int32_t gate)
{
    return (int8_t)th_min((hidden * gate + (1 << 22)) >> 23, 127);
}

#define TH_TYPE s8
#include "th_recurrent_rows.h"
#undef TH_TYPE

#endif
