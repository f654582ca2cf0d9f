/* The arena of ports without a heap: the generated buffer, with a guard before and after what the model asked for. */
#ifndef TH_STATIC_ARENA_H
#define TH_STATIC_ARENA_H

#include "th_harness.h"

#include <string.h>

uint8_t *th_port_arena(uint32_t bytes)
{
    memset(th_arena_buffer, TH_PAINT, TH_GUARD_BYTES);
    memset(th_arena_buffer + TH_GUARD_BYTES + bytes, TH_PAINT, TH_GUARD_BYTES);
    return th_arena_buffer + TH_GUARD_BYTES;
}

uint32_t th_port_guards_intact(uint32_t bytes)
{
    const uint8_t *after = th_arena_buffer + TH_GUARD_BYTES + bytes;
    for (uint32_t i = 0; i < TH_GUARD_BYTES; i++) {
        if (th_arena_buffer[i] != TH_PAINT || after[i] != TH_PAINT) {
            return 0;
        }
    }
    return 1;
}

#endif
