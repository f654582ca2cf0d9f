import { present } from "../base/assert.js";
import { bytesOf, elementsOf, makeData } from "../base/dtype.js";
import type { Tensor } from "../ir/graph.js";
import { type LoweredNode, type NodeRows, rowsOf } from "../ops/lower.js";
import type { KernelArg, KernelCall, RowWindow } from "../ops/spec.js";
import type { Step } from "../plan/plan.js";
import { tensorBytes } from "../plan/tensors.js";
import { addressText, arenaLoads } from "./arenas.js";
import { commentText, storedType, valueText, wrapped } from "./c.js";
import { define, type Printer } from "./printer.js";
import { heightOf, isInOnePiece, layoutOf, type RowLayout } from "./row-layout.js";

/** How a call is made: for everything at once, or inside a function of `row`. */
type Scope = { readonly kind: "whole" } | { readonly kind: "row"; readonly rows: NodeRows } | { readonly kind: "fold" };

/** The address of a tensor's bytes: in the arena, or a constant's name. */
function base(p: Printer, t: Tensor): string {
  const buffer = p.input.plan.bufferOf.get(t.id);
  if (buffer !== undefined) return addressText(buffer);
  const data = t.data ?? makeData(t.dtype, elementsOf(t.shape));
  return p.pool.add("data", t.dtype, data, `${JSON.stringify(t.name)}: ${t.dtype} [${t.shape.join(", ")}]`);
}

/** The address of a tensor's first element in the arena. */
function startText(p: Printer, lowered: LoweredNode, t: Tensor): string {
  const { row, pitch, column } = layoutOf(p, lowered, t);
  return plus(base(p, t), row * pitch + column);
}

function wholePointer(p: Printer, lowered: LoweredNode, t: Tensor, access: "read" | "write"): string {
  if (!p.input.plan.bufferOf.has(t.id)) return base(p, t);
  return `(${access === "read" ? "const " : ""}${storedType(t.dtype)} *)(${startText(p, lowered, t)})`;
}

const plus = (text: string, n: number): string => (n === 0 ? text : `${text} ${n < 0 ? "-" : "+"} ${Math.abs(n)}`);

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

/** Text that is made when it is needed: where one row is kept, nobody asks which. */
type RowText = () => string;

const thisRow: RowText = () => "row";

/** C text of the place of one row in memory, in bytes from the start of its tensor; empty for the start itself. */
function rowOffset({ height, kept, pitch, row, column }: RowLayout, text: RowText): string {
  const after = column === 0 ? "" : ` + ${column}`;
  if (kept === 1) return after;
  const at = plus(text(), row);
  const factor = at.includes(" ") ? `(${at})` : at;
  return ` + ${kept < height ? `(${factor} % ${kept})` : factor} * ${pitch}${after}`;
}

function rowPointer(p: Printer, lowered: LoweredNode, t: Tensor, row: RowText, access: "read" | "write"): string {
  const images = t.shape[0] ?? 1;
  const image = images > 1 ? ` + image * ${tensorBytes(t) / images}` : "";
  const type = `${access === "read" ? "const " : ""}${storedType(t.dtype)} *`;
  const constant = !p.input.plan.bufferOf.has(t.id);
  const start = constant ? `(const uint8_t *)${base(p, t)}` : base(p, t);
  const pointer = `${start}${image}${rowOffset(layoutOf(p, lowered, t), row)}`;
  return constant ? `(${type})(const void *)(${pointer})` : `(${type})(${pointer})`;
}

/** Declares the row pointers of input `index` and returns the statements. */
function rowsStatements(
  p: Printer,
  lowered: LoweredNode,
  { windows, count }: NodeRows,
  index: number,
): readonly string[] {
  const t = present(lowered.view.inputs[index], "input");
  const window = present(windows[index], "window");
  const images = t.shape[0] ?? 1;
  const { kept, pitch, row, column } = layoutOf(p, lowered, t);
  const fields = {
    height: heightOf(p, t),
    row,
    kept: Math.max(kept, 1),
    row_bytes: pitch,
    taps: window.taps,
    dilation: window.dilation,
  };
  const text = Object.entries(fields).flatMap(([k, v]) => (k === "row" && v === 0 ? [] : [`.${k} = ${v}`]));
  const name = define(p, "window", `static const th_window @ = {${text.join(", ")}};\n`);
  p.sources.add("codegen/runtime/th_window.h");
  const image = images > 1 ? ` + image * ${tensorBytes(t) / images}` : "";
  const start = `${base(p, t)}${image}${column === 0 ? "" : ` + ${column}`}`;
  return [
    `    const void *rows_${index}[${window.taps}];`,
    `    th_rows(rows_${index}, &${name}, ${start}, ${firstText(p, window, count)});`,
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
        if (window) return rowPointer(p, lowered, t, () => firstText(p, window, scope.rows.count), "read");
      }
      if (scope.kind === "fold" && arg.index === 0) return rowPointer(p, lowered, t, thisRow, "read");
      return wholePointer(p, lowered, t, spec.traits.mutates.includes(arg.index) ? "write" : "read");
    }
    case "output": {
      const t = present(view.outputs[arg.index], "output");
      return scope.kind === "row" ? rowPointer(p, lowered, t, thisRow, "write") : wholePointer(p, lowered, t, "write");
    }
    case "rows":
      return `rows_${arg.index}`;
    case "row":
      return "row";
    case "variable": {
      const name = present(view.inputs[arg.index]?.resource, "variable name");
      return addressText(present(p.input.plan.bufferOfVariable.get(name), `buffer of ${name}`));
    }
    case "constant":
      return p.pool.add(arg.label, arg.dtype, arg.data);
    case "scratch":
      return step.scratch === null ? "NULL" : addressText(present(p.input.plan.buffers[step.scratch], "scratch"));
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
    arg.kind === "rows" && scope.kind === "row" ? rowsStatements(p, lowered, scope.rows, arg.index) : [],
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
      const at = rowPointer(p, lowered, t, thisRow, "read");
      const { rowBytes, pixelBytes, pixelPitch } = layoutOf(p, lowered, t);
      if (t.shape.length !== 4 || pixelBytes === pixelPitch)
        return [`    TH_TRACE(${step.index}, ${i}, ${at}, ${rowBytes});`];
      const pixel = `(const uint8_t *)${at} + x * ${pixelPitch}`;
      return [
        `    for (int32_t x = 0; x < ${t.shape[2]}; x++) {`,
        `        TH_TRACE(${step.index}, ${i}, ${pixel}, ${pixelBytes});`,
        "    }",
      ];
    }
    const bytes = bytesOf(t.dtype, elementsOf(t.shape));
    const last = rowsOf(present(lowered.view.inputs[0], "input")) - 1;
    // What a fold has written is there after the last row; every row is told, as that is where the step's time goes.
    const written = scope.kind === "fold" ? `row == ${last} ? ${bytes} : 0` : `${bytes}`;
    return [`    TH_TRACE(${step.index}, ${i}, ${startText(p, lowered, t)}, ${written});`];
  });
}

