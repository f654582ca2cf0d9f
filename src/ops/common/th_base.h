/*
 * What every kernel includes: fixed-width types, the storage class of kernels, and the hooks that tests define.
 * C99; needs no more of the C library than these two headers.
 */
#ifndef TH_BASE_H
#define TH_BASE_H

#include <stdint.h>
#include <string.h>

/* Kernels are private to the translation unit that includes them, so any number of models link together. */
#if defined(__GNUC__)
#define TH_KERNEL static __attribute__((unused))
#define TH_INLINE static inline __attribute__((always_inline))
/* Code that computes one row: a loop around it must not take registers away from the loops inside. */
#define TH_ROW static __attribute__((noinline))
/* The same for a step that has its kernel to itself, made for its sizes: everything it calls becomes part of it. */
#define TH_FOLDED static __attribute__((noinline, flatten))
#else
#define TH_KERNEL static
#define TH_INLINE static inline
#define TH_ROW static
#define TH_FOLDED static
#endif

/* A function where nearly all of the time goes: compiled for speed even where everything else is compiled for size. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE_SIZE__)
#define TH_LOOP static __attribute__((noinline, unused, optimize("O2")))
#elif defined(__GNUC__)
#define TH_LOOP static __attribute__((noinline, unused))
#else
#define TH_LOOP static
#endif

/* Called after every step with the step's index, the address and the size of each output; nothing by default. */
#ifndef TH_TRACE
#define TH_TRACE(step, output, data, bytes) ((void)0)
#endif

TH_INLINE int32_t th_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

TH_INLINE int32_t th_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

TH_INLINE int32_t th_clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : (x > high ? high : x);
}

TH_INLINE float th_clampf(float x, float low, float high)
{
    return x < low ? low : (x > high ? high : x);
}

/* Element i of int4 values packed two to a byte, low nibble first. */
TH_INLINE int32_t th_int4(const uint8_t *packed, int32_t i)
{
    const int32_t nibble = (packed[i >> 1] >> ((i & 1) * 4)) & 15;
    return (nibble ^ 8) - 8;
}

/*
 * Which taps of a window lie inside an axis: taps first <= k < end of those at start + k * dilation are in [0, size).
 */
typedef struct {
    int32_t first, end;
} th_taps;

TH_INLINE th_taps th_taps_inside(int32_t start, int32_t dilation, int32_t taps, int32_t size)
{
    th_taps t;
    t.first = start < 0 ? (dilation - 1 - start) / dilation : 0;
    t.end = start < size ? th_min((size - start + dilation - 1) / dilation, taps) : 0;
    return t;
}

#endif
