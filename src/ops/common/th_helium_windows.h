/*
 * Convolutions without groups, for Helium, whatever the types of values and weights: windows of a block of pixels are
 * copied to scratch, unless they are single pixels of the input, and multiplied with all output channels. Padding reads
 * as the zero point, which the biases in the stream account for.
 */
#ifndef TH_HELIUM_WINDOWS_H
#define TH_HELIUM_WINDOWS_H

#include "th_helium_loops.h"

/* Channels of inputs and steps from pixel to pixel in bytes. */
typedef struct {
    int32_t in_w, in_c, in_step;
    int32_t rows, out_w, out_c, out_step; /* rows: of 1x1 convolutions over all pixels */
    int32_t k_h, k_w;
    int32_t stride_w, dilation_w, pad_left;
    int32_t block;      /* pixels whose windows are copied at a time */
    int32_t four_bytes; /* of the stream, of four channels */
    int32_t in_zero, out_zero, min, max;
} th_windows_helium_params;

TH_INLINE th_dots th_windows_helium_dots(const th_windows_helium_params *p, const int32_t *stream)
{
    th_dots d;
    d.stream = (const int8_t *)stream;
    d.end = d.stream + (p->out_c >> 2) * p->four_bytes;
    d.out_step = p->out_step;
    d.depth = p->k_h * p->k_w * p->in_c;
    d.out_zero = p->out_zero;
    d.min = p->min;
    d.max = p->max;
    return d;
}

/* The taps of a row of a window are one piece of the row of the input. */
TH_INLINE int th_windows_helium_is_piece(const th_windows_helium_params *p)
{
    return p->k_w == 1 || (p->dilation_w == 1 && p->in_step == p->in_c);
}

/* The window that begins at x, some of it outside the row, or its pixels apart. */
TH_ROW void th_windows_helium_gather(const th_windows_helium_params *p, const void *const *rows, int32_t x,
                                       int8_t *to)
{
    const int32_t in_c = p->in_c;
    const int32_t length = p->k_w * in_c;
    const th_taps inside = th_taps_inside(x, p->dilation_w, p->k_w, p->in_w);
    const int32_t some = inside.end - inside.first;
    th_helium_fill(to, p->in_zero, p->k_h * length);
    to += inside.first * in_c;
    x += inside.first * p->dilation_w;
    for (int32_t ky = 0; ky < p->k_h; ky++, to += length) {
        const int8_t *row = (const int8_t *)rows[ky];
        if (!row || some <= 0) {
            continue;
        }
        if (th_windows_helium_is_piece(p)) {
            th_helium_copy(to, row + x * p->in_step, some * in_c);
            continue;
        }
        for (int32_t kx = 0; kx < some; kx++) {
            th_helium_copy(to + kx * in_c, row + (x + kx * p->dilation_w) * p->in_step, in_c);
        }
    }
}

#if TH_HELIUM

/*
 * Windows of pieces of 1 to 16 bytes, one of each of `count` rows, one after another: those of the first pixel begin
 * at `at`, of each further one `step` behind. r4 to, r5 pixels, r6 step, r7 rows, r8 a row.
 */
TH_NAKED void th_windows_helium_pieces(const void *const *rows TH_ASM_ARG, int32_t count TH_ASM_ARG,
                                         int32_t at TH_ASM_ARG, int32_t length TH_ASM_ARG, int8_t *to TH_ASM_ARG,
                                         int32_t pixels TH_ASM_ARG, int32_t step TH_ASM_ARG)
{
    __asm__("push {r4-r8, lr}\n"
            "ldrd r4, r5, [sp, #24]\n"
            "ldr r6, [sp, #32]\n"
            "vctp.8 r3\n"
            "0:\n"
            "mov r7, r0\n"
            "dls lr, r1\n"
            "1:\n"
            "ldr r8, [r7], #4\n"
            "add r8, r8, r2\n"
            "vpstt\n"
            "vldrbt.u8 q0, [r8]\n"
            "vstrbt.8 q0, [r4]\n"
            "add r4, r4, r3\n"
            "le lr, 1b\n"
            "add r2, r2, r6\n"
            "subs r5, r5, #1\n"
            "bne 0b\n"
            "pop {r4-r8, pc}\n");
}

#endif

/* The windows that begin at x, x + stride and so on, all of them inside the row, one piece in each. */
TH_INLINE void th_windows_helium_copy(const th_windows_helium_params *p, const void *const *rows, int32_t x,
                                        int32_t pixels, int8_t *to)
{
    const int32_t length = p->k_w * p->in_c;
    const int32_t k_h = p->k_h;
    const int32_t step = p->stride_w * p->in_step;
    int32_t at = x * p->in_step;
#if TH_HELIUM
    /* Rows that are missing are at the ends. */
    if (length <= 16 && rows[0] && rows[k_h - 1]) {
        th_windows_helium_pieces(rows, k_h, at, length, to, pixels, step);
        return;
    }
#endif
    for (; pixels > 0; pixels--, at += step) {
        for (int32_t ky = 0; ky < k_h; ky++, to += length) {
            const int8_t *row = (const int8_t *)rows[ky];
            if (row) {
                th_helium_copy(to, row + at, length);
            } else {
                th_helium_fill(to, p->in_zero, length);
            }
        }
    }
}

