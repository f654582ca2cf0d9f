/*
 * Depthwise convolution, int8 activations and weights, for cores with SIMD on halves; bit-exact with
 * depthwiseConv2dReference. Stride 1 or 2 along the row, dilation 1 there; |sum| < 2^30, right shifts from 1 to 22.
 *
 * A block of the output row is made at a time. Its inputs, less their zero point and with zeros for padding, are put into
 * scratch as `planes`: words of two neighbours in a row of one channel, four channels side by side or one alone, so that a
 * word times a word of weights is two products of one sum. Then the output channels of those four are computed one after another, each
 * with its weights widened beside the planes, four outputs at a time.
 */
#ifndef TH_DEPTHWISE_CONV2D_S8_DSP_H
#define TH_DEPTHWISE_CONV2D_S8_DSP_H

#include "depthwise_conv2d_params.h"
#include "th_dsp.h"
#include "th_rows.h"

typedef struct {
    th_depthwise_conv2d_params p;
    int32_t block;       /* outputs of a row in a block, a multiple of four */
    int32_t plane_words; /* of the scratch, for the planes */
} th_depthwise_conv2d_dsp_params;

/* What the outputs of one channel need; the assembly knows the offsets. */
typedef struct {
    int32_t bias2, multiplier, add, right; /* 0 to 12: twice the bias; half and zero point, shifted left by `right` */
    int32_t out_step;                      /* 16: from pixel to pixel */
    int32_t rows;                          /* 20: of the window */
    int32_t row_bytes;                     /* 24: from a row of the planes to the next */
    int32_t weight_bytes;                  /* 28: of the widened weights */
    int32_t count;                         /* 32: groups of outputs, at least one */
} th_depthwise_run;

/*
 * One channel's outputs, groups of four or of two. data: the channel's words in the planes; weights: for each row `steps`
 * times (stride 1) the words for an even and for an odd output, or (stride 2) a word.
 */
typedef void th_depthwise_group(const int32_t *data, const int32_t *weights, int8_t *output,
                                const th_depthwise_run *run);

/* Channels that are widened at a time, side by side, unless there is but one. */
enum { th_depthwise_lanes = 4 };

#if TH_DSP_ASM

#define TH_DW_ARGS                                                                                                     \
    const int32_t *data TH_ASM_ARG, const int32_t *weights TH_ASM_ARG, int8_t *output TH_ASM_ARG,                     \
        const th_depthwise_run *run TH_ASM_ARG
#define TH_DW_FINISH(sum)                                                                                              \
    "add " sum ", r8, " sum ", lsl #1\n"                                                                               \
    "add r12, r10, " sum ", asr #31\n"                                                                                 \
    "smmlar " sum ", " sum ", r9, r12\n"                                                                               \
    "asr " sum ", " sum ", r11\n"                                                                                      \
    "ssat " sum ", #8, " sum "\n"
#define TH_DW_MAC(sum, x, w) "smlad " sum ", " x ", " w ", " sum "\n"
/* Two outputs; the second is written first, so that with a step of 0 the first is what remains. */
#define TH_DW_STORE(first, second)                                                                                     \
    "strb " second ", [r2, r12]\n"                                                                                     \
    "strb " first ", [r2]\n"                                                                                           \
    "add r2, r2, r12, lsl #1\n"
/* Stack: data, run, count, then what was saved. r0 data, r1 weights, r2 output, r3 bytes of a row. */
#define TH_DW_ENTER                                                                                                    \
    "push {r4-r11, lr}\n"                                                                                              \
    "ldr r4, [r3, #32]\n"                                                                                              \
    "sub sp, sp, #12\n"                                                                                                \
    "strd r0, r3, [sp]\n"                                                                                              \
    "str r4, [sp, #8]\n"                                                                                               \
    "1:\n"
#define TH_DW_ROWS                                                                                                     \
    "ldr r12, [sp, #4]\n"                                                                                              \
    "ldr r3, [r12, #24]\n"                                                                                             \
    "ldr r12, [r12, #20]\n"                                                                                            \
    "2:\n"