/** True if a step on its own is computed by one call, false if by a loop over its rows. */
export const runsWhole = (p: Printer, lowered: LoweredNode): boolean =>
  lowered.whole !== null &&
  [...lowered.view.inputs, ...lowered.view.outputs].every(
    (t) => t === null || !p.input.plan.bufferOf.has(t.id) || isInOnePiece(layoutOf(p, lowered, t)),
  );

const isFolded = (p: Printer, step: Step): boolean => p.input.folded?.has(step.index) ?? false;

/** The name of the function of a step that has its kernel to itself. */
const stepFunctionName = (p: Printer, step: Step): string => `${p.input.name}_step_${step.index}`;

/** The function of a step that one call computes, if it has its kernel to itself. */
export function stepFunction(p: Printer, step: Step): string {
  const lowered = present(p.input.nodes[step.index], "node");
  if (step.mode === "view" || !isFolded(p, step) || !runsWhole(p, lowered)) return "";
  const statements = wholeStatements(p, lowered, step);
  return [
    `/* ${step.index}: ${lowered.node.op} -> ${outputsText(lowered)} */`,
    `TH_FOLDED void ${stepFunctionName(p, step)}(uint8_t *a)`,
    "{",
    ...arenaLoads(p.input.plan, statements.join("\n")),
    ...statements,
    ...(statements.some((line) => /\ba\b/.test(line)) ? [] : ["    (void)a;"]),
    "}\n",
  ].join("\n");
}

const wholeStatements = (p: Printer, lowered: LoweredNode, step: Step): readonly string[] => [
  ...callStatements(p, lowered, step, { kind: "whole" }, present(lowered.whole, "a call for the whole")),
  ...traceStatements(p, lowered, step, { kind: "whole" }),
];

/** The statements of a step that one call computes; for a view there is nothing to call. */
export function wholeText(p: Printer, step: Step): string {
  const lowered = present(p.input.nodes[step.index], "node");
  const comment = `    /* ${step.index}: ${lowered.node.op} -> ${outputsText(lowered)}`;
  if (step.mode === "view") {
    const inPieces = lowered.view.outputs.some((t) => !isInOnePiece(layoutOf(p, lowered, t)));
    return [
      `${comment}, same bytes */`,
      ...(inPieces ? [] : traceStatements(p, lowered, step, { kind: "whole" })),
    ].join("\n");
  }
  if (isFolded(p, step)) return `${comment} */\n    ${stepFunctionName(p, step)}(a);`;
  return [`${comment} */`, ...wholeStatements(p, lowered, step)].join("\n");
}

/** The name of the function that computes a row of a step. */
export const rowFunctionName = (p: Printer, step: Pick<Step, "index">): string => `${p.input.name}_row_${step.index}`;

/** The function that computes one row of a step's outputs, or takes one row of its input. */
export function rowFunction(p: Printer, step: Step): string {
  const lowered = present(p.input.nodes[step.index], "node");
  const fold = step.mode === "fold";
  const scope: Scope = fold ? { kind: "fold" } : { kind: "row", rows: present(lowered.rows, "rows") };
  const call = fold ? present(lowered.fold, "fold") : present(lowered.rows, "rows").call;
  const images = fold ? 1 : present(lowered.rows, "rows").images;
  const count = lowered.rows?.count ?? 1;
  const perImage = images > 1 ? [`    const int32_t image = row / ${count};`, `    row -= image * ${count};`] : [];
  const statements = [
    ...perImage,
    ...callStatements(p, lowered, step, scope, call),
    ...traceStatements(p, lowered, step, scope),
  ];
  const body = [...arenaLoads(p.input.plan, statements.join("\n")), ...statements];
  const uses = (word: string): boolean => body.some((line) => new RegExp(`\\b${word}\\b`).test(line));
  const unused = [...(uses("a") ? [] : ["    (void)a;"]), ...(uses("row") ? [] : ["    (void)row;"])];
  const what = fold ? "takes a row, gives" : "a row of";
  return [
    `/* ${step.index}: ${lowered.node.op}, ${what} ${outputsText(lowered)} */`,
    `${isFolded(p, step) ? "TH_FOLDED" : "TH_ROW"} void ${rowFunctionName(p, step)}(uint8_t *a, int32_t row)`,
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
