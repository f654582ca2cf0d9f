/* Recurrent layers of int16 with int8 weights: sums in 64 bits, the state as it is. */
#ifndef TH_RECURRENT_S16_H
#define TH_RECURRENT_S16_H

#include "th_recurrent_int.h"

typedef int16_t th_recurrent_state_s16;
typedef int64_t th_recurrent_wide_s16;

TH_INLINE int32_t th_recurrent_rescaled_s16(int64_t sum, int32_t multiplier, int32_t shift)
{
    return th_requantize64(sum, multiplier, shift);
}

TH_INLINE int16_t th_recurrent_narrowed_s16(int32_t hidden)
{
    return (int16_t)hidden;
}

/* A hidden state times a gate. */
TH_INLINE int16_t th_recurrent_scaled_s16(int32_t hidden, int32_t gate)
{
    return (int16_t)((hidden * gate + (1 << 14)) >> 15);
}

#define TH_TYPE s16
#include "th_recurrent_rows.h"
#undef TH_TYPE

#endif
