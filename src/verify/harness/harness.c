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

/* The model's arenas, painted and initialised. */
static void start(const th_model *model)
{
    for (uint32_t i = 0; i < model->arena_count; i++) {
        th_arenas[i] = th_port_arena(i, model->arena_bytes[i]);
        memset(th_arenas[i], TH_PAINT, model->arena_bytes[i]);
    }
    model->init(th_arenas[0]);
}

static uint8_t *address_of(const th_range *range)
{
    return th_arenas[range->arena] + range->offset;
}

static void read_inputs(const th_model *model, const th_series *series)
{
    for (uint32_t i = 0; i < model->input_count; i++) {
        const th_range *input = &model->inputs[i];
        const int is_pushed = input->offset == TH_PUSHED_INPUT;
        th_port_read(is_pushed ? th_pushed_buffer + series->lead_bytes : address_of(input), input->bytes);
    }
}

static uint32_t gaps_intact(const th_model *model)
{
    for (uint32_t g = 0; g < model->gap_count; g++) {
        const uint8_t *gap = address_of(&model->gaps[g]);
        for (uint32_t i = 0; i < model->gaps[g].bytes; i++) {
            if (gap[i] != TH_PAINT) {
                return 0;
            }
        }
    }
    return 1;
}

static uint32_t guards_intact(const th_model *model)
{
    uint32_t intact = 1;
    for (uint32_t i = 0; i < model->arena_count; i++) {
        intact &= th_port_guards_intact(i, model->arena_bytes[i]);
    }
    return intact;
}

static void write_done(const th_model *model, th_measurement cost, uint32_t empty_ticks)
{
    uint32_t body = 16;
    for (uint32_t i = 0; i < model->output_count; i++) {
        body += model->outputs[i].bytes;
    }
    const uint32_t intact = gaps_intact(model) & guards_intact(model);
    const uint32_t header[6] = {TH_TAG_DONE, body, intact, cost.stack_bytes, cost.ticks, empty_ticks};
    th_port_write(header, sizeof header);
    for (uint32_t i = 0; i < model->output_count; i++) {
        th_port_write(address_of(&model->outputs[i]), model->outputs[i].bytes);
    }
}

void th_main(void)
{
    uint32_t header[2];
    th_port_read(header, sizeof header);
    if (header[0] != TH_MAGIC) {
        th_port_exit(TH_EXIT_BAD_REQUEST);
    }
    for (uint32_t r = 0; r < header[1]; r++) {
        uint32_t request[2];
        th_port_read(request, sizeof request);
        if (request[0] >= th_model_count) {
            th_port_exit(TH_EXIT_BAD_REQUEST);
        }
        const th_model *model = &th_models[request[0]];
        const th_series *series = &th_series_of[request[0]];
        const int goes_on = r != 0 && (request[1] & TH_KEEP_STATE) != 0;
        const int is_hop = goes_on && series->push != NULL;
        if (!goes_on) {
            start(model);
        }
        if (is_hop) {
            th_port_read(th_pushed_buffer, series->hop_bytes);
        } else {
            read_inputs(model, series);
        }
        const th_measurement empty = th_port_measure(empty_entry, th_arenas[0]);
        const th_measurement cost = th_port_measure(is_hop ? series->push : model->invoke, th_arenas[0]);
        write_done(model, cost, empty.ticks);
    }
    const uint32_t end[2] = {TH_TAG_END, 0};
    th_port_write(end, sizeof end);
    th_port_exit(TH_EXIT_OK);
}
