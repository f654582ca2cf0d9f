/*
 * Convolution without groups, int8 activations and weights, for Helium; bit-exact with conv2dReference, and with
 * depthwiseConv2dReference where there is one input channel. See th_helium_windows.h and th_helium_dots.h.
 */
#ifndef TH_WINDOWS_S8_HELIUM_H
#define TH_WINDOWS_S8_HELIUM_H

#include "th_helium_pixels.h"
#include "th_helium_windows.h"

TH_WINDOWS_HELIUM(th_windows_s8_helium, int8_t, th_dots_pixels)
TH_WINDOWS_HELIUM_PIXELS(th_windows_s8_helium_pixels, int8_t, th_dots_pixels)

/* For outputs that are limited to the zero point and more. */
TH_WINDOWS_HELIUM(th_windows_s8_helium_relu, int8_t, th_dots_pixels_relu)
TH_WINDOWS_HELIUM_PIXELS(th_windows_s8_helium_pixels_relu, int8_t, th_dots_pixels_relu)

#endif
