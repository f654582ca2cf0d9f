import { DiagnosticSink } from "../../../base/diagnostics.js";
import type { TensorId } from "../../../base/units.js";
import type { Tensor } from "../../../ir/graph.js";
import {
  type ExternalFiles,
  type GraphProto,
  type NodeProto,
  type OnnxTensor,
  readTensor,
  type TensorProto,
} from "../proto.js";
import { type GraphBuilder, Refused } from "./builder.js";
import { attributesOf, type OnnxNode, type OnnxOperator, type Value } from "./context.js";
import { type Parameters, plainOf, quantizationAhead } from "./quantization.js";
import { lookUp, type Scope, scopeOf } from "./scope.js";
import { findOnnxOperator } from "./table.js";

/** Operators looked at, those of unrolled loops every time; a file of a few bytes could ask for billions. */
const maxSteps = 200_000;

/** An import under way. */
export interface Import {
  readonly b: GraphBuilder;
  readonly sink: DiagnosticSink;
  readonly file: string;
  readonly external: ExternalFiles;
  /** Version of each domain's operator set; ONNX's own is "". */
  readonly opsets: ReadonlyMap<string, number>;
  /** Constants with values that int32 does not hold. */
  readonly saturated: Set<TensorId>;
  steps: number;
}

export const plain = (tensor: Tensor): Value => ({ plain: tensor, quantized: null });

/** A constant of the file, or null after reporting why it cannot be read. */
export function constantOf(c: Import, proto: TensorProto, where: readonly string[]): Tensor | null {
  const read = readTensor(proto, c.external, where, c.sink);
  return read === null ? null : addConstant(c, read);
}

function addConstant(c: Import, read: OnnxTensor): Tensor {
  const { shape, dtype, data, name } = read;
  const tensor = c.b.add({ shape, dtype, data, quant: null, ...(name === "" ? {} : { name }) });
  if (read.isSaturated) c.saturated.add(tensor.id);
  return tensor;
}

export const quoted = (name: string): string => JSON.stringify(name.slice(0, 200));

/** `node 3 Conv "conv1"`, as diagnostics name an operator. */
const nodeName = (node: NodeProto, index: number): string =>
  `node ${index} ${(node.opType ?? "").slice(0, 100)}${node.name ? ` ${quoted(node.name)}` : ""}`;

/** The operator's record, or null after reporting that there is none for its operator set. */
function operatorOf(c: Import, node: NodeProto, where: readonly string[]): OnnxOperator | null {
  const domain = node.domain === "ai.onnx" ? "" : (node.domain ?? "");
  const row = findOnnxOperator(domain, node.opType ?? "");
  const opset = c.opsets.get(domain);
  if (row !== undefined && opset !== undefined && opset >= row.since) return row;
  if (row === undefined)
    c.sink.report("TH2001", {
      where,
      found: `${domain === "" ? "" : `${domain}.`}${node.opType}`,
      fix: "replace it by operators that `thimble operators --onnx` lists, or leave it out of the exported model",
    });
  else
    c.sink.report("TH2002", {
      where,
      found: opset === undefined ? `no operator set of domain ${quoted(domain)}` : `operator set ${opset}`,
      expected: `${row.since} or newer`,
      fix: "export the model again with a newer opset_version",
    });
  return null;
}

/** How one operator's inputs are taken: as they are, or in integers with the result's quantization. */
interface Mode {
  readonly isQuantized: boolean;
  readonly ahead: Parameters | null;
}

/** The ways to compute a node, the preferred one first. */
function modesOf(scope: Scope, node: NodeProto, row: OnnxOperator, values: readonly (Value | null)[]): readonly Mode[] {
  const real: Mode = { isQuantized: false, ahead: null };
  const isReal = (v: Value | null | undefined): boolean => v?.quantized?.stands === "real";
  if (row.quantizable === "never" || !isReal(values[0])) return [real];
  if (row.quantizable === "moves") return [{ isQuantized: true, ahead: null }, real];
  const ahead = quantizationAhead(scope, node.output?.[0] ?? "");
  // A bias may be real: it is quantized by the scales of its products.
  const fits = values.every((v) => v === null || isReal(v) || v.plain?.data);
  const dtype = values[0]?.quantized?.tensor.dtype;
  return ahead !== null && fits && dtype === ahead.dtype ? [{ isQuantized: true, ahead }, real] : [real];
}

function contextOf(
  c: Import,
  scope: Scope,
  node: NodeProto,
  values: readonly (Value | null)[],
  mode: Mode,
  opset: number,
): OnnxNode {
  const { b } = c;
  const tensor = (value: Value): Tensor =>
    mode.isQuantized && value.quantized?.stands === "real" ? value.quantized.tensor : plainOf(b, value);
  const optional = (index: number): Tensor | null => {
    const value = values[index] ?? null;
    return value === null ? null : tensor(value);
  };
  const input = (index: number): Tensor =>
    optional(index) ??
    b.refuse("TH2003", { found: `no input ${index}`, fix: "the file is damaged: export the model again" });
  return {
    b,
    proto: node,
    op: node.opType ?? "",
    opset,
    inputCount: values.length,
    outputCount: (node.output ?? []).length,
    quant: mode.ahead?.quant ?? (mode.isQuantized ? (values[0]?.quantized?.tensor.quant ?? null) : null),
    wants: (index) => (node.output?.[index] ?? "") !== "",
    has: (index) => (values[index] ?? null) !== null,
    input,
    optional,
    value: (index) => values[index] ?? null,
    constants: (index, what) => b.valuesOf(input(index), what),
    constantOf: (proto) => constantOf(c, proto, b.where) ?? b.giveUp(),
    attr: attributesOf(node),
    refuse: (...problem) => b.refuse(...problem),
    run: (graph, inputs) => runGraph(c, graph, scope, inputs),
  };
}

