/* Copies bytes unchanged: operators whose output is their input, where the two do not share storage. */
#ifndef TH_COPY_H
#define TH_COPY_H

#include "th_base.h"

typedef struct {
    int32_t bytes;
} th_copy_params;

TH_KERNEL void th_copy(const th_copy_params *p, const void *input, void *output)
{
    memmove(output, input, (uint32_t)p->bytes);
}

#endif
