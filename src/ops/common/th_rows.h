/*
 * The rows of a window over an image, as kernels that compute one output row are given them.
 */
#ifndef TH_ROWS_H
#define TH_ROWS_H

#include "th_base.h"

/* Which rows of a window lie inside the image, that is, are not NULL; those outside are at its ends. */
TH_INLINE th_taps th_rows_inside(const void *const *rows, int32_t taps)
{
    th_taps t;
    t.first = 0;
    t.end = taps;
    while (t.first < t.end && !rows[t.first]) {
        t.first++;
    }
    while (t.first < t.end && !rows[t.end - 1]) {
        t.end--;
    }
    return t;
}

#endif
