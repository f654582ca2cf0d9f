/*
 * The loops of TRANSPOSE_CONV's portable kernels, for a TH_TYPE (see th_name.h). Computes output row y: rows
 * [ceil(k_h / stride_h)] of the window, each [in_w][in_c] or NULL outside the input, weights [out_c][k_h][k_w][in_c],
 * bias [out_c] or NULL, output [out_w][out_c].
 * Gathers what a convolution's gradient scatters: input (i, j) reaches output (i * stride_h - pad_top + ky, ...).
 */
TH_INLINE void TH_NAME(th_transpose_conv_row)(const TH_NAME(th_transpose_conv_params) *p, const void *const *rows,
                                              int32_t y, const TH_NAME(th_weight) *weights,
                                              const TH_NAME(th_bias) *bias, const TH_NAME(th_scale) *scale,
                                              TH_NAME(th_input) *output)
{
    const int32_t in_c = p->in_c;
    const int32_t stride_w = p->stride_w;
    const int32_t row_weights = p->k_w * in_c;
    const int32_t row_step = p->stride_h * row_weights;
    const th_transpose_taps down = th_transpose_taps_at(y + p->pad_top, p->k_h, p->stride_h);
    const th_taps inside = th_rows_inside(rows, down.count);
    const int32_t height = inside.end - inside.first;
    th_patch v = {rows + inside.first, height, 0, 0, in_c, in_c, -stride_w * in_c, -row_step};
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x = ox + p->pad_left;
        const th_transpose_taps across = th_transpose_taps_at(x, p->k_w, stride_w);
        const int32_t x0 = (x - across.last) / stride_w;
        const th_taps columns = th_taps_inside(x0, 1, across.count, p->in_w);
        v.start = (x0 + columns.first) * in_c;
        v.runs = columns.end - columns.first;
        const int32_t first = down.last * row_weights - inside.first * row_step +
                              (across.last - columns.first * stride_w) * in_c;
        TH_NAME(th_filters)(&v, weights, first, p->k_h * row_weights, bias, 0, 0, p->out_c, scale, output);
        output += p->out_c;
    }
}