/** Makes one node's results; null where they cannot be made, after reporting why. */
function makeNode(c: Import, scope: Scope, node: NodeProto, index: number): readonly (Value | null)[] | null {
  const where = [c.file, nodeName(node, index)];
  const row = operatorOf(c, node, where);
  const names = node.input ?? [];
  const values = names.map((name) => (name === "" ? null : lookUp(scope, name)));
  names.forEach((name, i) => {
    if (values[i] === undefined)
      c.sink.report("TH2009", {
        where,
        found: quoted(name),
        fix: "the file's nodes are out of order or one is missing: export it again",
      });
  });
  // What hangs on something that could not be made has no problem of its own.
  if (row === null || values.some((value, i) => names[i] !== "" && !value)) return null;
  const { b } = c;
  const given = values as readonly (Value | null)[];
  const outer = { origin: b.origin, where: b.where, label: b.label };
  const label = node.name || node.output?.find((o) => o !== "") || node.opType || "";
  const begin = () => {
    b.origin = { index, op: node.opType ?? "" };
    b.where = where;
    b.label = label;
  };
  begin();
  try {
    checkInputs(c, row, given);
    const opset = c.opsets.get(row.domain) ?? 0;
    const modes = modesOf(scope, node, row, given);
    for (const mode of modes) {
      const results = attempt(b, mode.isQuantized, () => row.make(contextOf(c, scope, node, given, mode, opset)));
      if (results === null) continue;
      return (Array.isArray(results) ? results : [results]).map((r, i) =>
        namedValue(b, r, mode, node.output?.[i] ?? ""),
      );
    }
    return null;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  } finally {
    Object.assign(b, outer);
  }
}

/** Runs `make`; where another way is left, what it reports and has made so far is forgotten if it gives up. */
function attempt<T>(b: GraphBuilder, isTrial: boolean, make: () => T): T | null {
  if (!isTrial) return make();
  const [sink, count] = [b.sink, b.nodes.length];
  b.sink = new DiagnosticSink();
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    b.nodes.length = count;
    return null;
  } finally {
    b.sink = sink;
  }
}

/** Checks types of the first input, and that no constant lost its value on the way to int32. */
function checkInputs(c: Import, row: OnnxOperator, values: readonly (Value | null)[]): void {
  const { b } = c;
  for (const value of values) {
    if (value?.plain && c.saturated.has(value.plain.id) && !row.takesSaturated)
      b.refuse("TH2017", {
        found: `constant ${quoted(value.plain.name)}`,
        expected: "between -2^31 and 2^31 - 1",
        fix: "export the model with smaller integers",
      });
  }
  const first = values[0]?.plain;
  if (first && first.data === null && !row.types.includes(first.dtype))
    b.refuse("TH2004", {
      found: first.dtype,
      expected: row.types.join(", "),
      fix: "convert the tensor to one of these types before the operator",
    });
}

/** A result under the name it has in the file. */
function namedValue(b: GraphBuilder, result: Tensor | Value | null, mode: Mode, name: string): Value | null {
  if (result === null) return null;
  const value = "plain" in result ? result : null;
  const tensor = "plain" in result ? (result.plain ?? result.quantized?.tensor ?? null) : result;
  const isOwn = tensor !== null && tensor.name === `${b.label}/${tensor.id}`;
  const named = isOwn && name !== "" ? b.update(tensor, { name }) : tensor;
  if (value !== null) {
    if (value.plain) return { ...value, plain: named };
    return value.quantized && named ? { plain: null, quantized: { ...value.quantized, tensor: named } } : value;
  }
  if (named === null) return null;
  const stays = mode.isQuantized && named.quant !== null;
  return stays
    ? { plain: null, quantized: { tensor: named, stands: "real", isUnsigned: mode.ahead?.isUnsigned ?? false } }
    : plain(named);
}

/** Makes a graph's nodes within the scope around it; its outputs. */
function runGraph(
  c: Import,
  graph: GraphProto,
  parent: Scope | null,
  inputs: readonly (Value | null)[],
): readonly Value[] {
  const scope = scopeOf(graph, parent);
  for (const proto of graph.initializer ?? []) {
    const name = proto.name ?? "";
    const tensor = constantOf(c, proto, [c.file, `initializer ${quoted(name)}`]);
    scope.values.set(name, tensor && plain(tensor));
  }
  (graph.input ?? []).forEach((input, i) => {
    const given = inputs[i];
    if (given !== undefined && !scope.values.has(input.name ?? "")) scope.values.set(input.name ?? "", given);
  });
  return makeNodes(c, graph, scope);
}

export function makeNodes(c: Import, graph: GraphProto, scope: Scope): readonly Value[] {
  for (const [index, node] of (graph.node ?? []).entries()) {
    if (++c.steps > maxSteps)
      c.b.refuse("TH1010", { found: `more than ${maxSteps} operators`, fix: "export the model without long loops" });
    const results = makeNode(c, scope, node, index);
    (node.output ?? []).forEach((name, i) => {
      if (name !== "") scope.values.set(name, results?.[i] ?? null);
    });
  }
  return (graph.output ?? []).flatMap((output) => {
    const value = lookUp(scope, output.name ?? "");
    if (value === undefined)
      c.sink.report("TH2009", {
        where: [c.file, `output ${quoted(output.name ?? "")}`],
        fix: "export the model again",
      });
    if (!value && scope.parent !== null) throw new Refused();
    return value ? [value] : [];
  });
}