#define TH_DW_ROWS_END                                                                                                 \
    "add r0, r0, r3\n"                                                                                                 \
    "subs r12, r12, #1\n"                                                                                              \
    "bne 2b\n"                                                                                                         \
    "ldr r12, [sp, #4]\n"                                                                                              \
    "ldr r3, [r12, #28]\n"                                                                                             \
    "ldm r12, {r8-r11}\n"                                                                                              \
    "sub r1, r1, r3\n"
#define TH_DW_STEP "ldr r12, [sp, #4]\nldr r12, [r12, #16]\n"
#define TH_DW_LEAVE(advance)                                                                                           \
    "ldr r0, [sp]\n"                                                                                                   \
    "ldr r3, [sp, #8]\n"                                                                                               \
    "add r0, r0, #" advance "\n"                                                                                       \
    "str r0, [sp]\n"                                                                                                   \
    "subs r3, r3, #1\n"                                                                                                \
    "str r3, [sp, #8]\n"                                                                                               \
    "bne 1b\n"                                                                                                         \
    "add sp, sp, #12\n"                                                                                                \
    "pop {r4-r11, pc}\n"
#define TH_DW_FINISH_FOUR                                                                                              \
    TH_DW_FINISH("r4") TH_DW_FINISH("r5") TH_DW_FINISH("r6") TH_DW_FINISH("r7")                                        \
    TH_DW_STEP TH_DW_STORE("r4", "r5") TH_DW_STORE("r6", "r7")
#define TH_DW_FINISH_TWO TH_DW_FINISH("r4") TH_DW_FINISH("r5") TH_DW_STEP TH_DW_STORE("r4", "r5")
#define TH_DW_ZERO_FOUR "mov r4, #0\nmov r5, #0\nmov r6, #0\nmov r7, #0\n"
#define TH_DW_ZERO_TWO "mov r4, #0\nmov r5, #0\n"

/* A step of a row, stride 1: outputs 0 and 1 start at word x, outputs 2 and 3 at the next, which is loaded. */
#define TH_DW_FOUR_1(x, next, offset)                                                                                  \
    "ldrd r8, r9, [r1], #8\n"                                                                                          \
    "ldr " next ", [r0, #" offset "*th_dw]\n"                                                                                \
    TH_DW_MAC("r4", x, "r8") TH_DW_MAC("r5", x, "r9") TH_DW_MAC("r6", next, "r8") TH_DW_MAC("r7", next, "r9")
#define TH_DW_FOUR_1_1 "ldr r10, [r0]\n" TH_DW_FOUR_1("r10", "r11", "1")
#define TH_DW_FOUR_1_2 TH_DW_FOUR_1_1 TH_DW_FOUR_1("r11", "r10", "2")
#define TH_DW_FOUR_1_3 TH_DW_FOUR_1_2 TH_DW_FOUR_1("r10", "r11", "3")
#define TH_DW_FOUR_1_4 TH_DW_FOUR_1_3 TH_DW_FOUR_1("r11", "r10", "4")
#define TH_DW_FOUR_1_5 TH_DW_FOUR_1_4 TH_DW_FOUR_1("r10", "r11", "5")
#define TH_DW_FOUR_1_6 TH_DW_FOUR_1_5 TH_DW_FOUR_1("r11", "r10", "6")
#define TH_DW_TWO_1(offset)                                                                                            \
    "ldrd r8, r9, [r1], #8\n"                                                                                          \
    "ldr r10, [r0, #" offset "*th_dw]\n" TH_DW_MAC("r4", "r10", "r8") TH_DW_MAC("r5", "r10", "r9")
#define TH_DW_TWO_1_1 TH_DW_TWO_1("0")
#define TH_DW_TWO_1_2 TH_DW_TWO_1_1 TH_DW_TWO_1("1")
#define TH_DW_TWO_1_3 TH_DW_TWO_1_2 TH_DW_TWO_1("2")
#define TH_DW_TWO_1_4 TH_DW_TWO_1_3 TH_DW_TWO_1("3")
#define TH_DW_TWO_1_5 TH_DW_TWO_1_4 TH_DW_TWO_1("4")
#define TH_DW_TWO_1_6 TH_DW_TWO_1_5 TH_DW_TWO_1("5")

/* Stride 2: every output starts a word after the one before. */
#define TH_DW_FOUR_2(a, b, c, d)                                                                                       \
    "ldr r8, [r1], #4\n" TH_DW_MAC("r4", a, "r8") TH_DW_MAC("r5", b, "r8") TH_DW_MAC("r6", c, "r8")                    \
    TH_DW_MAC("r7", d, "r8")
