/*
 * The inner loops of the portable kernels with weights, for a TH_TYPE (see th_name.h) that has defined th_input,
 * th_weight, th_acc (a sum), th_accs (four of them), th_scale and th_value (an input less its zero point).
 */

/*
 * Adds to four sums the products of n inputs that follow each other with as many weights of each of four filters;
 * the first filter's start at weights + first, the others' `step` further each.
 */
TH_INLINE void TH_NAME(th_dense4)(TH_NAME(th_accs) *sums, const TH_NAME(th_input) *x, const TH_NAME(th_weight) *weights,
                                  int32_t first, int32_t step, int32_t n, const TH_NAME(th_scale) *scale)
{
    const TH_NAME(th_weight) *w0 = weights + first;
    const TH_NAME(th_weight) *w1 = w0 + step;
    const TH_NAME(th_weight) *w2 = w1 + step;
    const TH_NAME(th_weight) *w3 = w2 + step;
    TH_NAME(th_accs) s = *sums;
    for (int32_t c = 0; c < n; c++) {
        const TH_NAME(th_acc) value = TH_NAME(th_value)(scale, x[c]);
        s.s0 += value * w0[c];
        s.s1 += value * w1[c];
        s.s2 += value * w2[c];
        s.s3 += value * w3[c];
    }
    *sums = s;
}

/*
 * Adds to the sums of four channels that follow each other the products of n taps; from tap to tap inputs lie x_step
 * and weights w_step apart. spread is 1 where every channel has an input of its own, 0 where the four share one.
 */
TH_INLINE void TH_NAME(th_taps4)(TH_NAME(th_accs) *sums, const TH_NAME(th_input) *x, int32_t x_step,
                                 const TH_NAME(th_weight) *weights, int32_t first, int32_t w_step, int32_t n,
                                 int32_t spread, const TH_NAME(th_scale) *scale)
{
    const TH_NAME(th_weight) *w = weights + first;
    TH_NAME(th_accs) s = *sums;
    for (; n > 0; n--) {
        s.s0 += TH_NAME(th_value)(scale, x[0]) * w[0];
        s.s1 += TH_NAME(th_value)(scale, x[spread]) * w[1];
        s.s2 += TH_NAME(th_value)(scale, x[2 * spread]) * w[2];
        s.s3 += TH_NAME(th_value)(scale, x[3 * spread]) * w[3];
        x += x_step;
        w += w_step;
    }
    *sums = s;
}

/* The same for one channel, for the first sum. */
TH_INLINE void TH_NAME(th_taps1)(TH_NAME(th_accs) *sums, const TH_NAME(th_input) *x, int32_t x_step,
                                 const TH_NAME(th_weight) *weights, int32_t first, int32_t w_step, int32_t n,
                                 const TH_NAME(th_scale) *scale)
{
    const TH_NAME(th_weight) *w = weights + first;
    TH_NAME(th_acc) sum = sums->s0;
    for (; n > 0; n--) {
        sum += TH_NAME(th_value)(scale, *x) * *w;
        x += x_step;
        w += w_step;
    }
    sums->s0 = sum;
}

/* What the products of up to th_most taps of four channels are added to: their sums. */
typedef TH_NAME(th_accs) TH_NAME(th_part);

TH_INLINE int32_t TH_NAME(th_most)(void)
{
    return INT32_MAX;
}

TH_INLINE TH_NAME(th_part) TH_NAME(th_part_of)(const TH_NAME(th_accs) *sums)
{
    return *sums;
}

TH_INLINE void TH_NAME(th_take)(TH_NAME(th_accs) *sums, const TH_NAME(th_part) *part)
{
    *sums = *part;
}
