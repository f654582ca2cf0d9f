import { present } from "../base/assert.js";
import type { Tensor } from "../ir/graph.js";
import type { Buffer, PlannedGroup, Step } from "../plan/plan.js";
import { addressText, initParameters, keepArenas, withArenas } from "./arenas.js";
import { constantPool } from "./constants.js";
import { modelHeader } from "./header.js";
import { hopEntry, hopFunctions, hopInit, hopTables } from "./incremental.js";
import { type CodegenInput, fileBanner } from "./input.js";
import { kernelFiles } from "./kernels.js";
import { type ArenaLayout, arenaLayout } from "./layout.js";
import type { Printer } from "./printer.js";
import { pushFunctions } from "./push.js";
import { rowFunction, rowLoop, runsWhole, stepFunction, wholeText } from "./steps.js";
import { drivenText, scheduleText } from "./streams.js";

/** Generated C as file name -> text; nothing is written to disk here. */
export interface GeneratedModel {
  readonly name: string;
  /** `NAME.h`, `NAME.c` and `thimble/*.h`. */
  readonly files: ReadonlyMap<string, string>;
  /** Bytes of weights and other constant arrays. */
  readonly constantBytes: number;
  readonly layout: ArenaLayout;
}

/** Statements that give state its first contents: constants copied, the rest the byte that means zero. */
function initText(p: Printer): string {
  const { graph, plan } = p.input;
  const lines: string[] = [...keepArenas(plan), ...(plan.incremental === null ? [] : hopInit(p))];
  const copy = (buffer: Buffer, name: string): void =>
    void lines.push(`    memcpy(${addressText(buffer)}, ${name}, ${buffer.bytes});`);
  const fill = (buffer: Buffer, tensor: Pick<Tensor, "dtype" | "quant">): void => {
    const zero = tensor.dtype === "int8" ? (tensor.quant?.zeroPoints[0] ?? 0) & 255 : 0;
    lines.push(`    memset(${addressText(buffer)}, ${zero}, ${buffer.bytes});`);
  };
  for (const tensor of graph.tensors.values()) {
    const buffer = plan.bufferOf.get(tensor.id);
    if (buffer === undefined || (!tensor.variable && tensor.data === null)) continue;
    if (tensor.data !== null) copy(buffer, p.pool.add("initial", tensor.dtype, tensor.data));
    else fill(buffer, tensor);
  }
  for (const v of graph.variables) {
    const buffer = plan.bufferOfVariable.get(v.name);
    if (buffer === undefined) continue;
    if (v.initial !== null) copy(buffer, p.pool.add("initial", v.dtype, v.initial));
    else fill(buffer, v);
  }
  return lines.length === 0 ? "    (void)arena;" : `    uint8_t *const a = (uint8_t *)arena;\n${lines.join("\n")}`;
}

/** Steps of a group in order. */
const stepsOf = (p: Printer, group: PlannedGroup): readonly Step[] =>
  p.input.plan.steps.slice(group.firstStep, group.endStep);

/** True if a step is computed row by row, by a function of its own. */
const hasRowFunction = (p: Printer, group: PlannedGroup, step: Step): boolean =>
  step.mode !== "view" && (group.order !== null || !runsWhole(p, present(p.input.nodes[step.index], "node")));

/** The statements that execute a group. */
function groupText(p: Printer, group: PlannedGroup, index: number): string {
  if (group.order !== null) return drivenText(p, group, index);
  return stepsOf(p, group)
    .map((step) => (hasRowFunction(p, group, step) ? rowLoop(p, step) : wholeText(p, step)))
    .join("\n");
}

/** The functions that run the model: one for a resident input, three for a pushed one. */
function entryText(p: Printer): string {
  const { name, plan } = p.input;
  const bodies = plan.groups.map((group, g) => groupText(p, group, g));
  if (plan.incremental !== null) return hopEntry(p, bodies.join("\n"));
  if (plan.pushed !== null) return pushFunctions(p, bodies.slice(1).join("\n"));
  return `void ${name}_invoke(void *arena)\n{\n    uint8_t *const a = (uint8_t *)arena;\n    (void)a;\n${withArenas(plan, bodies.join("\n"))}\n}\n`;
}

/** Generates the C of one model. */
export function generateModel(input: CodegenInput): GeneratedModel {
  const { name, plan } = input;
  const p: Printer = {
    input,
    pool: constantPool(name),
    definitions: new Map(),
    sources: new Set(["ops/common/th_base.h"]),
  };
  const functions = plan.groups.flatMap((group) =>
    stepsOf(p, group)
      .map((step) => (hasRowFunction(p, group, step) ? rowFunction(p, step) : stepFunction(p, step)))
      .filter((text) => text !== ""),
  );
  const schedules = plan.groups.flatMap((group, g) => (group.order === null ? [] : [scheduleText(p, group, g)]));
  const hops = plan.incremental === null ? [] : [...hopFunctions(p), hopTables(p)];
  const entry = entryText(p);
  const init = initText(p);
  const includes = [...p.sources].map((source) => `#include "thimble/${source.split("/").pop()}"`).sort();
  const definitions = [...p.definitions].map(([text, definition]) => text.replace("@", definition));
  const source = [
    fileBanner(input, `${name}: weights, parameters and schedule.`),
    `#include "${name}.h"\n\n#include <stddef.h>\n`,
    `${includes.join("\n")}\n`,
    p.pool.definitions(),
    definitions.join("\n"),
    ...functions,
    ...schedules,
    ...hops,
    `void ${name}_init(${initParameters(plan)})\n{\n${init}\n}\n`,
    entry,
  ].join("\n");
  const files = new Map<string, string>([
    [`${name}.h`, modelHeader(input)],
    [`${name}.c`, source],
    ...[...kernelFiles(p.sources)].map(([file, text]) => [`thimble/${file}`, text] as const),
  ]);
  return { name, files, constantBytes: p.pool.bytes(), layout: arenaLayout(input.graph, plan) };
}
