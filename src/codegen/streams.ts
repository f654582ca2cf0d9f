import { present } from "../base/assert.js";
import type { Firing, PlannedGroup } from "../plan/plan.js";
import { addressText } from "./arenas.js";
import { wrapped } from "./c.js";
import type { Printer } from "./printer.js";
import { compactOrder } from "./schedule.js";
import { rowFunctionName } from "./steps.js";

/** What th_schedule.h's TH_PUSHED is. */
const pushedEntry = 255;

/** The name of a group's schedule. */
export const scheduleName = (p: Printer, index: number): string => `${p.input.name}_schedule_${index}`;

/** The address of a group's state. */
export const stateText = (p: Printer, group: PlannedGroup): string =>
  `(uint16_t *)(void *)(${addressText(present(p.input.plan.buffers[group.cursor ?? -1], "state of a group"))})`;

/** The tables of a group whose steps stream: its steps, the order of their rows, and the runs of that order. */
export function scheduleText(p: Printer, group: PlannedGroup, index: number): string {
  p.sources.add("codegen/runtime/th_schedule.h");
  const name = scheduleName(p, index);
  const steps = p.input.plan.steps.slice(group.firstStep, group.endStep);
  const entry = (firing: Firing): number => (firing === "push" ? pushedEntry : firing - group.firstStep);
  const { entries, runs } = compactOrder((group.order ?? []).map(entry));
  const functions = steps.map((s) => (s.mode === "view" ? "NULL" : rowFunctionName(p, s)));
  const last = steps.at(-1)?.index ?? group.firstStep;
  const what = steps.length > 1 ? `steps ${group.firstStep} to ${last} stream` : "rows arrive";
  return `/* ${what}: ${(group.order ?? []).length} rows in ${runs.length} runs {first entry, length, times}. */
static const th_step ${name}_steps[] = {
${functions.length > 0 ? wrapped(functions) : "    NULL"}
};
static const uint8_t ${name}_order[] = {
${wrapped(entries.map(String))}
};
static const th_run ${name}_runs[] = {
${wrapped(runs.map((r) => `{${r.first}, ${r.length}, ${r.times}}`))}
};
static const th_schedule ${name} = {${name}_steps, ${name}_order, ${name}_runs, ${runs.length}};
`;
}

/** The statements that play a group from its start to its end, or to the first row that must be pushed. */
export function drivenText(p: Printer, group: PlannedGroup, index: number): string {
  const state = present(p.input.plan.buffers[group.cursor ?? -1], "state of a group");
  const steps = group.endStep - group.firstStep;
  const what = steps > 0 ? `steps ${group.firstStep} to ${group.endStep - 1}, a row at a time` : "the input's rows";
  return `    /* ${what} */
    memset(${addressText(state)}, 0, ${state.bytes});
    th_play(&${scheduleName(p, index)}, a, ${stateText(p, group)});`;
}
