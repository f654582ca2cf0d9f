/*
 * Blocks of output channels of the portable kernels with weights, for a TH_TYPE (see th_name.h). Some are functions of
 * their own, so that the loops around them take no registers away.
 */

/* Writes the outputs of `lanes` sums, the first that of `channel`. */
TH_LOOP void TH_NAME(th_outputs)(const TH_NAME(th_scale) *scale, const TH_NAME(th_acc) *sums, int32_t channel,
                                int32_t lanes, TH_NAME(th_input) *output)
{
    const TH_NAME(th_scale) s = *scale;
    for (int32_t i = 0; i < lanes; i++) {
        output[i] = TH_NAME(th_output)(&s, sums[i], channel + i);
    }
}

/* The sums of four output channels from `channel` on, or of one four times, before the first product. */
TH_INLINE TH_NAME(th_accs) TH_NAME(th_start)(const TH_NAME(th_acc) *bias, TH_NAME(th_acc) start, int32_t channel,
                                             int32_t lanes)
{
    TH_NAME(th_accs) s = {start, start, start, start};
    if (bias) {
        s.s0 += bias[channel];
        if (lanes != 1) {
            s.s1 += bias[channel + 1];
            s.s2 += bias[channel + 2];
            s.s3 += bias[channel + 3];
        }
    }
    return s;
}

/* Adds to the sums of four filters the products with a patch; as th_dense4 does for a run. */
TH_INLINE void TH_NAME(th_dense)(TH_NAME(th_accs) *s, const th_patch *v, const TH_NAME(th_weight) *weights,
                                 int32_t first, int32_t filter, const TH_NAME(th_scale) *scale)
{
    for (int32_t y = 0; y < v->height; y++) {
        const TH_NAME(th_input) *x = (const TH_NAME(th_input) *)v->rows[y] + v->start;
        int32_t w = first;
        for (int32_t i = 0; i < v->runs; i++) {
            TH_NAME(th_dense4)(s, x, weights, w, filter, v->n, scale);
            x += v->x_step;
            w += v->w_step;
        }
        first += v->row_step;
    }
}

/*
 * Computes outputs [channels] of a patch from as many filters of `filter` weights. The first filter's weights for the
 * patch start at weights + first; its output channel is `channel`, of which bias is NULL or has an element. Sums start
 * from their bias and `start`.
 */
TH_LOOP void TH_NAME(th_filters)(const th_patch *v, const TH_NAME(th_weight) *weights, int32_t first, int32_t filter,
                                 const TH_NAME(th_bias) *bias, TH_NAME(th_acc) start, int32_t channel,
                                 int32_t channels, const TH_NAME(th_scale) *scale, TH_NAME(th_input) *output)
{
    /* Of fewer than four filters each is taken four times over; else some of the last four may be done already. */
    const int32_t lanes = channels < TH_LANES ? 1 : TH_LANES;
    const int32_t step = channels < TH_LANES ? 0 : filter;
    for (int32_t c = 0; c < channels; c += lanes) {
        c = th_min(c, channels - lanes);
        TH_NAME(th_accs) s = TH_NAME(th_start)(bias, start, channel + c, lanes);
        TH_NAME(th_dense)(&s, v, weights, first + c * filter, step, scale);
        const TH_NAME(th_acc) sums[TH_LANES] = {s.s0, s.s1, s.s2, s.s3};
        TH_NAME(th_outputs)(scale, sums, channel + c, lanes, output + c);
    }
}
