/*
 * Bilinear image resize, int8, positions with ten bits after the point; bit-exact with resizeBilinearReference.
 * One output row [out_w][channels] from the input rows [in_w][channels] above and below its place.
 */
#ifndef TH_RESIZE_BILINEAR_S8_H
#define TH_RESIZE_BILINEAR_S8_H

#include "resize_bilinear_params.h"
#include "th_name.h"

typedef int8_t th_resize_bilinear_s8_input;

#define TH_TYPE th_resize_bilinear_s8
#include "th_resize_bilinear_row.h"
#undef TH_TYPE

#endif
