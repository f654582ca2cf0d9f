import { present } from "../base/assert.js";
import { bytesOf, elementsOf, makeData } from "../base/dtype.js";
import type { Tensor } from "../ir/graph.js";
import type { LoweredNode } from "../ops/lower.js";
import type { KernelArg } from "../ops/spec.js";
import type { Step } from "../plan/plan.js";
import { commentText, storedType, valueText, wrapped } from "./c.js";
import { type ConstantPool, constantPool } from "./constants.js";
import { modelHeader } from "./header.js";
import { type CodegenInput, fileBanner } from "./input.js";
import { kernelFiles } from "./kernels.js";
import { type ArenaLayout, arenaLayout } from "./layout.js";

/** Generated C as file name -> text; nothing is written to disk here. */
export interface GeneratedModel {
  readonly name: string;
  /** `NAME.h`, `NAME.c` and `thimble/*.h`. */
  readonly files: ReadonlyMap<string, string>;
  /** Bytes of weights and other constant arrays. */
  readonly constantBytes: number;
  readonly layout: ArenaLayout;
}

interface Printer {
  readonly input: CodegenInput;
  readonly pool: ConstantPool;
  readonly params: string[];
}

function pointer(p: Printer, tensor: Tensor, access: "read" | "write"): string {
  const buffer = p.input.plan.bufferOf.get(tensor.id);
  const type = storedType(tensor.dtype);
  if (buffer === undefined) {
    const data = tensor.data ?? makeData(tensor.dtype, elementsOf(tensor.shape));
    const note = `${JSON.stringify(tensor.name)}: ${tensor.dtype} [${tensor.shape.join(", ")}]`;
    return p.pool.add("data", tensor.dtype, data, note);
  }
  return `(${access === "read" ? "const " : ""}${type} *)(a + ${buffer.offset})`;
}

function argument(p: Printer, lowered: LoweredNode, step: Step, arg: KernelArg): string {
  const { view, spec } = lowered;
  switch (arg.kind) {
    case "input":
      return pointer(
        p,
        present(view.inputs[arg.index], "input"),
        spec.traits.mutates.includes(arg.index) ? "write" : "read",
      );
    case "output":
      return pointer(p, present(view.outputs[arg.index], "output"), "write");
    case "variable": {
      const name = present(view.inputs[arg.index]?.resource, "variable name");
      return `a + ${present(p.input.plan.bufferOfVariable.get(name), `buffer of ${name}`).offset}`;
    }
    case "constant":
      return p.pool.add(arg.label, arg.dtype, arg.data);
    case "scratch":
      return step.scratch === null ? "NULL" : `a + ${present(p.input.plan.buffers[step.scratch], "scratch").offset}`;
    case "null":
      return "NULL";
    default:
      return arg satisfies never;
  }
}

function paramsOf(p: Printer, lowered: LoweredNode): string | null {
  const { params } = lowered.call;
  if (params === null) return null;
  const fields = Object.entries(params.fields).map(([field, value]) => `.${field} = ${valueText(value)}`);
  const body = `{\n${wrapped(fields)}\n}`;
  const name = `${p.input.name}_params_${p.params.length}`;
  p.params.push(`static const ${params.type} ${name} = ${body};\n`);
  return name;
}

/** A call on one line, or with its arguments on lines of their own. */
function callText(symbol: string, args: readonly string[]): string {
  const line = `    ${symbol}(${args.join(", ")});`;
  return line.length <= 116 ? line : `    ${symbol}(\n${wrapped(args, "        ")});`;
}

function stepText(p: Printer, step: Step): string {
  const lowered = present(p.input.nodes[step.node], "node");
  const outputs = lowered.view.outputs;
  const shapes = outputs.map((t) => `${t.dtype} [${t.shape.join(", ")}]`).join(", ");
  const lines = [
    `    /* ${step.index}: ${lowered.node.op} -> ${commentText(shapes)}${step.elided ? ", same bytes" : ""} */`,
  ];
  if (!step.elided) {
    const params = paramsOf(p, lowered);
    const args = lowered.call.args.map((arg) => argument(p, lowered, step, arg));
    lines.push(callText(lowered.call.symbol, [...(params === null ? [] : [`&${params}`]), ...args]));
  }
  outputs.forEach((t, i) => {
    const buffer = p.input.plan.bufferOf.get(t.id);
    if (buffer)
      lines.push(`    TH_TRACE(${step.index}, ${i}, a + ${buffer.offset}, ${bytesOf(t.dtype, elementsOf(t.shape))});`);
  });
  return lines.join("\n");
}

/** Statements that give state its first contents: constants copied, the rest the byte that means zero. */
function initText(p: Printer): string {
  const { graph, plan } = p.input;
  const lines: string[] = [];
  const copy = (offset: number, name: string, bytes: number): void =>
    void lines.push(`    memcpy(a + ${offset}, ${name}, ${bytes});`);
  const fill = (offset: number, bytes: number, tensor: Pick<Tensor, "dtype" | "quant">): void => {
    const zero = tensor.dtype === "int8" ? (tensor.quant?.zeroPoints[0] ?? 0) & 255 : 0;
    lines.push(`    memset(a + ${offset}, ${zero}, ${bytes});`);
  };
  for (const tensor of graph.tensors.values()) {
    const buffer = plan.bufferOf.get(tensor.id);
    if (buffer === undefined || (!tensor.variable && tensor.data === null)) continue;
    if (tensor.data !== null) copy(buffer.offset, p.pool.add("initial", tensor.dtype, tensor.data), buffer.bytes);
    else fill(buffer.offset, buffer.bytes, tensor);
  }
  for (const v of graph.variables) {
    const buffer = plan.bufferOfVariable.get(v.name);
    if (buffer === undefined) continue;
    if (v.initial !== null) copy(buffer.offset, p.pool.add("initial", v.dtype, v.initial), buffer.bytes);
    else fill(buffer.offset, buffer.bytes, v);
  }
  return lines.length === 0 ? "    (void)arena;" : `    uint8_t *const a = (uint8_t *)arena;\n${lines.join("\n")}`;
}

/** Generates the C of one model. */
export function generateModel(input: CodegenInput): GeneratedModel {
  const { name, nodes, plan } = input;
  const p: Printer = { input, pool: constantPool(name), params: [] };
  const body = plan.steps.map((step) => stepText(p, step)).join("\n");
  const init = initText(p);
  const used = new Set(plan.steps.filter((s) => !s.elided).map((s) => present(nodes[s.node], "node").call.source));
  const kernels = kernelFiles(["ops/common/th_base.h", ...used]);
  const includes = [...used].map((source) => `#include "thimble/${source.split("/").pop()}"`).sort();
  const source = [
    fileBanner(input, `${name}: weights, parameters and schedule.`),
    `#include "${name}.h"\n\n#include <stddef.h>\n\n#include "thimble/th_base.h"`,
    `${includes.join("\n")}\n`,
    p.pool.definitions(),
    p.params.join("\n"),
    `void ${name}_init(void *arena)\n{\n${init}\n}\n`,
    `void ${name}_invoke(void *arena)\n{\n    uint8_t *const a = (uint8_t *)arena;\n    (void)a;\n${body}\n}\n`,
  ].join("\n");
  const files = new Map<string, string>([
    [`${name}.h`, modelHeader(input)],
    [`${name}.c`, source],
    ...[...kernels].map(([file, text]) => [`thimble/${file}`, text] as const),
  ]);
  return { name, files, constantBytes: p.pool.bytes(), layout: arenaLayout(input.graph, plan) };
}
