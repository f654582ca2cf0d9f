/*
 * The LSTM of th_lstm_s8.h for Helium. Gates are computed four rows of weights at a time: sixteen products of each in two
 * instructions for the input, whose zero point is in the biases, eight for the hidden state. Everything behind the
 * products works on four units in a vector, the sigmoid's table read by gathering loads.
 */
#ifndef TH_LSTM_S8_HELIUM_H
#define TH_LSTM_S8_HELIUM_H

#include "th_helium.h"
#include "th_lstm_s8.h"

#if TH_HELIUM

/* Four rows of weights, of which there may be fewer: the last stands for those that are missing. */
typedef struct {
    const int8_t *w0, *w1, *w2, *w3;
} th_lstm_rows;

TH_INLINE th_lstm_rows th_lstm_rows_of(const int8_t *weights, int32_t row_bytes, int32_t count)
{
    th_lstm_rows r;
    r.w0 = weights;
    r.w1 = r.w0 + (count > 1 ? row_bytes : 0);
    r.w2 = r.w1 + (count > 2 ? row_bytes : 0);
    r.w3 = r.w2 + (count > 3 ? row_bytes : 0);
    return r;
}

TH_INLINE int32x4_t th_lstm_four(int32_t s0, int32_t s1, int32_t s2, int32_t s3)
{
    int32x4_t sums = vdupq_n_s32(s0);
    sums = vsetq_lane_s32(s1, sums, 1);
    sums = vsetq_lane_s32(s2, sums, 2);
    return vsetq_lane_s32(s3, sums, 3);
}

/* Products of n values with four rows. Beyond the end values and weights load as 0. */
TH_INLINE int32x4_t th_lstm_products(const int8_t *values, th_lstm_rows r, int32_t n)
{
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    __asm__ volatile("wlstp.8 lr, %[n], 1f\n"
                     "0:\n"
                     "vldrb.u8 q0, [%[v]], #16\n"
                     "vldrb.u8 q1, [%[w0]], #16\n"
                     "vmladava.s8 %[s0], q0, q1\n"
                     "vldrb.u8 q2, [%[w1]], #16\n"
                     "vmladava.s8 %[s1], q0, q2\n"
                     "vldrb.u8 q1, [%[w2]], #16\n"
                     "vmladava.s8 %[s2], q0, q1\n"
                     "vldrb.u8 q2, [%[w3]], #16\n"
                     "vmladava.s8 %[s3], q0, q2\n"
                     "letp lr, 0b\n"
                     "1:"
                     : [v] "+r"(values), [w0] "+r"(r.w0), [w1] "+r"(r.w1), [w2] "+r"(r.w2), [w3] "+r"(r.w3),
                       [s0] "+&Te"(s0), [s1] "+&Te"(s1), [s2] "+&Te"(s2), [s3] "+&Te"(s3)
                     : [n] "r"(n)
                     : "lr", "q0", "q1", "q2", "memory");
    return th_lstm_four(s0, s1, s2, s3);
}

/* The same less a zero point, which comes where the first sum goes; what it adds beyond the end is multiplied by 0. */
TH_INLINE int32x4_t th_lstm_products_less(const int8_t *values, th_lstm_rows r, int32_t n, int32_t zero)
{
    int32_t s0 = zero, s1 = 0, s2 = 0, s3 = 0;
    __asm__ volatile("vdup.16 q3, %[s0]\n"
                     "mov %[s0], #0\n"
                     "wlstp.16 lr, %[n], 1f\n"
                     "0:\n"
                     "vldrb.s16 q0, [%[v]], #8\n"
                     "vldrb.s16 q1, [%[w0]], #8\n"
                     "vsub.i16 q0, q0, q3\n"
                     "vldrb.s16 q2, [%[w1]], #8\n"
                     "vmladava.s16 %[s0], q0, q1\n"
                     "vldrb.s16 q1, [%[w2]], #8\n"
                     "vmladava.s16 %[s1], q0, q2\n"
                     "vldrb.s16 q2, [%[w3]], #8\n"
                     "vmladava.s16 %[s2], q0, q1\n"
                     "vmladava.s16 %[s3], q0, q2\n"
                     "letp lr, 0b\n"
                     "1:"
                     : [v] "+l"(values), [w0] "+l"(r.w0), [w1] "+l"(r.w1), [w2] "+l"(r.w2), [w3] "+l"(r.w3),
                       [s0] "+&Te"(s0), [s1] "+&Te"(s1), [s2] "+&Te"(s2), [s3] "+&Te"(s3)
                     : [n] "r"(n)
                     : "lr", "q0", "q1", "q2", "q3", "memory");
    return th_lstm_four(s0, s1, s2, s3);
}

