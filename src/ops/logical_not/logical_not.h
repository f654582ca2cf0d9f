/* Not of bools, bytes of 0 or 1. */
#ifndef TH_LOGICAL_NOT_H
#define TH_LOGICAL_NOT_H

#include "th_elementwise.h"

TH_INLINE uint8_t th_logical_not_b8_value(const th_count_params *p, uint8_t x)
{
    (void)p;
    return x == 0 ? 1 : 0;
}

TH_DEFINE_UNARY(th_logical_not_b8, th_count_params, uint8_t, uint8_t, th_logical_not_b8_value)

#endif
