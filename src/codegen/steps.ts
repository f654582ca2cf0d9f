import { present } from "../base/assert.js";
import { bytesOf, elementsOf, makeData } from "../base/dtype.js";
import type { Tensor } from "../ir/graph.js";
import { type LoweredNode, type NodeRows, rowsOf } from "../ops/lower.js";
import type { KernelArg, KernelCall, RowWindow } from "../ops/spec.js";
import type { Buffer, Step } from "../plan/plan.js";
import { tensorBytes } from "../plan/tensors.js";
import { commentText, storedType, valueText, wrapped } from "./c.js";
import type { ConstantPool } from "./constants.js";
import type { CodegenInput } from "./input.js";

/** Collects what the calls of a model refer to. */
export interface Printer {
  readonly input: CodegenInput;
  readonly pool: ConstantPool;
  /** Definitions of params structs and row windows, by text so that equal ones are written once. */
  readonly definitions: Map<string, string>;
  /** Headers that the calls need. */
  readonly sources: Set<string>;
}

/** How a call is made: for everything at once, or inside a function of `row`. */
type Scope = { readonly kind: "whole" } | { readonly kind: "row"; readonly rows: NodeRows } | { readonly kind: "fold" };

/** The name of a definition with this text; `@` in it stands for the name. */
function define(p: Printer, label: string, text: string): string {
  const known = p.definitions.get(text);
  if (known !== undefined) return known;
  const name = `${p.input.name}_${label}_${p.definitions.size}`;
  p.definitions.set(text, name);
  return name;
}

/** The address of a tensor's bytes: in the arena, or a constant's name. */
function base(p: Printer, t: Tensor): string {
  const buffer = p.input.plan.bufferOf.get(t.id);
  if (buffer !== undefined) return `a + ${buffer.offset}`;
  const data = t.data ?? makeData(t.dtype, elementsOf(t.shape));
  return p.pool.add("data", t.dtype, data, `${JSON.stringify(t.name)}: ${t.dtype} [${t.shape.join(", ")}]`);
}

function wholePointer(p: Printer, t: Tensor, access: "read" | "write"): string {
  if (!p.input.plan.bufferOf.has(t.id)) return base(p, t);
  return `(${access === "read" ? "const " : ""}${storedType(t.dtype)} *)(${base(p, t)})`;
}

/** Rows of a tensor that its buffer keeps. */
const keptRows = (t: Tensor, buffer: Buffer | undefined): number =>
  buffer !== undefined && buffer.bytes < tensorBytes(t) ? buffer.rows : rowsOf(t);

/** Bytes of a row, over all images. */
const rowBytesOf = (t: Tensor): number => tensorBytes(t) / ((t.shape[0] ?? 1) * rowsOf(t));

/** C text of the first row of a window as a function of `row`: a line if it is one, else a table. */
function firstText(p: Printer, { first }: RowWindow, count: number): string {
  const firsts = Array.from({ length: count }, (_, row) => first(row));
  const at = firsts[0] ?? 0;
  const slope = (firsts[1] ?? at + 1) - at;
  if (firsts.every((value, row) => value === at + row * slope)) {
    const scaled = slope === 1 ? "row" : `row * ${slope}`;
    return at === 0 ? scaled : `${scaled} ${at < 0 ? "-" : "+"} ${Math.abs(at)}`;
  }
  return `${p.pool.add("first_rows", "int16", Int16Array.from(firsts))}[row]`;
}

/** C text of the place of one row in its tensor's memory, in bytes from its start. */
function rowOffset(t: Tensor, kept: number, row: () => string): string {
  // The text of a row is only asked for where it is used: it may define a table.
  if (kept === 1 && kept < rowsOf(t)) return "0";
  const place = kept < rowsOf(t) ? `(${row()}) % ${kept}` : row();
  return place === "0" ? "0" : `(${place}) * ${rowBytesOf(t)}`;
}

/** The row that a function is called for. */
const thisRow = (): string => "row";

