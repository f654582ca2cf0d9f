/* The WebAssembly port: reads and writes are imports of the module `port`. */
#include "static_arena.h"

#define TH_IMPORT(name) __attribute__((import_module("port"), import_name(name)))

TH_IMPORT("read") void th_port_read(void *to, uint32_t bytes);
TH_IMPORT("write") void th_port_write(const void *from, uint32_t bytes);
TH_IMPORT("exit") void th_port_exit(int32_t code);

th_measurement th_port_measure(th_entry entry, void *arena)
{
    const th_measurement none = {0, 0};
    entry(arena);
    return none;
}
