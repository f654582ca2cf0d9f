/*
 * A function of int16 as 512 straight pieces: 513 entries, made by lut16.ts.
 */
#ifndef TH_LUT16_H
#define TH_LUT16_H

#include "th_base.h"

/* The table's value at x, between two entries by linear interpolation; as TFLite's LUTLookup. */
TH_INLINE int16_t th_lookup16(const int16_t *table, int32_t x)
{
    const int32_t index = 256 + (x >> 7);
    const int32_t slope = table[index + 1] - table[index];
    return (int16_t)(table[index] + ((slope * (x & 127) + 64) >> 7));
}

#endif
