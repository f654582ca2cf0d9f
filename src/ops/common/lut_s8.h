/*
 * An 8-bit operator as a table of its 256 results, indexed by the byte of the input element.
 * Input, table and output are int8 or uint8 alike.
 */
#ifndef TH_LUT_S8_H
#define TH_LUT_S8_H

#include "th_elementwise.h"

TH_INLINE void th_lut_s8_row(const void *input, const void *table, int32_t n, void *output)
{
    const uint8_t *from = (const uint8_t *)input;
    const uint8_t *entries = (const uint8_t *)table;
    uint8_t *to = (uint8_t *)output;
    for (int32_t i = 0; i < n; i++) {
        to[i] = entries[from[i]];
    }
}

TH_KERNEL void th_lut_s8(const th_count_params *p, const void *input, const void *table, void *output)
{
    th_lut_s8_row(input, table, p->n, output);
}

#endif
