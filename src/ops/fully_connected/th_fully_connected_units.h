/*
 * The loops of FULLY_CONNECTED's portable kernels, for a TH_TYPE (see th_name.h) that has defined th_fully_connected_start:
 * what the sums of n inputs take besides products of weights as they are stored.
 */

/* Computes outputs [batch][out_c] of input [batch][in_c], weights [out_c][in_c] and bias [out_c] or NULL. */
TH_INLINE void TH_NAME(th_fully_connected_units)(const TH_NAME(th_fully_connected_params) *p,
                                                 const TH_NAME(th_input) *input, const TH_NAME(th_weight) *weights,
                                                 const TH_NAME(th_bias) *bias, const TH_NAME(th_scale) *scale,
                                                 TH_NAME(th_input) *output)
{
    const void *rows[1];
    const int32_t in_c = p->in_c;
    const th_patch v = {rows, 1, 0, 1, in_c, 0, 0, 0};
    for (int32_t n = 0; n < p->batch; n++) {
        rows[0] = input;
        const TH_NAME(th_acc) start = TH_NAME(th_fully_connected_start)(p, input, in_c);
        TH_NAME(th_filters)(&v, weights, 0, in_c, bias, start, 0, p->out_c, scale, output);
        input += in_c;
        output += p->out_c;
    }
}

/* Adds row y of the only input vector to the sums kept [out_c], which start from bias; the last row writes the output. */
TH_LOOP void TH_NAME(th_fully_connected_row)(const TH_NAME(th_fully_connected_params) *p, int32_t y,
                                             const TH_NAME(th_input) *input, const TH_NAME(th_weight) *weights,
                                             const TH_NAME(th_bias) *bias, const TH_NAME(th_scale) *scale,
                                             TH_NAME(th_acc) *kept, TH_NAME(th_input) *output)
{
    const void *rows[1];
    rows[0] = input;
    const th_patch v = {rows, 1, 0, 1, p->row_c, 0, 0, 0};
    const int32_t in_c = p->in_c;
    const int32_t out_c = p->out_c;
    const int32_t from = y * v.n;
    const TH_NAME(th_acc) start = TH_NAME(th_fully_connected_start)(p, input, v.n);
    int32_t lanes;
    for (int32_t oc = 0; oc < out_c; oc += lanes) {
        lanes = out_c - oc < TH_LANES ? 1 : TH_LANES;
        TH_NAME(th_accs) s = TH_NAME(th_start)(y > 0 ? kept : bias, start, oc, lanes);
        TH_NAME(th_dense)(&s, &v, weights, oc * in_c + from, lanes == 1 ? 0 : in_c, scale);
        const TH_NAME(th_acc) sums[TH_LANES] = {s.s0, s.s1, s.s2, s.s3};
        if (from + v.n == in_c) {
            TH_NAME(th_outputs)(scale, sums, oc, lanes, output + oc);
        } else {
            for (int32_t i = 0; i < lanes; i++) {
                kept[oc + i] = sums[i];
            }
        }
    }
}
