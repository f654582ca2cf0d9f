/*
 * Instructions of Armv7E-M and of Armv8-M with the DSP extension, as functions: SIMD on the two halves of a word, and
 * rounding multiplies. Where the compiler has no such instructions, the same functions compute the same in C.
 */
#ifndef TH_DSP_H
#define TH_DSP_H

#include "th_base.h"

/*
 * TH_DSP_ASM is 1 where the functions are instructions and kernels may have bodies in assembly. Those are functions of
 * TH_NAKED: nothing but one asm statement, which saves what it uses and returns; the compiler must know nothing of them
 * but their type.
 */
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__)
#define TH_DSP_ASM 1
#if defined(__clang__)
#define TH_NAKED static __attribute__((naked, noinline, unused))
#else
#define TH_NAKED static __attribute__((naked, noipa, unused))
#endif
#define TH_ASM_ARG __attribute__((unused))
#else
#define TH_DSP_ASM 0
#endif

/* Four bytes, wherever they lie. */
TH_INLINE uint32_t th_load32(const void *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

TH_INLINE void th_store32(void *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

/* The halves of a word. */
TH_INLINE int32_t th_low_half(uint32_t x)
{
    return (int32_t)((x & 0xffffu) ^ 0x8000u) - 0x8000;
}

TH_INLINE int32_t th_high_half(uint32_t x)
{
    return th_low_half(x >> 16);
}

#if TH_DSP_ASM

#define TH_DSP_UNARY(name, text)                                                                                       \
    TH_INLINE uint32_t name(uint32_t x)                                                                                \
    {                                                                                                                  \
        uint32_t result;                                                                                               \
        __asm__(text : "=r"(result) : "r"(x));                                                                         \
        return result;                                                                                                 \
    }
#define TH_DSP_BINARY(type, name, text)                                                                                \
    TH_INLINE type name(type x, type y)                                                                                \
    {                                                                                                                  \
        type result;                                                                                                   \
        __asm__(text : "=r"(result) : "r"(x), "r"(y));                                                                 \
        return result;                                                                                                 \
    }
#define TH_DSP_ADD(name, text)                                                                                         \
    TH_INLINE int32_t name(uint32_t x, uint32_t y, int32_t sum)                                                        \
    {                                                                                                                  \
        int32_t result;                                                                                                \
        __asm__(text : "=r"(result) : "r"(x), "r"(y), "r"(sum));                                                       \
        return result;                                                                                                 \
    }

/* Bytes 0 and 2 (1 and 3 after the rotation), each as a signed half. */
TH_DSP_UNARY(th_sxtb16, "sxtb16 %0, %1")
TH_DSP_UNARY(th_sxtb16_ror8, "sxtb16 %0, %1, ror #8")
/* Each half of x with byte 0 or 2 (1 or 3 after the rotation) of y added, modulo 2^16. */
TH_DSP_BINARY(uint32_t, th_sxtab16, "sxtab16 %0, %1, %2")
TH_DSP_BINARY(uint32_t, th_sxtab16_ror8, "sxtab16 %0, %1, %2, ror #8")
/* The low half of x below the low half of y; the high half of y below the high half of x. */
TH_DSP_BINARY(uint32_t, th_pkhbt, "pkhbt %0, %1, %2, lsl #16")
TH_DSP_BINARY(uint32_t, th_pkhtb, "pkhtb %0, %1, %2, asr #16")
/* Halves of x less those of y, modulo 2^16. */
TH_DSP_BINARY(uint32_t, th_ssub16, "ssub16 %0, %1, %2")
/* floor((x * y + 2^31) / 2^32) */
TH_DSP_BINARY(int32_t, th_smmulr, "smmulr %0, %1, %2")
/* sum + low(x) * low(y) + high(x) * high(y), modulo 2^32 */
TH_DSP_ADD(th_smlad, "smlad %0, %1, %2, %3")
/* sum + low(x) * high(y) + high(x) * low(y), modulo 2^32 */
TH_DSP_ADD(th_smladx, "smladx %0, %1, %2, %3")
/* sum + half(x) * half(y), b for bottom (low) and t for top, modulo 2^32 */
TH_DSP_ADD(th_smlabb, "smlabb %0, %1, %2, %3")
TH_DSP_ADD(th_smlabt, "smlabt %0, %1, %2, %3")
TH_DSP_ADD(th_smlatb, "smlatb %0, %1, %2, %3")
TH_DSP_ADD(th_smlatt, "smlatt %0, %1, %2, %3")

/* sum + floor((x * y + 2^31) / 2^32), modulo 2^32 */
TH_INLINE int32_t th_smmlar(int32_t x, int32_t y, int32_t sum)
{
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(y), "r"(sum));
    return result;
}

/* x limited to [-128, 127] */
TH_INLINE int32_t th_ssat8(int32_t x)
{
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return result;
}

#undef TH_DSP_UNARY
#undef TH_DSP_BINARY
#undef TH_DSP_ADD

#else

TH_INLINE uint32_t th_sxtb16(uint32_t x)
{
    const uint32_t low = (((x & 0xffu) ^ 0x80u) - 0x80u) & 0xffffu;
    const uint32_t high = (((x >> 16 & 0xffu) ^ 0x80u) - 0x80u) << 16;
    return high | low;
}

TH_INLINE uint32_t th_sxtb16_ror8(uint32_t x)
{
    return th_sxtb16(x >> 8);
}

TH_INLINE uint32_t th_sxtab16(uint32_t x, uint32_t y)
{
    const uint32_t bytes = th_sxtb16(y);
    return ((x + bytes) & 0xffffu) | ((x & 0xffff0000u) + (bytes & 0xffff0000u));
}

TH_INLINE uint32_t th_sxtab16_ror8(uint32_t x, uint32_t y)
{
    return th_sxtab16(x, y >> 8);
}

TH_INLINE uint32_t th_pkhbt(uint32_t x, uint32_t y)
{
    return (x & 0xffffu) | (y << 16);
}

TH_INLINE uint32_t th_pkhtb(uint32_t x, uint32_t y)
{
    return (x & 0xffff0000u) | (y >> 16);
}

TH_INLINE uint32_t th_ssub16(uint32_t x, uint32_t y)
{
    return ((x - y) & 0xffffu) | ((x & 0xffff0000u) - (y & 0xffff0000u));
}

TH_INLINE int32_t th_smmulr(int32_t x, int32_t y)
{
    return (int32_t)(((int64_t)x * y + INT64_C(0x80000000)) >> 32);
}

TH_INLINE int32_t th_smmlar(int32_t x, int32_t y, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)th_smmulr(x, y));
}

TH_INLINE int32_t th_smlabb(uint32_t x, uint32_t y, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(th_low_half(x) * th_low_half(y)));
}

TH_INLINE int32_t th_smlabt(uint32_t x, uint32_t y, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(th_low_half(x) * th_high_half(y)));
}

TH_INLINE int32_t th_smlatb(uint32_t x, uint32_t y, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(th_high_half(x) * th_low_half(y)));
}

TH_INLINE int32_t th_smlatt(uint32_t x, uint32_t y, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)(th_high_half(x) * th_high_half(y)));
}

TH_INLINE int32_t th_smlad(uint32_t x, uint32_t y, int32_t sum)
{
    return th_smlatt(x, y, th_smlabb(x, y, sum));
}

TH_INLINE int32_t th_smladx(uint32_t x, uint32_t y, int32_t sum)
{
    return th_smlatb(x, y, th_smlabt(x, y, sum));
}

TH_INLINE int32_t th_ssat8(int32_t x)
{
    return th_clamp(x, -128, 127);
}

#endif

#endif
