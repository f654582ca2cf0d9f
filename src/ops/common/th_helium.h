/*
 * What kernels for Helium, the integer vectors of Armv8.1-M, share: copies, and pieces of assembly.
 * TH_HELIUM is 1 where kernels have bodies in assembly; elsewhere the same headers compute the same in C.
 */
#ifndef TH_HELIUM_H
#define TH_HELIUM_H

#include "th_dsp.h"
#include "th_fixedpoint.h"

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1) && TH_DSP_ASM
#define TH_HELIUM 1
#include <arm_mve.h>
#else
#define TH_HELIUM 0
#endif

#if TH_HELIUM

/* n bytes, n from 0. */
TH_INLINE void th_helium_copy(int8_t *to, const int8_t *from, int32_t n)
{
    __asm__ volatile("wlstp.8 lr, %2, 1f\n"
                     "0:\n"
                     "vldrb.u8 q0, [%1], #16\n"
                     "vstrb.8 q0, [%0], #16\n"
                     "letp lr, 0b\n"
                     "1:"
                     : "+r"(to), "+r"(from)
                     : "r"(n)
                     : "lr", "q0", "memory");
}

TH_INLINE void th_helium_fill(int8_t *to, int32_t value, int32_t n)
{
    __asm__ volatile("vdup.8 q0, %1\n"
                     "wlstp.8 lr, %2, 1f\n"
                     "0:\n"
                     "vstrb.8 q0, [%0], #16\n"
                     "letp lr, 0b\n"
                     "1:"
                     : "+r"(to)
                     : "r"(value), "r"(n)
                     : "lr", "q0", "memory");
}

/*
 * Lines of assembly of the finish of four sums in a vector. Rounding twice as the reference does: VQRDMULH is its
 * first rounding; VRSHL rounds halves up, the reference away from zero, so one is taken off what is negative. Where
 * outputs are limited to the zero point and more, those do not show, and the lines are left out.
 */
#define TH_HELIUM_SIGN(sign, x) "vshr.s32 " sign ", " x ", #31\n"
#define TH_HELIUM_AWAY(sign, x) "vadd.i32 " x ", " x ", " sign "\n"
#define TH_HELIUM_NOTHING(sign, x)

#else

TH_INLINE void th_helium_copy(int8_t *to, const int8_t *from, int32_t n)
{
    memcpy(to, from, (size_t)n);
}

TH_INLINE void th_helium_fill(int8_t *to, int32_t value, int32_t n)
{
    memset(to, value, (size_t)n);
}

#endif

/* A sum as an output; right shifts from 0. */
TH_INLINE int8_t th_helium_finish(int32_t sum, int32_t multiplier, int32_t right, int32_t zero, int32_t min,
                                  int32_t max)
{
    return (int8_t)th_clamp(th_requantize(sum, multiplier, -right) + zero, min, max);
}

#endif
