/*
 * Bilinear image resize, int16, positions with ten bits after the point; bit-exact with resizeBilinearReference.
 * One output row [out_w][channels] from the input rows [in_w][channels] above and below its place.
 */
#ifndef TH_RESIZE_BILINEAR_S16_H
#define TH_RESIZE_BILINEAR_S16_H

#include "resize_bilinear_params.h"
#include "th_name.h"

typedef int16_t th_resize_bilinear_s16_input;

#define TH_TYPE th_resize_bilinear_s16
#include "th_resize_bilinear_row.h"
#undef TH_TYPE

#endif
