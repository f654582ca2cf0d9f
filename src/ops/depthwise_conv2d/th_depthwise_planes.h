/*
 * Planes: rows of images and weights as words of two neighbours, the inputs less their zero point and with zeros for
 * padding, for kernels that multiply halves.
 */
#ifndef TH_DEPTHWISE_PLANES_H
#define TH_DEPTHWISE_PLANES_H

#include "depthwise_conv2d_params.h"
#include "th_dsp.h"

/* Channels that are widened at a time, side by side, unless there is but one. */
enum { th_depthwise_lanes = 4 };

#if TH_DSP_ASM

/*
 * `count` times two neighbours of four channels, the second `step` bytes after the first: four words of pairs, less the
 * zero point, whose negative is in both halves of `offset`; `to` is advanced by to_bytes.
 */
TH_NAKED void th_depthwise_pairs(const int8_t *from TH_ASM_ARG, int32_t step TH_ASM_ARG, int32_t *to TH_ASM_ARG,
                                 int32_t count TH_ASM_ARG, uint32_t offset TH_ASM_ARG, int32_t to_bytes TH_ASM_ARG)
{
    __asm__("push {r4-r9}\n"
            "ldrd r8, r9, [sp, #24]\n"
            "1:\n"
            "ldr r5, [r0, r1]\n"
            "ldr r4, [r0]\n"
            "add r0, r0, r1, lsl #1\n"
            "pkhtb r7, r5, r4, asr #16\n"
            "pkhbt r5, r4, r5, lsl #16\n"
            "sxtab16 r4, r8, r5\n"
            "sxtab16 r5, r8, r5, ror #8\n"
            "sxtab16 r6, r8, r7\n"
            "sxtab16 r7, r8, r7, ror #8\n"
            "subs r3, r3, #1\n"
            "stm r2, {r4-r7}\n"
            "add r2, r2, r9\n"
            "bne 1b\n"
            "pop {r4-r9}\n"
            "bx lr\n");
}

#else

TH_KERNEL void th_depthwise_pairs(const int8_t *from, int32_t step, int32_t *to, int32_t count, uint32_t offset,
                                  int32_t to_bytes)
{
    const int32_t add = (int32_t)(offset & 0xffffu);
    for (; count > 0; count--) {
        for (int32_t c = 0; c < th_depthwise_lanes; c++) {
            to[c] = (int32_t)th_pkhbt((uint32_t)(from[c] + add), (uint32_t)(from[step + c] + add));
        }
        from += 2 * step;
        to += to_bytes / 4;
    }
}

#endif

/* Words of a channel's weights [rows][k_w], read with up to three bytes after them: an even output's and an odd one's. */
TH_INLINE void th_depthwise_widen_1(const int8_t *weights, int32_t rows, int32_t k_w, int32_t steps, int32_t *words)
{
    for (int32_t ky = 0; ky < rows; ky++) {
        uint32_t before = 0;
        int32_t *to = words + ky * 2 * steps;
        for (int32_t left = k_w; to < words + (ky + 1) * 2 * steps; left -= 4, to += 4) {
            uint32_t four = 0;
            if (left > 0) {
                four = th_load32(weights + k_w - left);
                four = left < 4 ? four & ((UINT32_C(1) << (8 * left)) - 1u) : four;
            }
            const uint32_t even = th_sxtb16(four);
            const uint32_t odd = th_sxtb16_ror8(four);
            to[0] = (int32_t)th_pkhbt(even, odd);
            to[1] = (int32_t)(even << 16 | before);
            to[2] = (int32_t)th_pkhtb(odd, even);
            to[3] = (int32_t)((odd & 0xffffu) | (even & 0xffff0000u));
            before = odd >> 16;
        }
        weights += k_w;
    }
}

/* The same for stride 2: one word of each two weights. */
TH_INLINE void th_depthwise_widen_2(const int8_t *weights, int32_t rows, int32_t k_w, int32_t steps, int32_t *words)
{
    for (int32_t ky = 0; ky < rows; ky++) {
        int32_t *to = words + ky * steps;
        for (int32_t left = k_w; left > 0; left -= 4, to += 2) {
            uint32_t four = th_load32(weights + k_w - left);
            four = left < 4 ? four & ((UINT32_C(1) << (8 * left)) - 1u) : four;
            const uint32_t even = th_sxtb16(four);
            const uint32_t odd = th_sxtb16_ror8(four);
            to[0] = (int32_t)th_pkhbt(even, odd);
            to[1] = (int32_t)th_pkhtb(odd, even);
        }
        weights += k_w;
    }
}

/* Where the planes have what: a row's neighbours x0 + 2i and x0 + 2i + 1 at i * pair, the next row's `row` words on. */
typedef struct {
    int32_t x0, pairs, pair, row;
} th_depthwise_planes;

/* Both halves less a zero point; no difference needs more than 10 bits. */
TH_INLINE uint32_t th_depthwise_less(uint32_t halves, int32_t zero)
{
#if TH_DSP_ASM
    uint32_t result;
    __asm__("ssub16 %0, %1, %2" : "=r"(result) : "r"(halves), "r"((uint32_t)(zero & 0xffff) * UINT32_C(0x10001)));
    return result;
#else
    return th_pkhbt((uint32_t)(th_low_half(halves) - zero), (uint32_t)(th_high_half(halves) - zero));
#endif
}

/* Writes the pairs of one row of up to four channels; padding was written before, where both of a pair are that. */
TH_INLINE void th_depthwise_fill(const th_depthwise_conv2d_params *p, const th_depthwise_planes *planes,
                                 const int8_t *row, int32_t lanes, int32_t *to)
{
    const int32_t zero = p->in_zero;
    int32_t i = planes->x0 < 0 ? -planes->x0 >> 1 : 0;
    while (i < planes->pairs) {
        const int32_t x = planes->x0 + 2 * i;
        const int32_t whole = x >= 0 && lanes == th_depthwise_lanes ? th_min(planes->pairs - i, (p->in_w - x) >> 1) : 0;
        if (whole > 0) {
            th_depthwise_pairs(row + x * p->in_step, p->in_step, to + i * planes->pair, whole,
                               (uint32_t)(-zero & 0xffff) * UINT32_C(0x10001), planes->pair * 4);
            i += whole;
            continue;
        }
        if (lanes == 1 && p->in_step == 1 && x >= 0) {
            /* Four values of one channel follow each other. */
            for (; i + 1 < planes->pairs && planes->x0 + 2 * i + 3 < p->in_w; i += 2) {
                const uint32_t four = th_load32(row + planes->x0 + 2 * i);
                const uint32_t even = th_depthwise_less(th_sxtb16(four), zero);
                const uint32_t odd = th_depthwise_less(th_sxtb16_ror8(four), zero);
                to[i] = (int32_t)th_pkhbt(even, odd);
                to[i + 1] = (int32_t)th_pkhtb(odd, even);
            }
            if (planes->x0 + 2 * i != x) {
                continue;
            }
        }
        if (x >= p->in_w) {
            return;
        }
        const int32_t has_next = x + 1 < p->in_w;
        for (int32_t c = 0; c < lanes; c++) {
            const int32_t low = x >= 0 ? row[x * p->in_step + c] - zero : 0;
            const int32_t high = has_next ? row[(x + 1) * p->in_step + c] - zero : 0;
            to[i * planes->pair + c] = (int32_t)th_pkhbt((uint32_t)low, (uint32_t)high);
        }
        i++;
    }
}

#endif