#define TH_DW_FOUR_2_1                                                                                                 \
    "ldr r9, [r0]\nldr r10, [r0, #1*th_dw]\nldr r11, [r0, #2*th_dw]\nldr lr, [r0, #3*th_dw]\n"                                        \
    TH_DW_FOUR_2("r9", "r10", "r11", "lr")
#define TH_DW_FOUR_2_2 TH_DW_FOUR_2_1 "ldr r9, [r0, #4*th_dw]\n" TH_DW_FOUR_2("r10", "r11", "lr", "r9")
#define TH_DW_FOUR_2_3 TH_DW_FOUR_2_2 "ldr r10, [r0, #5*th_dw]\n" TH_DW_FOUR_2("r11", "lr", "r9", "r10")
#define TH_DW_FOUR_2_4 TH_DW_FOUR_2_3 "ldr r11, [r0, #6*th_dw]\n" TH_DW_FOUR_2("lr", "r9", "r10", "r11")
#define TH_DW_FOUR_2_5 TH_DW_FOUR_2_4 "ldr lr, [r0, #7*th_dw]\n" TH_DW_FOUR_2("r9", "r10", "r11", "lr")
#define TH_DW_FOUR_2_6 TH_DW_FOUR_2_5 "ldr r9, [r0, #8*th_dw]\n" TH_DW_FOUR_2("r10", "r11", "lr", "r9")
#define TH_DW_TWO_2(x, next, offset)                                                                                   \
    "ldr r8, [r1], #4\n"                                                                                               \
    "ldr " next ", [r0, #" offset "*th_dw]\n" TH_DW_MAC("r4", x, "r8") TH_DW_MAC("r5", next, "r8")
#define TH_DW_TWO_2_1 "ldr r10, [r0]\n" TH_DW_TWO_2("r10", "r11", "1")
#define TH_DW_TWO_2_2 TH_DW_TWO_2_1 TH_DW_TWO_2("r11", "r10", "2")
#define TH_DW_TWO_2_3 TH_DW_TWO_2_2 TH_DW_TWO_2("r10", "r11", "3")
#define TH_DW_TWO_2_4 TH_DW_TWO_2_3 TH_DW_TWO_2("r11", "r10", "4")
#define TH_DW_TWO_2_5 TH_DW_TWO_2_4 TH_DW_TWO_2("r10", "r11", "5")
#define TH_DW_TWO_2_6 TH_DW_TWO_2_5 TH_DW_TWO_2("r11", "r10", "6")

