#ifndef TH_RESIZE_BILINEAR_PARAMS_H
#define TH_RESIZE_BILINEAR_PARAMS_H

#include "th_base.h"

/* Output place i lies at input place (i * scale + offset) / 1024. */
typedef struct {
    int32_t in_h, in_w, channels, out_w;
    int32_t scale_h, offset_h, scale_w, offset_w;
} th_resize_bilinear_params;

TH_INLINE int32_t th_resize_place(int32_t i, int32_t scale, int32_t offset)
{
    return i * scale + offset;
}

/* The input places around `place`, inside the image. Division truncates, as in TFLite. */
TH_INLINE int32_t th_resize_before(int32_t place, int32_t size)
{
    return th_clamp(place / 1024, 0, size - 1);
}

TH_INLINE int32_t th_resize_after(int32_t place, int32_t size)
{
    return th_min((place + 1023) / 1024, size - 1);
}

#endif
