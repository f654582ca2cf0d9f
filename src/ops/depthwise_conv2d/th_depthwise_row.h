/*
 * The loops of DEPTHWISE_CONV_2D's portable kernels, for a TH_TYPE (see th_name.h). Computes one output row: rows [k_h]
 * of the window, each [in_w][in_c] or NULL outside the input, weights [k_h][k_w][out_c], bias [out_c] or NULL,
 * out_c = in_c * multiplier, output [out_w][out_c].
 */

/* Adds to the first sum the products of its channel with a patch. */
TH_INLINE void TH_NAME(th_depthwise1)(TH_NAME(th_accs) *sums, const th_patch *v, int32_t start,
                                      const TH_NAME(th_weight) *weights, int32_t first, const TH_NAME(th_scale) *scale)
{
    for (int32_t y = 0; y < v->height; y++) {
        const TH_NAME(th_input) *x = (const TH_NAME(th_input) *)v->rows[y] + start;
        TH_NAME(th_taps1)(sums, x, v->x_step, weights, first, v->w_step, v->runs, scale);
        first += v->row_step;
    }
}

/* The same for four channels; spread as for th_taps4. */
TH_INLINE void TH_NAME(th_depthwise4)(TH_NAME(th_accs) *sums, const th_patch *v, int32_t start,
                                      const TH_NAME(th_weight) *weights, int32_t first, int32_t spread,
                                      const TH_NAME(th_scale) *scale)
{
    TH_NAME(th_part) part = TH_NAME(th_part_of)(sums);
    for (int32_t y = 0; y < v->height; y++) {
        const TH_NAME(th_input) *x = (const TH_NAME(th_input) *)v->rows[y] + start;
        TH_NAME(th_taps4)(&part, x, v->x_step, weights, first, v->w_step, v->runs, spread, scale);
        first += v->row_step;
    }
    TH_NAME(th_take)(sums, &part);
}

/*
 * Computes the output channels of a pixel, v->n for each of the input's. v->runs are taps; those of the first row have
 * their weights at weights + first.
 */
TH_LOOP void TH_NAME(th_depthwise_pixel)(const th_patch *v, const TH_NAME(th_weight) *weights, int32_t first,
                                         const TH_NAME(th_bias) *bias, int32_t channels,
                                         const TH_NAME(th_scale) *scale, TH_NAME(th_input) *output)
{
    const int32_t spread = v->n == 1;
    const int32_t at_once = v->height * v->runs > TH_NAME(th_most)() ? 1 : TH_LANES;
    int32_t start = v->start;
    int32_t lanes;
    for (int32_t c = 0, end = spread ? channels : v->n; c < channels; c += lanes) {
        lanes = end - c < at_once ? 1 : at_once;
        TH_NAME(th_accs) s = TH_NAME(th_start)(bias, 0, c, lanes);
        if (lanes == 1) {
            TH_NAME(th_depthwise1)(&s, v, start, weights, first + c, scale);
        } else if (spread) {
            TH_NAME(th_depthwise4)(&s, v, start, weights, first + c, 1, scale);
        } else {
            TH_NAME(th_depthwise4)(&s, v, start, weights, first + c, 0, scale);
        }
        const TH_NAME(th_acc) sums[TH_LANES] = {s.s0, s.s1, s.s2, s.s3};
        TH_NAME(th_outputs)(scale, sums, c, lanes, output + c);
        if (spread) {
            start += lanes;
        } else if (c + lanes == end) {
            start++;
            end += v->n;
        }
    }
}

TH_INLINE void TH_NAME(th_depthwise_row)(const TH_NAME(th_depthwise_conv2d_params) *p, const void *const *rows,
                                         const TH_NAME(th_weight) *weights, const TH_NAME(th_bias) *bias,
                                         const TH_NAME(th_scale) *scale, TH_NAME(th_input) *output)
{
    const int32_t out_c = p->in_c * p->multiplier;
    const int32_t row_weights = p->k_w * out_c;
    const int32_t tap_step = p->dilation_w * p->in_step;
    const th_taps inside = th_rows_inside(rows, p->k_h);
    const int32_t height = inside.end - inside.first;
    th_patch v = {rows + inside.first, height, 0, 0, p->multiplier, tap_step, out_c, row_weights};
    for (int32_t ox = 0; ox < p->out_w; ox++) {
        const int32_t x0 = ox * p->stride_w - p->pad_left;
        const th_taps columns = th_taps_inside(x0, p->dilation_w, p->k_w, p->in_w);
        v.start = x0 * p->in_step + columns.first * tap_step;
        v.runs = columns.end - columns.first;
        const int32_t first = inside.first * row_weights + columns.first * out_c;
        TH_NAME(th_depthwise_pixel)(&v, weights, first, bias, out_c, scale, output);
        output += p->out_step;
    }
}