/* th_dw: bytes from two neighbours to the next. */
#define TH_DW_DEFINE_GROUPS(stride, steps, lanes)                                                                      \
    TH_NAKED void th_depthwise_four_##stride##_##steps##_##lanes(TH_DW_ARGS)                                           \
    {                                                                                                                  \
        __asm__(".set th_dw, 4*" #lanes "\n" TH_DW_ENTER TH_DW_ZERO_FOUR TH_DW_ROWS TH_DW_FOUR_##stride##_##steps      \
                    TH_DW_ROWS_END TH_DW_FINISH_FOUR TH_DW_LEAVE("2*" #stride "*th_dw"));                              \
    }                                                                                                                  \
    TH_NAKED void th_depthwise_two_##stride##_##steps##_##lanes(TH_DW_ARGS)                                            \
    {                                                                                                                  \
        __asm__(".set th_dw, 4*" #lanes "\n" TH_DW_ENTER TH_DW_ZERO_TWO TH_DW_ROWS TH_DW_TWO_##stride##_##steps        \
                    TH_DW_ROWS_END TH_DW_FINISH_TWO TH_DW_LEAVE(#stride "*th_dw"));                                    \
    }

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

/* The groups of one channel in C: `outputs` of each, `pair` words from two neighbours to the next. */
TH_INLINE void th_depthwise_groups(const int32_t *data, const int32_t *weights, int8_t *output,
                                   const th_depthwise_run *run, int32_t outputs, int32_t stride, int32_t steps,
                                   int32_t pair, int32_t row)
{
    for (int32_t group = 0; group < run->count; group++) {
        int8_t values[4];
        for (int32_t i = 0; i < outputs; i++) {
            int32_t sum = 0;
            const int32_t first = stride == 1 ? i >> 1 : i;
            for (int32_t ky = 0; ky < run->rows; ky++) {
                for (int32_t k = 0; k < steps; k++) {
                    const int32_t at = ky * steps + k;
                    const int32_t word = weights[stride == 1 ? 2 * at + (i & 1) : at];
                    sum = th_smlad((uint32_t)data[ky * row + (first + k) * pair], (uint32_t)word, sum);
                }
            }
            const int32_t twice = run->bias2 + 2 * sum;
            const int32_t scaled = run->add + (twice < 0 ? -1 : 0) + th_smmulr(twice, run->multiplier);
            values[i] = (int8_t)th_ssat8(scaled >> run->right);
        }
        for (int32_t i = 0; i < outputs; i += 2) {
            output[run->out_step] = values[i + 1];
            output[0] = values[i];
            output += 2 * run->out_step;
        }
        data += outputs / 2 * stride * pair;
    }
}

#define TH_DW_DEFINE_TWIN(name, outputs, stride, steps, pair, row)                                                     \
    TH_KERNEL void name(const int32_t *data, const int32_t *weights, int8_t *output, const th_depthwise_run *run)      \
    {                                                                                                                  \
        th_depthwise_groups(data, weights, output, run, outputs, stride, steps, pair, row);                            \
    }
#define TH_DW_DEFINE_GROUPS(stride, steps, lanes)                                                                      \
    TH_DW_DEFINE_TWIN(th_depthwise_four_##stride##_##steps##_##lanes, 4, stride, steps, lanes, run->row_bytes / 4)     \
    TH_DW_DEFINE_TWIN(th_depthwise_two_##stride##_##steps##_##lanes, 2, stride, steps, lanes, run->row_bytes / 4)

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

/* What a kernel is made of: how far an output reaches, and the functions for four outputs and for two. */
typedef struct {
    int32_t stride, steps, lanes; /* lanes: words from two neighbours to the next */
    th_depthwise_group *four, *two;
} th_depthwise_form;

/* All outputs of one channel in a block. */
TH_INLINE void th_depthwise_channel(const th_depthwise_form *form, th_depthwise_run *run, const int32_t *data,
                                    const int32_t *weights, int32_t outputs, int32_t pair, int8_t *output)
{
    const int32_t out_step = run->out_step;
    const int32_t fours = outputs >> 2;
    if (fours > 0) {
        run->count = fours;
        form->four(data, weights, output, run);
        data += fours * 2 * form->stride * pair;
        output += fours * 4 * out_step;
    }
    if (outputs & 2) {
        run->count = 1;
        form->two(data, weights, output, run);
        data += form->stride * pair;
        output += 2 * out_step;
    }
    if (outputs & 1) {
        run->count = 1;
        run->out_step = 0;
        form->two(data, weights, output, run);
        run->out_step = out_step;
    }
}

TH_KERNEL void th_depthwise_dsp(const th_depthwise_conv2d_dsp_params *params, const void *const *rows,
                                const int8_t *weights, const int32_t *biases2, const int32_t *multipliers,
                                const int8_t *rights, void *scratch, int8_t *output, const th_depthwise_form *form)
{
    const th_depthwise_conv2d_params *p = &params->p;
    int32_t *const planes_start = (int32_t *)scratch;
    int32_t *const words = planes_start + params->plane_words;
    const int32_t out_c = p->in_c * p->multiplier;
    th_taps inside = th_rows_inside(rows, p->k_h);
    const int32_t has_blank = inside.first == inside.end;
    if (has_blank) {
        inside.first = 0;
        inside.end = 1;
    }
    const int32_t count = inside.end - inside.first;
    th_depthwise_run run;
    run.out_step = p->out_step;
    run.rows = count;
    run.weight_bytes = count * form->steps * (form->stride == 1 ? 8 : 4);
    for (int32_t ox = 0; ox < p->out_w; ox += params->block) {
        const int32_t outputs = th_min(params->block, p->out_w - ox);
        th_depthwise_planes planes;
        planes.x0 = ox * form->stride - p->pad_left;
        planes.pairs = ((outputs - 1) * form->stride + p->k_w + 1) >> 1;
        planes.pair = form->lanes;
        planes.row = form->lanes * planes.pairs;
        run.row_bytes = planes.row * 4;
        if (planes.x0 < 0 || planes.x0 + 2 * planes.pairs > p->in_w || has_blank) {
            memset(planes_start, 0, (size_t)(planes.row * count) * sizeof(int32_t));
        }
        int32_t done = 0;
        while (done < p->in_c) {
            const int32_t lanes = th_min(p->in_c, th_depthwise_lanes);
            const int32_t ic = th_min(done, p->in_c - lanes);
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                if (rows[ky]) {
                    th_depthwise_fill(p, &planes, (const int8_t *)rows[ky] + ic, lanes,
                                      planes_start + (ky - inside.first) * planes.row);
                }
            }
            for (; done < ic + lanes; done++) {
                for (int32_t m = 0; m < p->multiplier; m++) {
                    const int32_t oc = done * p->multiplier + m;
                    const int8_t *own = weights + (oc * p->k_h + inside.first) * p->k_w;
                    if (form->stride == 1) {
                        th_depthwise_widen_1(own, count, p->k_w, form->steps, words);
                    } else {
                        th_depthwise_widen_2(own, count, p->k_w, form->steps, words);
                    }
                    const int32_t right = rights[oc];
                    run.bias2 = biases2[oc];
                    run.multiplier = multipliers[oc];
                    run.add = (int32_t)((uint32_t)(2 * p->out_zero + 1) << (right - 1));
                    run.right = right;
                    th_depthwise_channel(form, &run, planes_start + done - ic, words, outputs, planes.pair,
                                         output + oc);
                }
            }
        }
        if (p->min > INT8_MIN || p->max < INT8_MAX) {
            for (int32_t i = 0; i < outputs; i++) {
                for (int32_t c = 0; c < out_c; c++) {
                    output[i * p->out_step + c] = (int8_t)th_clamp(output[i * p->out_step + c], p->min, p->max);
                }
            }
        }
        output += outputs * p->out_step;
    }
}

/* Computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input, weights [out_c][k_h][k_w]
 * and three bytes more, twice the biases, multipliers and right shifts [out_c], output [out_w][out_c]. */
#define TH_DW_DEFINE(stride, steps, lanes)                                                                             \
    TH_DW_DEFINE_GROUPS(stride, steps, lanes)                                                                          \
    TH_KERNEL void th_depthwise_conv2d_s8_dsp_##stride##_##steps##_##lanes(                                            \
        const th_depthwise_conv2d_dsp_params *params, const void *const *rows, const int8_t *weights,                  \
        const int32_t *biases2, const int32_t *multipliers, const int8_t *rights, void *scratch, int8_t *output)       \
    {                                                                                                                  \
        static const th_depthwise_form form = {stride, steps, lanes, th_depthwise_four_##stride##_##steps##_##lanes,   \
                                               th_depthwise_two_##stride##_##steps##_##lanes};                         \
        th_depthwise_dsp(params, rows, weights, biases2, multipliers, rights, scratch, output, &form);                 \
    }

TH_DW_DEFINE(1, 1, 1)
TH_DW_DEFINE(1, 1, 4)
TH_DW_DEFINE(1, 2, 1)
TH_DW_DEFINE(1, 2, 4)
TH_DW_DEFINE(1, 3, 1)
TH_DW_DEFINE(1, 3, 4)
TH_DW_DEFINE(1, 4, 1)
TH_DW_DEFINE(1, 4, 4)
TH_DW_DEFINE(1, 5, 1)
TH_DW_DEFINE(1, 5, 4)
TH_DW_DEFINE(1, 6, 1)
TH_DW_DEFINE(1, 6, 4)
TH_DW_DEFINE(2, 1, 1)
TH_DW_DEFINE(2, 1, 4)
TH_DW_DEFINE(2, 2, 1)
TH_DW_DEFINE(2, 2, 4)
TH_DW_DEFINE(2, 3, 1)
TH_DW_DEFINE(2, 3, 4)
TH_DW_DEFINE(2, 4, 1)
TH_DW_DEFINE(2, 4, 4)
TH_DW_DEFINE(2, 5, 1)
TH_DW_DEFINE(2, 5, 4)
TH_DW_DEFINE(2, 6, 1)
TH_DW_DEFINE(2, 6, 4)

#endif