const simplified = (text: string): string => text.replaceAll("(row)", "row");

function rowPointer(p: Printer, t: Tensor, row: () => string, images: number, access: "read" | "write"): string {
  const kept = keptRows(t, p.input.plan.bufferOf.get(t.id));
  const image = images > 1 ? ` + image * ${tensorBytes(t) / images}` : "";
  const type = `${access === "read" ? "const " : ""}${storedType(t.dtype)} *`;
  const constant = !p.input.plan.bufferOf.has(t.id);
  const start = constant ? `(const uint8_t *)${base(p, t)}` : base(p, t);
  const offset = simplified(rowOffset(t, kept, row));
  const pointer = `${start}${image}${offset === "0" ? "" : ` + ${offset}`}`;
  return constant ? `(${type})(const void *)(${pointer})` : `(${type})(${pointer})`;
}

/** Declares the row pointers of input `index` and returns the statements. */
function rowsStatements(p: Printer, { windows, count, images }: NodeRows, index: number, t: Tensor): readonly string[] {
  const window = present(windows[index], "window");
  const kept = keptRows(t, p.input.plan.bufferOf.get(t.id));
  const fields = {
    height: rowsOf(t),
    kept: Math.max(kept, 1),
    row_bytes: rowBytesOf(t),
    taps: window.taps,
    dilation: window.dilation,
  };
  const text = Object.entries(fields).map(([k, v]) => `.${k} = ${v}`);
  const name = define(p, "window", `static const th_window @ = {${text.join(", ")}};\n`);
  p.sources.add("codegen/runtime/th_window.h");
  const image = images > 1 ? ` + image * ${tensorBytes(t) / images}` : "";
  return [
    `    const void *rows_${index}[${window.taps}];`,
    `    th_rows(rows_${index}, &${name}, ${base(p, t)}${image}, ${simplified(firstText(p, window, count))});`,
  ];
}

