/*
 * Plays one hop of incremental inference: rows of the input come, and each step computes the rows that they make possible.
 * All hops have the same order. In those before the first window, rows that no window needs are left out.
 */
#ifndef TH_HOP_H
#define TH_HOP_H

#include "th_schedule.h"

typedef struct {
    const th_step *steps; /* of the entries from 1 on; entry 0 is the arrival of a row of the input */
    const uint8_t *order;
    const th_run *runs;
    int32_t run_count;
    const int32_t *periods; /* of each entry: after so many rows the places of rows repeat, and numbers start at 0 again */
    uint32_t input_offset, input_kept, input_row_bytes;
} th_hop;

/*
 * The state between hops, in the arena: hops still to come for the first window, as a negative number, and for each entry
 * the number of its next row, which is negative for rows that no window needs.
 */
enum { TH_HOPS, TH_NEXT_ROWS };

/* Takes the rows of a hop; returns 1 if the window that ends with them is complete. */
TH_KERNEL int32_t th_play_hop(const th_hop *h, uint8_t *a, int32_t *state, const uint8_t *rows)
{
    int32_t *const next = state + TH_NEXT_ROWS;
    for (int32_t r = 0; r < h->run_count; r++) {
        const th_run run = h->runs[r];
        for (int32_t i = 0, entry = 0; i < run.length * run.times; i++, entry++) {
            entry = entry == run.length ? 0 : entry;
            const uint8_t step = h->order[run.first + entry];
            const int32_t row = next[step];
            next[step] = row + 1 == h->periods[step] ? 0 : row + 1;
            if (step != 0 && row >= 0) {
                h->steps[step - 1](a, row);
            }
            if (step == 0 && row >= 0) {
                const uint32_t place = (uint32_t)row % h->input_kept;
                memcpy(a + h->input_offset + place * h->input_row_bytes, rows, h->input_row_bytes);
            }
            rows += step == 0 ? h->input_row_bytes : 0;
        }
    }
    state[TH_HOPS] += state[TH_HOPS] < 0;
    return state[TH_HOPS] == 0;
}

/*
 * A copy of the last `rows` rows of a tensor in one piece. A hop brings `hop` of them; with its first one all others move
 * up. `late` makes the last row of the first window the last one of a hop.
 */
typedef struct {
    int32_t rows, hop, late;
    uint32_t row_bytes;
} th_kept;

TH_KERNEL void th_keep(const th_kept *k, uint8_t *window, const void *from, int32_t row)
{
    const uint32_t place = (uint32_t)((row + k->late) % k->hop);
    const uint32_t old = (uint32_t)(k->rows - k->hop);
    if (place == 0) {
        memmove(window, window + (uint32_t)k->hop * k->row_bytes, old * k->row_bytes);
    }
    memcpy(window + (old + place) * k->row_bytes, from, k->row_bytes);
}

#endif
