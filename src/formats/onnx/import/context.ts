import type { Report } from "../../../base/diagnostics.js";
import type { DType } from "../../../base/dtype.js";
import type { Quantization, Tensor } from "../../../ir/graph.js";
import type { OpName } from "../../../ops/index.js";
import {
  type AttributeProto,
  type GraphProto,
  type Integer,
  integer,
  type NodeProto,
  type TensorProto,
} from "../proto.js";
import type { GraphBuilder, OutputSpec } from "./builder.js";

/**
 * A value of the file's graph. `plain` is a tensor of its elements. A value that lies between QuantizeLinear and
 * DequantizeLinear has its quantized form too: `stands` says whether the file means the real numbers or the integers,
 * and `isUnsigned` that those of the file are greater by 128.
 */
export interface Value {
  readonly plain: Tensor | null;
  readonly quantized: {
    readonly tensor: Tensor;
    readonly stands: "real" | "integer";
    readonly isUnsigned: boolean;
  } | null;
}

/** What the import of one operator sees of it. */
export interface OnnxNode {
  readonly b: GraphBuilder;
  readonly proto: NodeProto;
  readonly op: string;
  /** Version of the operator set that the file declares for the operator's domain. */
  readonly opset: number;
  /** How many inputs and outputs the file names, omitted ones at the end left out. */
  readonly inputCount: number;
  readonly outputCount: number;
  /** Quantization of what the operator computes, where it is computed in integers; null elsewhere. */
  readonly quant: Quantization | null;
  /** Whether output `index` has a name, so that somebody may want it. */
  readonly wants: (index: number) => boolean;
  readonly has: (index: number) => boolean;
  /** Input `index`; gives up the operator if it is not there. */
  readonly input: (index: number) => Tensor;
  readonly optional: (index: number) => Tensor | null;
  readonly value: (index: number) => Value | null;
  /** The elements of a constant input. */
  readonly constants: (index: number, what: string) => readonly number[];
  /** A tensor of an attribute as a constant. */
  readonly constantOf: (proto: TensorProto) => Tensor;
  readonly attr: Attributes;
  readonly refuse: (...problem: Parameters<Report>) => never;
  /** Runs a subgraph with values for its inputs; its outputs. */
  readonly run: (graph: GraphProto, inputs: readonly (Value | null)[]) => readonly Value[];
}

/** Attributes by name, with the value of one that is absent. */
export interface Attributes {
  readonly has: (name: string) => boolean;
  readonly int: <T>(name: string, fallback: T) => number | T;
  readonly float: (name: string, fallback: number) => number;
  readonly text: (name: string, fallback: string) => string;
  readonly ints: <T>(name: string, fallback: T) => readonly number[] | T;
  readonly floats: <T>(name: string, fallback: T) => readonly number[] | T;
  readonly texts: (name: string) => readonly string[];
  readonly tensor: (name: string) => TensorProto | null;
  readonly graph: (name: string) => GraphProto | null;
}

const utf8 = new TextDecoder();

/** Reads a node's attributes; text is UTF-8. */
export function attributesOf(proto: NodeProto): Attributes {
  const byName = new Map<string, AttributeProto>((proto.attribute ?? []).map((a) => [a.name ?? "", a]));
  const read = <T, F>(name: string, of: (a: AttributeProto) => T, fallback: F): T | F => {
    const found = byName.get(name);
    return found === undefined ? fallback : of(found);
  };
  const text = (bytes: Uint8Array | null | undefined): string => utf8.decode(bytes ?? new Uint8Array());
  return {
    has: (name) => byName.has(name),
    int: (name, fallback) => read(name, (a) => integer(a.i as Integer), fallback),
    float: (name, fallback) => read(name, (a) => a.f ?? 0, fallback),
    text: (name, fallback) => read(name, (a) => text(a.s), fallback),
    ints: (name, fallback) => read(name, (a) => (a.ints ?? []).map((i) => integer(i as Integer)), fallback),
    floats: (name, fallback) => read(name, (a) => a.floats ?? [], fallback),
    texts: (name) => read(name, (a) => (a.strings ?? []).map(text), []),
    tensor: (name) => read(name, (a) => a.t ?? null, null),
    graph: (name) => read(name, (a) => a.g ?? null, null),
  };
}

/**
 * How an operator may be computed in integers where its inputs come from DequantizeLinear: "moves" only rearranges its
 * first input; "computes" makes a result of a new scale, which a QuantizeLinear behind it must give; "never".
 */
export type Quantizable = "moves" | "computes" | "never";

/** One ONNX operator: what the support table says of it, and how its nodes become ours. */
export interface OnnxOperator {
  readonly name: string;
  /** Empty for ONNX's own. */
  readonly domain: string;
  /** The oldest operator set whose form of the operator is understood. */
  readonly since: number;
  /** Element types of the first input. */
  readonly types: readonly DType[];
  readonly quantizable: Quantizable;
  /** What is not supported, in words; empty if all of the operator is. */
  readonly limits: string;
  /** Values that int32 does not hold may be put at its ends: they are bounds. */
  readonly takesSaturated: boolean;
  readonly make: (n: OnnxNode) => Tensor | readonly (Tensor | Value | null)[];
}

type Optional = "domain" | "since" | "quantizable" | "limits" | "takesSaturated";

/** A row of the table, with what most have left out. */
export const operator = (row: Omit<OnnxOperator, Optional> & Partial<Pick<OnnxOperator, Optional>>): OnnxOperator => ({
  domain: "",
  since: 1,
  quantizable: "never",
  limits: "",
  takesSaturated: false,
  ...row,
});

/** Sets of element types that rows share. */
export const float = ["float32"] as const satisfies readonly DType[];
export const number = ["float32", "int32"] as const satisfies readonly DType[];
export const boolean = ["bool"] as const satisfies readonly DType[];
export const any = ["float32", "int32", "bool", "uint8", "int8", "int16"] as const satisfies readonly DType[];

/** Emits a node whose result has the quantization that the operator's result shall have. */
export const compute = (
  n: OnnxNode,
  op: OpName,
  inputs: readonly (Tensor | null)[],
  attrs: object = {},
  output: OutputSpec = {},
): Tensor => n.b.emit(op, inputs, attrs, { quant: n.quant, ...output });

/** An axis made non-negative; gives up the operator for one out of range. */
export function axisOf(n: OnnxNode, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(positive) && positive >= 0 && positive < rank) return positive;
  return n.refuse("TH2013", {
    message: "an axis is out of range",
    found: String(axis),
    expected: `between ${-rank} and ${rank - 1}`,
    fix: "export the model with an axis that its tensor has",
  });
}

/** Gives up the operator unless an option has a value that is supported. */
export function requireOption(n: OnnxNode, holds: boolean, name: string, found: unknown, expected: string): void {
  if (holds) return;
  n.refuse("TH2007", {
    message: `${name} has an unsupported value`,
    found: String(found),
    expected,
    fix: `export the model with ${name} ${expected}`,
  });
}

/** Axes from an attribute (old operator sets) or a constant input (new ones); undefined where neither is given. */
export function axesOf(n: OnnxNode, input: number, rank: number): readonly number[] | undefined {
  const axes = n.attr.ints("axes", undefined) ?? (n.has(input) ? n.constants(input, "axes") : undefined);
  return axes?.map((axis) => axisOf(n, axis, rank));
}
