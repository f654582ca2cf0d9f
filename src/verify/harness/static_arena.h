/* The arenas of ports without a heap: generated buffers, with a guard before and after what the model asked for. */
#ifndef TH_STATIC_ARENA_H
#define TH_STATIC_ARENA_H

#include "th_harness.h"

#include <string.h>

uint8_t *th_port_arena(uint32_t number, uint32_t bytes)
{
    uint8_t *const buffer = th_arena_buffers[number];
    memset(buffer, TH_PAINT, TH_GUARD_BYTES);
    memset(buffer + TH_GUARD_BYTES + bytes, TH_PAINT, TH_GUARD_BYTES);
    return buffer + TH_GUARD_BYTES;
}

uint32_t th_port_guards_intact(uint32_t number, uint32_t bytes)
{
    const uint8_t *before = th_arena_buffers[number];
    const uint8_t *after = before + TH_GUARD_BYTES + bytes;
    for (uint32_t i = 0; i < TH_GUARD_BYTES; i++) {
        if (before[i] != TH_PAINT || after[i] != TH_PAINT) {
            return 0;
        }
    }
    return 1;
}

#endif
