/* The kernel of RESIZE_BILINEAR for integers, for a TH_TYPE (see th_name.h) that has defined the type input as its part. */

/* rows: the input row above output row `row`, and the one below it, which is not read if that is outside. */
TH_KERNEL void TH_PART(row)(const th_resize_bilinear_params *p, const void *const *rows, int32_t row,
                            TH_PART(input) *output)
{
    const int32_t in_w = p->in_w;
    const int32_t out_w = p->out_w;
    const int32_t channels = p->channels;
    const int32_t scale_w = p->scale_w;
    const int32_t offset_w = p->offset_w;
    const int32_t vertical = th_resize_place(row, p->scale_h, p->offset_h);
    const int32_t top = th_resize_before(vertical, p->in_h);
    const int32_t dy = vertical - top * 1024;
    const TH_PART(input) *upper = (const TH_PART(input) *)rows[0];
    const TH_PART(input) *lower = (const TH_PART(input) *)rows[th_resize_after(vertical, p->in_h) - top];
    for (int32_t x = 0; x < out_w; x++) {
        const int32_t place = th_resize_place(x, scale_w, offset_w);
        const int32_t left = th_resize_before(place, in_w);
        const int32_t right = th_resize_after(place, in_w);
        const int32_t dx = place - left * 1024;
        for (int32_t c = 0; c < channels; c++) {
            const int32_t l = left * channels + c;
            const int32_t r = right * channels + c;
            const int64_t sum = (int64_t)upper[l] * (1024 - dy) * (1024 - dx) + (int64_t)lower[l] * dy * (1024 - dx) +
                                (int64_t)upper[r] * (1024 - dy) * dx + (int64_t)lower[r] * dy * dx;
            *output++ = (TH_PART(input))((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
        }
    }
}
