/*
 * The loops of CONV_2D's portable kernels, for a TH_TYPE (see th_name.h). Computes one output row: rows [k_h] of the
 * window, each [in_w][in_c] or NULL outside the input, weights [out_c][k_h][k_w][k_c], bias [out_c] or NULL,
 * output [out_w][out_c].
 */
TH_INLINE void TH_NAME(th_conv2d_row)(const TH_NAME(th_conv2d_params) *p, const void *const *rows,
                                      const TH_NAME(th_weight) *weights, const TH_NAME(th_bias) *bias,
                                      const TH_NAME(th_scale) *scale, TH_NAME(th_input) *output)
{
    const int32_t k_c = p->k_c;
    const int32_t out_c = p->out_c;
    const int32_t per_group = out_c / (p->in_c / k_c);
    const int32_t row_weights = p->k_w * k_c;
    const int32_t filter = p->k_h * row_weights;
    const int32_t tap_step = p->dilation_w * p->in_step;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    th_patch v = {rows + inside.first, inside.end - inside.first, 0, 0, k_c, tap_step, k_c, row_weights};
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);
        int32_t first = inside.first * row_weights + columns.first * k_c;
        v.start = x0 * p->in_step + columns.first * tap_step;
        v.runs = columns.end - columns.first;
        if (tap_step == k_c) {
            /* Taps that follow each other in memory are one run. */
            v.n = v.runs * k_c;
            v.runs = 1;
        }
        for (int32_t oc = 0; oc < out_c; oc += per_group) {
            TH_NAME(th_filters)(&v, weights, first, filter, bias, 0, oc, per_group, scale, output + oc);
            first += per_group * filter;
            v.start += k_c;
        }
        output += p->out_step;
    }
}
