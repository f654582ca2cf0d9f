import { present } from "../base/assert.js";
import { tensorOf } from "../ir/graph.js";
import { rowsOf } from "../ops/lower.js";
import type { IncrementalPlan, PlannedStage } from "../plan/plan.js";
import { tensorBytes } from "../plan/tensors.js";
import { addressText } from "./arenas.js";
import { commentText, wrapped } from "./c.js";
import type { CodegenInput } from "./input.js";
import type { Printer } from "./printer.js";
import { type PushedInput, pushedInput } from "./push.js";
import { compactOrder } from "./schedule.js";
import { rowFunction, rowFunctionName } from "./steps.js";

const hopName = (p: Printer): string => `${p.input.name}_hop`;
const keepName = (p: Printer, stage: PlannedStage): string => `${p.input.name}_keep_${stage.tensor}`;

const incrementalOf = (p: Printer): IncrementalPlan => present(p.input.plan.incremental, "incremental plan");

/** The address of the counters, as what th_play_hop takes. */
const counters = (p: Printer): string =>
  addressText(present(p.input.plan.buffers[incrementalOf(p).counters], "counters"));

/** A printer for functions of numbered rows: tensors are in rings, and windows go on for ever. */
function streamPrinter(p: Printer): Printer {
  const { plan, nodes } = p.input;
  const { stages, ringOf } = incrementalOf(p);
  const stageOf = new Map(stages.map((s) => [s.step, s] as const));
  const streamed = nodes.map((lowered, i) => {
    const stage = stageOf.get(i);
    if (stage === undefined || lowered.rows === null) return lowered;
    return { ...lowered, rows: { ...lowered.rows, windows: stage.windows, count: Math.max(2, lowered.rows.count) } };
  });
  return { ...p, endless: true, input: { ...p.input, nodes: streamed, plan: { ...plan, bufferOf: ringOf } } };
}

/** The function that appends a row to the copy of a window. */
function keepFunction(p: Printer, stage: PlannedStage): string {
  const { plan, graph } = p.input;
  const tensor = tensorOf(graph, present(stage.tensor, "tensor"));
  const ring = present(incrementalOf(p).ringOf.get(tensor.id), "ring");
  const window = present(plan.bufferOf.get(tensor.id), "window");
  const { rows, hop } = stage;
  const rowBytes = tensorBytes(tensor) / rowsOf(tensor);
  const late = (hop - (rows % hop)) % hop;
  const place = ring.rows === 1 ? "" : ` + row % ${ring.rows} * ${rowBytes}`;
  return `/* The last ${rows} rows of "${commentText(tensor.name)}" in one piece. */
TH_ROW void ${keepName(p, stage)}(uint8_t *a, int32_t row)
{
    static const th_kept kept = {.rows = ${rows}, .hop = ${hop}, .late = ${late}, .row_bytes = ${rowBytes}};
    th_keep(&kept, ${addressText(window)}, ${addressText(ring)}${place}, row);
}
`;
}

/** The functions that compute or keep a row. */
export function hopFunctions(p: Printer): readonly string[] {
  const streams = streamPrinter(p);
  return incrementalOf(p).stages.flatMap((stage) => {
    if (stage.kind === "arrive") return [];
    if (stage.kind === "keep") return [keepFunction(p, stage)];
    return [rowFunction(streams, present(p.input.plan.steps[stage.step ?? -1], "step"))];
  });
}

/** The tables of a hop. */
export function hopTables(p: Printer): string {
  p.sources.add("codegen/runtime/th_hop.h");
  const { stages, order, hop, ringOf } = incrementalOf(p);
  const name = hopName(p);
  const input = present(pushedInput(p.input), "input");
  const ring = present(ringOf.get(present(p.input.plan.pushed, "input")), "ring");
  const { entries, runs } = compactOrder(order);
  const functions = stages.flatMap((stage) => {
    if (stage.kind === "arrive") return [];
    return [stage.kind === "keep" ? keepName(p, stage) : rowFunctionName(p, { index: stage.step ?? 0 })];
  });
  return `/* A hop of ${hop} rows: ${order.length} rows come or are computed, in ${runs.length} runs {first entry, length, times}. */
static const th_step ${name}_steps[] = {
${wrapped(functions)}
};
static const uint8_t ${name}_order[] = {
${wrapped(entries.map(String))}
};
static const th_run ${name}_runs[] = {
${wrapped(runs.map((r) => `{${r.first}, ${r.length}, ${r.times}}`))}
};
static const int32_t ${name}_periods[] = {
${wrapped(stages.map((s) => String(s.period)))}
};
static const th_hop ${name} = {
    ${name}_steps, ${name}_order, ${name}_runs, ${runs.length}, ${name}_periods, ${ring.offset}, ${ring.rows}, ${input.rowBytes}
};
`;
}

/** The statements that start the counters. */
export function hopInit(p: Printer): readonly string[] {
  const { stages, hops } = incrementalOf(p);
  const starts = Int32Array.from([-hops, ...stages.map((s) => s.start)]);
  const table = p.pool.add("starts", "int32", starts, "hops to the first window, and the first row of each entry");
  return [`    memcpy(${counters(p)}, ${table}, ${starts.byteLength});`];
}

/** The definition of NAME_push_hop; `tail` runs what is computed anew for every window. */
export function hopEntry(p: Printer, tail: string): string {
  const { name } = p.input;
  const { ctype } = present(pushedInput(p.input), "input");
  return `int32_t ${name}_push_hop(void *arena, const ${ctype} *rows)
{
    uint8_t *const a = (uint8_t *)arena;
    if (!th_play_hop(&${hopName(p)}, a, (int32_t *)(void *)(${counters(p)}), (const uint8_t *)rows)) {
        return 0;
    }
${tail === "" ? "" : `${tail}\n`}    return 1;
}
`;
}

/** The declaration of the same function. */
export function hopDeclarations(input: CodegenInput, { index, ctype, rows, rowBytes }: PushedInput): string {
  const { name } = input;
  const { hop, hops } = present(input.plan.incremental, "incremental plan");
  const macro = `${name.toUpperCase()}_INPUT_${index}`;
  return `/*
 * Input ${index} is a time series: a window of ROWS rows of ROW_BYTES bytes moves over it by HOP_ROWS rows at a time.
 */
#define ${macro}_ROWS ${rows}
#define ${macro}_HOP_ROWS ${hop}
#define ${macro}_ROW_BYTES ${rowBytes}

/*
 * Hands over the next HOP_ROWS rows, and computes what they change. Returns 1 if the outputs are those of the last ROWS rows,
 * 0 while fewer have come: the first window ends with call ${hops}. Outputs stay until the next call, and are not to be changed.
 */
int32_t ${name}_push_hop(void *arena, const ${ctype} *rows);
`;
}
