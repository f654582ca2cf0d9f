/*
 * A pool's kernels, for a TH_TYPE (see th_name.h) that has defined as its parts the types params, input, value (of a
 * window) and kept (of a window whose rows have not all been seen), and the functions empty (the value of no elements),
 * add (one more element) and of (the output, from the value and the number of elements).
 */

/* The value with `width` more elements of one channel, side by side in a row. */
TH_INLINE TH_PART(value) TH_PART(run)(TH_PART(value) value, const TH_PART(input) *in, int32_t width, int32_t step)
{
    for (int32_t i = 0; i < width; i++) {
        value = TH_PART(add)(value, *in);
        in += step;
    }
    return value;
}

/* Computes one output row: rows [k_h] of the window, each [in_w][channels] or NULL, output [out_w][channels]. */
TH_KERNEL void TH_TYPE(const TH_PART(params) *params, const void *const *rows, TH_PART(input) *output)
{
    const TH_PART(params) p = *params;
    const th_taps inside = th_rows_inside(rows, p.k_h);
    for (int32_t ox = 0; ox < p.out_w; ox++) {
        const int32_t x0 = ox * p.stride_w - p.pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p.k_w, p.in_w);
        const int32_t first = (x0 + columns.first) * p.in_step;
        const int32_t width = columns.end - columns.first;
        const int32_t count = (inside.end - inside.first) * width;
        for (int32_t c = 0; c < p.channels; c++) {
            TH_PART(value) value = TH_PART(empty)();
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                value = TH_PART(run)(value, (const TH_PART(input) *)rows[ky] + first + c, width, p.in_step);
            }
            output[c] = TH_PART(of)(&p, value, count);
        }
        output += p.out_step;
    }
}

/*
 * Takes input row y, in order, of a window over all in_h rows; the last call writes the output [out_w][channels].
 * scratch: values [out_w][channels], kept between calls.
 */
TH_KERNEL void TH_PART(fold)(const TH_PART(params) *params, int32_t y, const TH_PART(input) *input, void *scratch,
                             TH_PART(input) *output)
{
    const TH_PART(params) p = *params;
    TH_PART(kept) *kept = (TH_PART(kept) *)scratch;
    for (int32_t ox = 0; ox < p.out_w; ox++) {
        const int32_t x0 = ox * p.stride_w - p.pad_left;
        const th_taps columns = th_taps_inside(x0, 1, p.k_w, p.in_w);
        const TH_PART(input) *first = input + (x0 + columns.first) * p.in_step;
        const int32_t width = columns.end - columns.first;
        for (int32_t c = 0; c < p.channels; c++, kept++) {
            const TH_PART(value) before = y > 0 ? *kept : TH_PART(empty)();
            const TH_PART(value) value = TH_PART(run)(before, first + c, width, p.in_step);
            if (y < p.in_h - 1) {
                *kept = (TH_PART(kept))value;
            } else {
                output[c] = TH_PART(of)(&p, value, p.in_h * width);
            }
        }
        output += p.out_step;
    }
}
