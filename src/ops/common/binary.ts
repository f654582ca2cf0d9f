import type { NodeView } from "../../ir/graph.js";
import {
  type CValue,
  type ExecView,
  type Kernel,
  type KernelCall,
  noTraits,
  type OutputType,
  type Report,
  type Traits,
} from "../spec.js";
import { type Activation, floatActivationRange, type Range } from "./activation.js";
import { broadcastFields, broadcastShape, forEachPair, maxBroadcastRank } from "./broadcast.js";
import { checkPerTensor, checkShape } from "./checks.js";
import { broadcastRows } from "./rows.js";
import { inputOf, outputOf } from "./view.js";

/** Element types that a binary operator combines with one of its own type. */
export type BinaryType = "int8" | "int16" | "int32" | "float32";

/** Traits of an element by element operator of two inputs: rows stay rows, and either input may be overwritten. */
export const binaryTraits = {
  ...noTraits,
  elementwise: true,
  inPlace: [0, 1],
  rows: broadcastRows,
} as const satisfies Traits<object>;

/** Shape by numpy's rules, up to six dimensions; both inputs of one type; 8 and 16 bits quantized per tensor. */
export function inferBinary(view: NodeView<unknown>, report: Report): readonly OutputType[] | null {
  const [a, b] = [inputOf(view, 0), inputOf(view, 1)];
  const shape = broadcastShape(a.shape, b.shape);
  if (
    !checkShape(b, shape !== null, `a shape that broadcasts with [${a.shape.join(", ")}]`, report) ||
    shape === null
  ) {
    return null;
  }
  if (!checkShape(b, shape.length <= maxBroadcastRank, `at most ${maxBroadcastRank} dimensions`, report)) return null;
  const quantized = [a, b, outputOf(view, 0)].map((tensor) => checkPerTensor(tensor, report));
  if (quantized.includes(false)) return null;
  return [{ shape, dtype: a.dtype, quant: a.dtype === "int8" || a.dtype === "int16" ? "free" : null }];
}

/** Combines the inputs element by element; the result is stored as the output's type (int32 wraps). */
export function combineAll(view: ExecView<unknown>, combine: (x1: number, x2: number) => number): void {
  const [in1, in2, out] = [view.in[0], view.in[1], view.out[0]] as [Int32Array, Int32Array, Int32Array];
  forEachPair(inputOf(view, 0).shape, inputOf(view, 1).shape, outputOf(view, 0).shape, (at, at1, at2) => {
    out[at] = combine(in1[at1] as number, in2[at2] as number);
  });
}

/** The limits an activation puts on a plain int32 result. */
export function int32ActivationRange(activation: Activation): Range {
  const { min, max } = floatActivationRange(activation);
  return { min: Math.max(min, -2147483648), max: Math.min(max, 2147483647) };
}

/** What differs between the kernels of binary operators. */
export interface BinaryCall {
  readonly source: string;
  readonly symbol: string;
  readonly params: string;
  readonly fields: Readonly<Record<string, CValue>>;
}

/** A kernel of two inputs and an output of one type, as TH_DEFINE_BINARY defines them. */
export const binaryKernel = <A>(dtype: BinaryType, call: (view: NodeView<A>) => BinaryCall): Kernel<A> => ({
  name: `portable ${dtype}`,
  form: "slice",
  types: { inputs: [dtype, dtype], outputs: [dtype] },
  call: (view): KernelCall => {
    const { source, symbol, params, fields } = call(view);
    const broadcast = broadcastFields(inputOf(view, 0).shape, inputOf(view, 1).shape, outputOf(view, 0).shape);
    return {
      source,
      symbol,
      params: { type: params, fields: { ...broadcast, ...fields } },
      args: [
        { kind: "input", index: 0 },
        { kind: "input", index: 1 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
});

/** The operations that the shared float and int32 headers hold. */
export type Arithmetic = "add" | "sub" | "mul" | "div" | "squared_difference";

/** The float32 kernel of an arithmetic operation with its activation. */
export const floatArithmetic = <A>(name: Arithmetic, activation: (attrs: A) => Activation): Kernel<A> =>
  binaryKernel("float32", (view) => {
    const range = floatActivationRange(activation(view.attrs));
    return {
      source: "ops/common/arithmetic_f32.h",
      symbol: `th_${name}_f32`,
      params: "th_arithmetic_f32_params",
      fields: { min: { float: range.min }, max: { float: range.max } },
    };
  });

/** The int32 kernel of an arithmetic operation with its activation. */
export const int32Arithmetic = <A>(name: Exclude<Arithmetic, "div">, activation: (attrs: A) => Activation): Kernel<A> =>
  binaryKernel("int32", (view) => ({
    source: "ops/common/arithmetic_s32.h",
    symbol: `th_${name}_s32`,
    params: "th_arithmetic_s32_params",
    fields: { ...int32ActivationRange(activation(view.attrs)) },
  }));