/** The argument's text, and statements that must come before the call. */
function argument(p: Printer, lowered: LoweredNode, step: Step, scope: Scope, arg: KernelArg): string {
  const { view, spec } = lowered;
  switch (arg.kind) {
    case "input": {
      const t = present(view.inputs[arg.index], "input");
      if (scope.kind === "row") {
        const window = scope.rows.windows[arg.index];
        if (window) return rowPointer(p, t, () => firstText(p, window, scope.rows.count), scope.rows.images, "read");
      }
      if (scope.kind === "fold" && arg.index === 0) return rowPointer(p, t, thisRow, 1, "read");
      return wholePointer(p, t, spec.traits.mutates.includes(arg.index) ? "write" : "read");
    }
    case "output": {
      const t = present(view.outputs[arg.index], "output");
      return scope.kind === "row" ? rowPointer(p, t, thisRow, scope.rows.images, "write") : wholePointer(p, t, "write");
    }
    case "rows":
      return `rows_${arg.index}`;
    case "row":
      return "row";
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

function paramsOf(p: Printer, call: KernelCall): string | null {
  if (call.params === null) return null;
  const fields = Object.entries(call.params.fields).map(([field, value]) => `.${field} = ${valueText(value)}`);
  return define(p, "params", `static const ${call.params.type} @ = {\n${wrapped(fields)}\n};\n`);
}

/** A call on one line, or with its arguments on lines of their own. */
function callText(symbol: string, args: readonly string[]): string {
  const line = `    ${symbol}(${args.join(", ")});`;
  return line.length <= 116 ? line : `    ${symbol}(\n${wrapped(args, "        ")});`;
}

function callStatements(p: Printer, lowered: LoweredNode, step: Step, scope: Scope, call: KernelCall): string[] {
  p.sources.add(call.source);
  const before = call.args.flatMap((arg) =>
    arg.kind === "rows" && scope.kind === "row"
      ? rowsStatements(p, scope.rows, arg.index, present(lowered.view.inputs[arg.index], "input"))
      : [],
  );
  const params = paramsOf(p, call);
  const args = call.args.map((arg) => argument(p, lowered, step, scope, arg));
  return [...before, callText(call.symbol, [...(params === null ? [] : [`&${params}`]), ...args])];
}

const outputsText = (lowered: LoweredNode): string =>
  commentText(lowered.view.outputs.map((t) => `${t.dtype} [${t.shape.join(", ")}]`).join(", "));

/** Tells a tracing build what was written: outputs of the arena, or a row of each. */
function traceStatements(p: Printer, lowered: LoweredNode, step: Step, scope: Scope): readonly string[] {
  return lowered.view.outputs.flatMap((t, i) => {
    if (!p.input.plan.bufferOf.has(t.id)) return [];
    if (scope.kind === "row") {
      const at = rowPointer(p, t, thisRow, scope.rows.images, "read");
      return [`    TH_TRACE(${step.index}, ${i}, ${at}, ${rowBytesOf(t)});`];
    }
    const trace = `TH_TRACE(${step.index}, ${i}, ${base(p, t)}, ${bytesOf(t.dtype, elementsOf(t.shape))});`;
    const last = rowsOf(present(lowered.view.inputs[0], "input")) - 1;
    return scope.kind === "fold" ? [`    if (row == ${last}) {\n        ${trace}\n    }`] : [`    ${trace}`];
  });
}

/** True if a step on its own is computed by one call, false if by a loop over its rows. */
export const runsWhole = (lowered: LoweredNode): boolean => lowered.whole !== null;

/** The statements of a step that one call computes; a comment alone for a view. */
export function wholeText(p: Printer, step: Step): string {
  const lowered = present(p.input.nodes[step.index], "node");
  const comment = `    /* ${step.index}: ${lowered.node.op} -> ${outputsText(lowered)}`;
  if (step.mode === "view") return `${comment}, same bytes */`;
  const scope = { kind: "whole" } as const;
  const call = present(lowered.whole, "a call for the whole");
  return [
    `${comment} */`,
    ...callStatements(p, lowered, step, scope, call),
    ...traceStatements(p, lowered, step, scope),
  ].join("\n");
}

/** The name of the function that computes a row of a step. */
export const rowFunctionName = (p: Printer, step: Step): string => `${p.input.name}_row_${step.index}`;

/** The function that computes one row of a step's outputs, or takes one row of its input. */
export function rowFunction(p: Printer, step: Step): string {
  const lowered = present(p.input.nodes[step.index], "node");
  const fold = step.mode === "fold";
  const scope: Scope = fold ? { kind: "fold" } : { kind: "row", rows: present(lowered.rows, "rows") };
  const call = fold ? present(lowered.fold, "fold") : present(lowered.rows, "rows").call;
  const images = fold ? 1 : present(lowered.rows, "rows").images;
  const count = lowered.rows?.count ?? 1;
  const perImage = images > 1 ? [`    const int32_t image = row / ${count};`, `    row -= image * ${count};`] : [];
  const body = [
    ...perImage,
    ...callStatements(p, lowered, step, scope, call),
    ...traceStatements(p, lowered, step, scope),
  ];
  const uses = (word: string): boolean => body.some((line) => new RegExp(`\\b${word}\\b`).test(line));
  const unused = [...(uses("a") ? [] : ["    (void)a;"]), ...(uses("row") ? [] : ["    (void)row;"])];
  const what = fold ? "takes a row, gives" : "a row of";
  return [
    `/* ${step.index}: ${lowered.node.op}, ${what} ${outputsText(lowered)} */`,
    `TH_ROW void ${rowFunctionName(p, step)}(uint8_t *a, int32_t row)`,
    "{",
    ...body,
    ...unused,
    "}\n",
  ].join("\n");
}

/** The loop that computes all rows of a step on its own. */
export function rowLoop(p: Printer, step: Step): string {
  const { count, images } = present(p.input.nodes[step.index]?.rows, "rows");
  return `    for (int32_t row = 0; row < ${count * images}; row++) {\n        ${rowFunctionName(p, step)}(a, row);\n    }`;
}
