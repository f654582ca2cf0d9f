/** Hand-written models that the tests of the targets compile: each does one thing whose result and cost are known. */
import type { Program } from "./target.js";

/**
 * `adder`: adds two int8 vectors of 8 with saturation, and counts its invokes in its arena. Arena of 48 bytes:
 * inputs at 0 and 8, output at 16, the counter (uint32, also an output) at 24, a gap of 20 bytes at 28.
 */
const adder = `#include "adder.h"
#include "th_sample.h"
void adder_init(void *arena)
{
    memset((uint8_t *)arena + 24, 0, 4);
}
void adder_invoke(void *arena)
{
    const int8_t *a = (const int8_t *)arena;
    int8_t *sum = (int8_t *)arena + 16;
    for (int32_t i = 0; i < 8; i++) {
        const int32_t s = a[i] + a[i + 8];
        sum[i] = (int8_t)(s < -128 ? -128 : s > 127 ? 127 : s);
    }
    uint32_t count;
    memcpy(&count, (uint8_t *)arena + 24, 4);
    count++;
    memcpy((uint8_t *)arena + 24, &count, 4);
    TH_TRACE(0, 0, sum, 8);
    TH_TRACE(1, 0, (uint8_t *)arena + 24, 4);
}
`;

/** `leak`: copies its input to its output and writes one byte past it, into the gap. Its input says where. */
const leak = `#include "leak.h"
#include "th_sample.h"
void leak_init(void *arena)
{
    (void)arena;
}
void leak_invoke(void *arena)
{
    uint8_t *at = (uint8_t *)arena;
    at[4] = at[0];
    at[8 + at[0]] = 1;
}
`;

/** `deep`: fills a buffer of 1,000 bytes on the stack. */
const deep = `#include "deep.h"
#include "th_sample.h"
void deep_init(void *arena)
{
    (void)arena;
}
void deep_invoke(void *arena)
{
    volatile uint8_t buffer[1000];
    for (int32_t i = 0; i < 1000; i++) {
        buffer[i] = *(uint8_t *)arena;
    }
    ((uint8_t *)arena)[1] = buffer[*(uint8_t *)arena];
}
`;

/** `looper`: 2N + 3 instructions for a uint32 input N, by hand on Arm: load, move, N times (subtract, branch), return. */
const looper = `#include "looper.h"
#include "th_sample.h"
void looper_init(void *arena)
{
    (void)arena;
}
#if defined(__arm__)
__asm__(".syntax unified\\n.thumb\\n.section .text.looper_invoke,\\"ax\\",%progbits\\n.global looper_invoke\\n.thumb_func\\n"
        ".type looper_invoke,%function\\nlooper_invoke:\\nldr r1, [r0]\\nmov r2, r1\\n1: subs r2, #1\\nbne 1b\\nbx lr\\n.text\\n");
#else
void looper_invoke(void *arena)
{
    (void)arena;
}
#endif
`;

/** `soft`: a float model; its output is expf of its input. */
const soft = `#include "soft.h"
#include "th_sample.h"
#include <math.h>
void soft_init(void *arena)
{
    (void)arena;
}
void soft_invoke(void *arena)
{
    float x[2];
    memcpy(x, arena, sizeof x);
    x[0] = expf(x[0]);
    x[1] = roundf(x[1]);
    memcpy((uint8_t *)arena + 8, x, sizeof x);
}
`;

const common = `#ifndef TH_SAMPLE_H
#define TH_SAMPLE_H
#include <stdint.h>
#include <string.h>
#ifndef TH_TRACE
#define TH_TRACE(step, output, data, bytes) ((void)0)
#endif
#endif
`;

const header = (name: string): string => `void ${name}_init(void *arena);\nvoid ${name}_invoke(void *arena);\n`;

const sources = { adder, leak, deep, looper, soft } as const;

/** The samples in one program; the index of a model is its place in `sampleModels`. */
export const sampleModels = ["adder", "leak", "deep", "looper", "soft"] as const;

/** All samples as one program. */
export const sampleProgram: Program = {
  files: new Map([
    ["common/th_sample.h", common],
    ...sampleModels.map((name) => [`${name}.h`, header(name)] as const),
    ...sampleModels.map((name) => [`${name}.c`, sources[name].replace("th_sample.h", "common/th_sample.h")] as const),
  ]),
  models: [
    {
      name: "adder",
      arenaBytes: 48,
      inputs: [
        { offset: 0, bytes: 8 },
        { offset: 8, bytes: 8 },
      ],
      outputs: [
        { offset: 16, bytes: 8 },
        { offset: 24, bytes: 4 },
      ],
      gaps: [{ offset: 28, bytes: 20 }],
    },
    {
      name: "leak",
      arenaBytes: 16,
      inputs: [{ offset: 0, bytes: 4 }],
      outputs: [{ offset: 4, bytes: 1 }],
      gaps: [{ offset: 8, bytes: 8 }],
    },
    { name: "deep", arenaBytes: 16, inputs: [{ offset: 0, bytes: 1 }], outputs: [{ offset: 1, bytes: 1 }], gaps: [] },
    { name: "looper", arenaBytes: 16, inputs: [{ offset: 0, bytes: 4 }], outputs: [], gaps: [] },
    { name: "soft", arenaBytes: 16, inputs: [{ offset: 0, bytes: 8 }], outputs: [{ offset: 8, bytes: 8 }], gaps: [] },
  ],
};
