/* The rescaling of sums that sums and means of integers share; bit-exact with reduce-sum.ts. */
#ifndef TH_REDUCE_SUM_H
#define TH_REDUCE_SUM_H

#include "th_fixedpoint.h"
#include "th_reduce.h"

/* The output element, of a type whose limits the params hold. */
TH_INLINE int32_t th_reduce_sum_finish(const th_reduce_sum_params *p, int32_t sum)
{
    const int32_t scaled = th_requantize(sum - p->in_zero_sum, p->multiplier, p->shift) + p->out_zero;
    return th_clamp(scaled, p->min, p->max);
}

#endif
