/*
 * Serves the requests of request.bin one after the other and writes response.bin, little-endian throughout:
 *   request:  magic, count; then per request: model, flags, the bytes of each input
 *   response: records of tag, body bytes, body; a trace record per traced output, a done record per request
 *             (canaries, stack bytes, ticks, ticks of an empty function, then the outputs), an end record
 * The end record is how the reader knows that the program lived to the end.
 */
#include "th_harness.h"

#include <stddef.h>
#include <string.h>

enum { TH_MAGIC = 0x51524854, TH_KEEP_STATE = 1, TH_TAG_TRACE = 1, TH_TAG_DONE = 2, TH_TAG_END = 3 };

#ifdef TH_TRACING
void th_trace(uint32_t step, uint32_t output, const void *data, uint32_t bytes);

void th_trace(uint32_t step, uint32_t output, const void *data, uint32_t bytes)
{
    const uint8_t *at = (const uint8_t *)data;
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < bytes; i++) {
        hash = (hash ^ at[i]) * 16777619u;
    }
    const uint32_t record[6] = {TH_TAG_TRACE, 16u, step, output, bytes, hash};
    th_port_write(record, sizeof record);
}
#endif

static void empty_entry(void *arena)
{
    (void)arena;
}

static void read_inputs(const th_model *model, uint8_t *arena)
{
    for (uint32_t i = 0; i < model->input_count; i++) {
        const uint32_t offset = model->inputs[i].offset;
        th_port_read(offset == TH_PUSHED_INPUT ? th_pushed_buffer : arena + offset, model->inputs[i].bytes);
    }
}

static uint32_t gaps_intact(const th_model *model, const uint8_t *arena)
{
    for (uint32_t g = 0; g < model->gap_count; g++) {
        const uint8_t *gap = arena + model->gaps[g].offset;
        for (uint32_t i = 0; i < model->gaps[g].bytes; i++) {
            if (gap[i] != TH_PAINT) {
                return 0;
            }
        }
    }
    return 1;
}

static void write_done(const th_model *model, const uint8_t *arena, th_measurement cost, uint32_t empty_ticks)
{
    uint32_t body = 16;
    for (uint32_t i = 0; i < model->output_count; i++) {
        body += model->outputs[i].bytes;
    }
    const uint32_t intact = gaps_intact(model, arena) & th_port_guards_intact(model->arena_bytes);
    const uint32_t header[6] = {TH_TAG_DONE, body, intact, cost.stack_bytes, cost.ticks, empty_ticks};
    th_port_write(header, sizeof header);
    for (uint32_t i = 0; i < model->output_count; i++) {
        th_port_write(arena + model->outputs[i].offset, model->outputs[i].bytes);
    }
}

void th_main(void)
{
    uint32_t header[2];
    th_port_read(header, sizeof header);
    if (header[0] != TH_MAGIC) {
        th_port_exit(TH_EXIT_BAD_REQUEST);
    }
    uint8_t *arena = NULL;
    for (uint32_t r = 0; r < header[1]; r++) {
        uint32_t request[2];
        th_port_read(request, sizeof request);
        if (request[0] >= th_model_count) {
            th_port_exit(TH_EXIT_BAD_REQUEST);
        }
        const th_model *model = &th_models[request[0]];
        if (arena == NULL || (request[1] & TH_KEEP_STATE) == 0) {
            arena = th_port_arena(model->arena_bytes);
            memset(arena, TH_PAINT, model->arena_bytes);
            model->init(arena);
        }
        read_inputs(model, arena);
        const th_measurement empty = th_port_measure(empty_entry, arena);
        const th_measurement cost = th_port_measure(model->invoke, arena);
        write_done(model, arena, cost, empty.ticks);
    }
    const uint32_t end[2] = {TH_TAG_END, 0};
    th_port_write(end, sizeof end);
    th_port_exit(TH_EXIT_OK);
}
