/*
 * The loops of CONV_2D's portable kernels, for TH_TYPE (see th_weighted.h). Computes one output row: rows [k_h] of the
 * window, each [in_w][in_c] or NULL outside the input, weights [out_c][k_h][k_w][k_c], bias [out_c] or NULL,
 * output [out_w][out_c].
 */
TH_INLINE void TH_NAME(th_conv2d_row)(const TH_NAME(th_conv2d_params) *p, const void *const *rows,
                                      const TH_NAME(th_weight) *weights, const TH_NAME(th_bias) *bias,
                                      TH_NAME(th_scale) scale, TH_NAME(th_input) *output)
{
    const int32_t out_c = p->out_c;
    const int32_t k_c = p->k_c;
    const int32_t per_group = out_c / (p->in_c / k_c);
    const int32_t row_weights = p->k_w * k_c;
    const int32_t filter = p->k_h * row_weights;
    const int32_t tap_step = p->dilation_w * p->in_step;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);
        const int32_t taps = th_max(columns.end - columns.first, 0);
        /* Taps that follow each other in memory are one run. */
        const int32_t runs = tap_step == k_c ? th_min(taps, 1) : taps;
        const int32_t n = tap_step == k_c ? taps * k_c : k_c;
        int32_t ic = x0 * p->in_step + columns.first * tap_step;
        int32_t first = inside.first * row_weights + columns.first * k_c;
        int32_t lanes;
        for (int32_t oc = 0, end = per_group; oc < out_c; oc += lanes) {
            lanes = end - oc < TH_LANES ? 1 : TH_LANES;
            TH_NAME(th_sum) sums[TH_LANES] = {0};
            for (int32_t i = 0; bias && i < lanes; i++) {
                sums[i] = bias[oc + i];
            }
            TH_NAME(th_sums) s = {sums[0], sums[1], sums[2], sums[3]};
            int32_t row = first;
            for (int32_t ky = inside.first; ky < inside.end; ky++) {
                const TH_NAME(th_input) *x = (const TH_NAME(th_input) *)rows[ky] + ic;
                int32_t w = row;
                for (int32_t i = 0; i < runs; i++) {
                    if (lanes == 1) {
                        TH_NAME(th_dense1)(&s, x, weights, w, n, &scale);
                    } else {
                        TH_NAME(th_dense4)(&s, x, weights, w, filter, n, &scale);
                    }
                    x += tap_step;
                    w += k_c;
                }
                row += row_weights;
            }
            sums[0] = s.s0, sums[1] = s.s1, sums[2] = s.s2, sums[3] = s.s3;
            for (int32_t i = 0; i < lanes; i++) {
                output[oc + i] = TH_NAME(th_output)(&scale, sums[i], oc + i);
            }
            first += lanes * filter;
            if (oc + lanes == end) {
                end += per_group;
                ic += k_c;
            }
        }
        output += p->out_step;
    }
}
