/*
 * What the harness knows of a program under test, and what it asks of the port it runs on.
 * The table of models is generated beside the models (th_program.c); one port is linked in.
 */
#ifndef TH_HARNESS_H
#define TH_HARNESS_H

#include <stdint.h>

/* Fills the arena before NAME_init, the gaps, the guards around the arena and the unused stack. */
#define TH_PAINT 0xC5u
/* Bytes on each side of a static arena that no model may touch; keeps the arena's alignment of 16. */
#define TH_GUARD_BYTES 16u

/* Bytes of one of a model's arenas. */
typedef struct {
    uint32_t arena;
    uint32_t offset;
    uint32_t bytes;
} th_range;

typedef void (*th_entry)(void *arena);

typedef struct {
    th_entry init;
    th_entry invoke;
    const uint32_t *arena_bytes;
    uint32_t arena_count;
    uint32_t input_count;
    uint32_t output_count;
    uint32_t gap_count;
    const th_range *inputs;
    const th_range *outputs;
    const th_range *gaps;
} th_model;

/* How a model of incremental inference takes one more hop; zeros for other models. */
typedef struct {
    th_entry push;
    uint32_t hop_bytes;
    uint32_t lead_bytes; /* of rows that no window needs, before a first window that is no whole number of hops */
} th_series;

/* Generated: the models, and for each number of an arena a buffer as large as the largest and its guards. */
extern const th_model th_models[];
extern const th_series th_series_of[];
extern const uint32_t th_model_count;
extern uint8_t *const th_arena_buffers[];
/* The arenas of the model at hand; NAME_init is called with the first, and finds the others here. */
extern uint8_t *th_arenas[];
/* Where an input waits that is pushed row by row; TH_PUSHED_INPUT in place of its offset. */
extern uint8_t th_pushed_buffer[];
#define TH_PUSHED_INPUT UINT32_MAX

typedef struct {
    uint32_t stack_bytes; /* 0 where the port cannot tell */
    uint32_t ticks;       /* of the port's timer, 0 where it has none */
} th_measurement;

/* Exit codes of a program that cannot go on. */
enum { TH_EXIT_OK = 0, TH_EXIT_BAD_REQUEST = 65, TH_EXIT_IO = 66, TH_EXIT_STACK = 67, TH_EXIT_FAULT = 70 };

/* Reads exactly `bytes` of request.bin, or exits. */
void th_port_read(void *to, uint32_t bytes);
/* Appends to response.bin. */
void th_port_write(const void *from, uint32_t bytes);
/* The arena of that number, of `bytes`, aligned to 16, its guards painted; the one before it is given up. */
uint8_t *th_port_arena(uint32_t number, uint32_t bytes);
/* 1 when the guards of the last arena of that number, of `bytes`, are whole. */
uint32_t th_port_guards_intact(uint32_t number, uint32_t bytes);
/* Calls entry(arena) between the markers that counters look for. */
th_measurement th_port_measure(th_entry entry, void *arena);
/* Ends the program; does not return. */
void th_port_exit(int32_t code);

/* The shared main: serves all requests and exits. */
void th_main(void);

#endif