/* The windows of `pixels` outputs, the first of which begins at x. */
TH_INLINE void th_windows_helium_windows(const th_windows_helium_params *p, const void *const *rows, int32_t x,
                                           int32_t pixels, int32_t depth, int8_t *to)
{
    const int32_t stride = p->stride_w;
    const int32_t last = p->in_w - p->k_w;
    const int32_t end = x + pixels * stride;
    const int is_piece = th_windows_helium_is_piece(p);
    while (x < end) {
        if (is_piece && x >= 0 && x <= last) {
            const int32_t inside = th_min((last - x) / stride + 1, (end - x) / stride);
            th_windows_helium_copy(p, rows, x, inside, to);
            x += inside * stride;
            to += inside * depth;
        } else {
            th_windows_helium_gather(p, rows, x, to);
            x += stride;
            to += depth;
        }
    }
}

/*
 * Defines a kernel that computes one output row: rows [k_h] of the window, each [in_w][in_c] or NULL outside the input,
 * scratch: windows [block][k_h][k_w][in_c]. compute(dots, pixels, channels) computes all channels of pixels.
 */
#define TH_WINDOWS_HELIUM(name, type, compute)                                                                         \
    TH_KERNEL void name(const th_windows_helium_params *p, const void *const *rows, const int32_t *stream,             \
                        void *scratch, type *output)                                                                   \
    {                                                                                                                  \
        th_dots d = th_windows_helium_dots(p, stream);                                                                 \
        const int32_t last = (p->out_w - 1) * p->stride_w - p->pad_left;                                               \
        int32_t x = -p->pad_left;                                                                                      \
        d.output = (int8_t *)output;                                                                                   \
        if (p->k_h == 1 && p->k_w == 1 && rows[0] && x == 0 && last < p->in_w) {                                       \
            d.input = (const int8_t *)rows[0];                                                                         \
            d.in_step = p->stride_w * p->in_step;                                                                      \
            compute(&d, p->out_w, p->out_c);                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
        d.in_step = d.depth;                                                                                           \
        for (int32_t ox = 0; ox < p->out_w; ox += p->block) {                                                          \
            const int32_t pixels = th_min(p->out_w - ox, p->block);                                                    \
            int8_t *first = d.output;                                                                                  \
            th_windows_helium_windows(p, rows, x, pixels, d.depth, (int8_t *)scratch);                                 \
            d.input = (const int8_t *)scratch;                                                                         \
            compute(&d, pixels, p->out_c);                                                                             \
            x += pixels * p->stride_w;                                                                                 \
            d.output = first + pixels * p->out_step;                                                                   \
        }                                                                                                              \
    }

/*
 * Defines a kernel that computes a 1x1 convolution with stride 1 of `rows` rows, which follow each other: input
 * [rows][out_w][in_c], scratch: [2][in_c] if pixels may be computed in pairs across the ends of rows, else NULL.
 */
#define TH_WINDOWS_HELIUM_PIXELS(name, type, compute)                                                                  \
    TH_KERNEL void name(const th_windows_helium_params *p, const type *input, const int32_t *stream, void *scratch,    \
                        type *output)                                                                                  \
    {                                                                                                                  \
        th_dots d = th_windows_helium_dots(p, stream);                                                                 \
        const int8_t *in = (const int8_t *)input;                                                                      \
        int8_t *out = (int8_t *)output;                                                                                \
        const int32_t width = p->out_w;                                                                                \
        int8_t *pair = (int8_t *)scratch;                                                                              \
        int32_t rows = p->rows;                                                                                        \
        int32_t from = 0;                                                                                              \
        for (; rows > 0; rows--) {                                                                                     \
            /* The last pixel of a row of odd width and the first of the next are a pair, which is copied. */          \
            const int32_t last = pair && rows > 1 && ((width - from) & 1);                                             \
            d.input = in + from * p->in_step;                                                                          \
            d.in_step = p->in_step;                                                                                    \
            d.output = out + from * p->out_step;                                                                       \
            compute(&d, width - from - last, p->out_c);                                                                \
            in += width * p->in_step;                                                                                  \
            out += width * p->out_step;                                                                                \
            from = last;                                                                                               \
            if (last) {                                                                                                \
                th_helium_copy(pair, in - p->in_step, p->in_c);                                                        \
                th_helium_copy(pair + p->in_c, in, p->in_c);                                                           \
                d.input = pair;                                                                                        \
                d.in_step = p->in_c;                                                                                   \
                d.output = out - p->out_step;                                                                          \
                compute(&d, 2, p->out_c);                                                                              \
            }                                                                                                          \
        }                                                                                                              \
    }

#endif