/* Four values of th_requantize: one is taken from negative values, so that ties go away from zero. */
TH_INLINE int32x4_t th_lstm_scaled(int32x4_t x, int32_t multiplier, int32_t shift)
{
    if (shift >= 0) {
        return vqrdmulhq_n_s32(vshlq_r_s32(x, shift), multiplier);
    }
    const int32x4_t sign = vshrq_n_s32(x, 31);
    return vrshlq_n_s32(vaddq_s32(vqrdmulhq_n_s32(x, multiplier), sign), shift);
}

/* The sum of four values, each and all limited to 16 bits. */
TH_INLINE int32x4_t th_lstm_sum16(int32x4_t a, int32x4_t b)
{
    const int16x8_t zeros = vdupq_n_s16(0);
    return vmovlbq_s16(vqaddq_s16(vqmovnbq_s32(zeros, a), vqmovnbq_s32(zeros, b)));
}

/* Four values of th_sigmoid_between with 8 or 9 bits, or what the table ends with. */
TH_INLINE int32x4_t th_lstm_between(const int16_t *table, int32x4_t x, int32_t bits, int32_t end)
{
    const uint16_t *entries = (const uint16_t *)table;
    const uint32x4_t magnitude = vreinterpretq_u32_s32(vabsq_s32(x));
    const uint32x4_t index = vshlq_r_u32(magnitude, -bits);
    const uint32x4_t inside = vminq_u32(index, vdupq_n_u32(254));
    const int32x4_t low = vreinterpretq_s32_u32(vldrhq_gather_shifted_offset_u32(entries, inside));
    const int32x4_t high = vreinterpretq_s32_u32(vldrhq_gather_shifted_offset_u32(entries + 1, inside));
    const uint32x4_t part = vandq_u32(magnitude, vdupq_n_u32((UINT32_C(1) << bits) - 1));
    const int32x4_t steps = vmulq_s32(vreinterpretq_s32_u32(part), vsubq_s32(high, low));
    return vpselq_s32(vdupq_n_s32(end), vaddq_s32(vshlq_r_s32(low, bits), steps), vcmpcsq_n_u32(index, 255));
}

/* Four values of th_logistic_s16_value, from units of the table. */
TH_INLINE int32x4_t th_lstm_logistic(const int16_t *table, int32x4_t x)
{
    const int32x4_t value = th_lstm_between(table, x, 9, 0x7fff << 10);
    const int32x4_t below = vsubq_s32(vdupq_n_s32((1 << 25) + 511), value);
    return vshrq_n_s32(vpselq_s32(below, vaddq_n_s32(value, 512), vcmpltq_n_s32(x, 0)), 10);
}

/* Four values of th_tanh_s16_value. */
TH_INLINE int32x4_t th_lstm_tanh(const int16_t *table, int32x4_t x)
{
    const int32x4_t value = vsubq_n_s32(th_lstm_between(table, x, 8, 0xffff << 8), 1 << 23);
    const int32x4_t below = vsubq_s32(vdupq_n_s32(127), value);
    return vshrq_n_s32(vpselq_s32(below, vaddq_n_s32(value, 128), vcmpltq_n_s32(x, 0)), 8);
}

