/*
 * Convolution without groups and fully connected layers, int16 activations, int8 weights, for Helium; bit-exact with
 * conv2dReference and fullyConnectedReference. See th_helium_windows.h and th_helium_dots_s16.h.
 */
#ifndef TH_WINDOWS_S16_HELIUM_H
#define TH_WINDOWS_S16_HELIUM_H

#include "th_helium_dots_s16.h"
#include "th_helium_windows.h"

/* For int64 biases, whose sums are rounded once. */
TH_WINDOWS_HELIUM(th_windows_s16_helium, int16_t, th_dots16_pixels)
TH_WINDOWS_HELIUM_PIXELS(th_windows_s16_helium_pixels, int16_t, th_dots16_pixels)

/* For int32 biases, whose sums are rounded twice. */
TH_WINDOWS_HELIUM(th_windows_s16_b32_helium, int16_t, th_dots16_pixels_twice)
TH_WINDOWS_HELIUM_PIXELS(th_windows_s16_b32_helium_pixels, int16_t, th_dots16_pixels_twice)

#endif
