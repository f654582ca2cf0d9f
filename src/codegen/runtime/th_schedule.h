/*
 * Plays a schedule: steps that stream rows to each other, each computing its next row when its turn comes. The order is a
 * list of steps' numbers, in runs that repeat.
 */
#ifndef TH_SCHEDULE_H
#define TH_SCHEDULE_H

#include "th_base.h"

/* Computes one row of a step's output (or takes one row of its input); `a` is the arena. */
typedef void (*th_step)(uint8_t *a, int32_t row);

/* order[first] up to order[first + length - 1], so many times. */
typedef struct {
    uint16_t first, length, times;
} th_run;

typedef struct {
    const th_step *steps;
    const uint8_t *order;
    const th_run *runs;
    int32_t run_count;
} th_schedule;

/* In the order: here a row of the input must have been pushed. */
#define TH_PUSHED 255

/* The state between calls, in the arena: the place in the schedule, pushed rows, and the rows each step has done. */
enum { TH_AT_RUN, TH_AT_TIME, TH_AT_ENTRY, TH_ROWS_PUSHED, TH_ROWS_DONE };

/* Goes on from where it stopped; returns when the next row must be pushed, or at the end. */
TH_KERNEL void th_play(const th_schedule *s, uint8_t *a, uint16_t *state)
{
    uint16_t *const done = state + TH_ROWS_DONE;
    int32_t time = state[TH_AT_TIME];
    int32_t entry = state[TH_AT_ENTRY];
    for (int32_t r = state[TH_AT_RUN]; r < s->run_count; r++, time = 0) {
        const th_run run = s->runs[r];
        for (; time < run.times; time++, entry = 0) {
            while (entry < run.length) {
                const uint8_t step = s->order[run.first + entry++];
                if (step == TH_PUSHED) {
                    state[TH_AT_RUN] = (uint16_t)r;
                    state[TH_AT_TIME] = (uint16_t)time;
                    state[TH_AT_ENTRY] = (uint16_t)entry;
                    return;
                }
                s->steps[step](a, done[step]++);
            }
        }
    }
    state[TH_AT_RUN] = (uint16_t)s->run_count;
}

#endif