TH_ROW void th_lstm_gates_helium(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                                 const int8_t *recurrent, const int32_t *bias, const int8_t *hidden, int16_t *gates)
{
    const int32_t units = p->units;
    const int32_t inputs = p->inputs;
    for (int32_t gate = 0; gate < 4; gate++) {
        int32_t rows;
        for (int32_t left = units; left > 0; left -= rows) {
            rows = th_min(left, 4);
            const mve_pred16_t some = vctp32q((uint32_t)left);
            int32x4_t sums = th_lstm_products(input, th_lstm_rows_of(weights, inputs, rows), inputs);
            sums = vaddq_s32(sums, vldrwq_z_s32(bias, some));
            int32x4_t back = th_lstm_products_less(hidden, th_lstm_rows_of(recurrent, units, rows), units,
                                                   p->hidden_zero);
            sums = th_lstm_scaled(sums, p->input_multiplier[gate], p->input_shift[gate]);
            back = th_lstm_scaled(back, p->recurrent_multiplier[gate], p->recurrent_shift[gate]);
            vstrhq_p_s32(gates, th_lstm_sum16(sums, back), some);
            weights += rows * inputs;
            recurrent += rows * units;
            bias += rows;
            gates += rows;
        }
    }
}

TH_ROW void th_lstm_states_helium(const th_lstm_params *p, const int16_t *table, int16_t *gates, int8_t *hidden,
                                  int16_t *cell)
{
    const int32_t units = p->units;
    for (int32_t u = 0; u < units; u += 4) {
        const mve_pred16_t some = vctp32q((uint32_t)(units - u));
        const int16_t *gate = gates + u;
        const int32x4_t update = th_lstm_logistic(table, vmulq_n_s32(vldrhq_z_s32(gate, some), 3));
        const int32x4_t forget = th_lstm_logistic(table, vmulq_n_s32(vldrhq_z_s32(gate + units, some), 3));
        const int32x4_t candidate = th_lstm_tanh(table, vmulq_n_s32(vldrhq_z_s32(gate + 2 * units, some), 3));
        const int32x4_t out = th_lstm_logistic(table, vmulq_n_s32(vldrhq_z_s32(gate + 3 * units, some), 3));
        const int32x4_t kept = vmulq_s32(forget, vldrhq_z_s32(cell + u, some));
        int32x4_t sum = th_lstm_sum16(
            th_lstm_scaled(kept, p->forget_multiplier, p->forget_shift),
            th_lstm_scaled(vmulq_s32(update, candidate), p->update_multiplier, p->update_shift));
        if (p->cell_clip > 0) {
            sum = vmaxq_s32(vminq_s32(sum, vdupq_n_s32(p->cell_clip)), vdupq_n_s32(-p->cell_clip));
        }
        vstrhq_p_s32(cell + u, sum, some);
        const int32x4_t scaled = vrshlq_n_s32(vmulq_n_s32(sum, p->tanh_multiplier), -p->tanh_shift);
        int32x4_t value = vmulq_s32(th_lstm_tanh(table, scaled), out);
        value = vaddq_n_s32(th_lstm_scaled(value, p->hidden_multiplier, p->hidden_shift), p->hidden_zero);
        value = vminq_s32(vmaxq_s32(value, vdupq_n_s32(p->min)), vdupq_n_s32(p->max));
        vstrbq_p_s32(hidden + u, value, some);
    }
}

#else

/* Adds products of both rows; values are as they are where their zero point is in the biases. */
TH_ROW void th_lstm_gates_helium(const th_lstm_params *p, const int8_t *input, const int8_t *weights,
                                 const int8_t *recurrent, const int32_t *bias, const int8_t *hidden, int16_t *gates)
{
    for (int32_t row = 0; row < 4 * p->units; row++, weights += p->inputs, recurrent += p->units) {
        const int32_t gate = row / p->units;
        int32_t sum = bias[row];
        int32_t back = 0;
        for (int32_t i = 0; i < p->inputs; i++) {
            sum += input[i] * weights[i];
        }
        for (int32_t i = 0; i < p->units; i++) {
            back += (hidden[i] - p->hidden_zero) * recurrent[i];
        }
        sum = th_requantize(sum, p->input_multiplier[gate], p->input_shift[gate]);
        back = th_requantize(back, p->recurrent_multiplier[gate], p->recurrent_shift[gate]);
        gates[row] = (int16_t)th_lstm_clamp16(th_lstm_clamp16(sum) + th_lstm_clamp16(back));
    }
}

#define th_lstm_states_helium th_lstm_states_s8

#endif

/* bias: less the sums of weights times the input's zero point. */
TH_LSTM_S8_KERNEL(th_lstm_s8_helium, th_lstm_gates_helium, th_lstm_states_helium)

#endif
