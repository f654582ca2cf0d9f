/*
 * Convolution without groups and fully connected layers, int8 activations, int4 weights, for Helium; bit-exact with
 * conv2dReference and fullyConnectedReference. See th_helium_windows.h and th_helium_dots_w4.h.
 */
#ifndef TH_WINDOWS_S8_W4_HELIUM_H
#define TH_WINDOWS_S8_W4_HELIUM_H

#include "th_helium_dots_w4.h"
#include "th_helium_windows.h"

TH_WINDOWS_HELIUM(th_windows_s8_w4_helium, int8_t, th_dotsw4_pixels)
TH_WINDOWS_HELIUM_PIXELS(th_windows_s8_w4_helium_pixels, int8_t, th_dotsw4_pixels)

#endif
