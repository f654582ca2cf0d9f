/*
 * Where the rows of a tensor lie. A tensor that is streamed keeps only its last few rows: row r is in place r modulo the
 * rows kept.
 */
#ifndef TH_WINDOW_H
#define TH_WINDOW_H

#include "th_base.h"

typedef struct {
    int32_t height;    /* rows of the tensor */
    int32_t row;       /* row 0 of the tensor is this row of what lies in memory */
    int32_t kept;      /* rows in memory */
    int32_t row_bytes;
    int32_t taps, dilation;
} th_window;

/* rows[k] = row first + k * dilation of the tensor at `base`, or NULL where there is no such row. */
TH_KERNEL void th_rows(const void **rows, const th_window *w, const void *base, int32_t first)
{
    for (int32_t k = 0; k < w->taps; k++, first += w->dilation) {
        const int inside = first >= 0 && first < w->height;
        const uint32_t place = (uint32_t)(first + w->row) % (uint32_t)w->kept;
        rows[k] = inside ? (const uint8_t *)base + place * (uint32_t)w->row_bytes : NULL;
    }
}

#endif
