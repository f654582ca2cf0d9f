/*
 * Image resize by the nearest pixel, for elements of any size.
 * input [batch][in_h][in_w] pixels, rows [out_h] and columns [out_w] say which pixel each output pixel copies,
 * output [batch][out_h][out_w] pixels.
 */
#ifndef TH_RESIZE_NEAREST_NEIGHBOR_H
#define TH_RESIZE_NEAREST_NEIGHBOR_H

#include "th_base.h"

typedef struct {
    int32_t batch, in_h, in_w, out_h, out_w;
    int32_t pixel_bytes; /* all channels */
} th_resize_nearest_neighbor_params;

TH_KERNEL void th_resize_nearest_neighbor(const th_resize_nearest_neighbor_params *p, const void *input,
                                          const int16_t *rows, const int16_t *columns, void *output)
{
    const uint8_t *from = (const uint8_t *)input;
    uint8_t *to = (uint8_t *)output;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t y = 0; y < p->out_h; y++) {
            for (int32_t x = 0; x < p->out_w; x++) {
                memcpy(to, from + (rows[y] * p->in_w + columns[x]) * p->pixel_bytes, (size_t)p->pixel_bytes);
                to += p->pixel_bytes;
            }
        }
        from += p->in_h * p->in_w * p->pixel_bytes;
    }
}

#endif
