import { type DType, elementsOf, rangeOf } from "../../base/dtype.js";
import { roundAway } from "../../base/fixedpoint.js";
import { type NodeView, perTensor, type Quantization, type Tensor, tensorName } from "../../ir/graph.js";
import {
  type CValue,
  defineOp,
  type ExecView,
  type Kernel,
  noTraits,
  type OpSpec,
  type OutputType,
  type Report,
  type Sample,
  type TfliteBinding,
  type Traits,
} from "../spec.js";
import type { Activation } from "./activation.js";
import { elementwiseChannels } from "./channels.js";
import { checkPerTensor } from "./checks.js";
import { elementCost } from "./cost.js";
import { type UnaryGradient, unaryGradient } from "./gradients.js";
import { type ElementMap, lookupKernels, mapAll } from "./lut.js";
import type { Empty } from "./options.js";
import { tableRanges } from "./ranges.js";
import { equalRows } from "./rows.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "./view.js";

/** Traits of an operator that maps each element on its own. */
export const unaryTraits = {
  ...noTraits,
  elementwise: true,
  inPlace: [0],
  rows: (view: NodeView<unknown>) => equalRows(view, [0]),
} as const satisfies Traits<object>;

/** Checks that a tensor of any integer type has a quantization, per tensor or per channel. */
export function checkQuantizedAnyhow(tensor: Tensor, report: Report): boolean {
  const { quant } = tensor;
  const fits = quant !== null && (quant.scales.length === 1 || quant.scales.length === tensor.shape[quant.axis]);
  if (fits) return true;
  report("TH2006", {
    where: [tensorName(tensor)],
    found: quant === null ? "no quantization" : `${quant.scales.length} scales along axis ${quant.axis}`,
    expected: "a scale and a zero point, or one for each channel",
    fix: "re-export with a current TFLite converter",
  });
  return false;
}

/** Checks that a tensor of any integer type has one scale and zero point. */
export function checkQuantized(tensor: Tensor, report: Report): boolean {
  if (tensor.dtype !== "int32") return checkPerTensor(tensor, report);
  if (tensor.quant?.scales.length === 1) return true;
  report("TH2006", {
    where: [tensorName(tensor)],
    found: tensor.quant === null ? "no quantization" : `${tensor.quant.scales.length} scales`,
    expected: "one scale and one zero point",
    fix: "re-export with a current TFLite converter",
  });
  return false;
}

/** The input's shape and type; 8 and 16 bits quantized per tensor on both sides. */
export function inferUnary(view: NodeView<unknown>, report: Report): readonly OutputType[] | null {
  const input = inputOf(view, 0);
  const checked = [input, outputOf(view, 0)].map((tensor) => checkPerTensor(tensor, report));
  if (checked.includes(false)) return null;
  return [
    {
      shape: input.shape,
      dtype: input.dtype,
      quant: input.dtype === "int8" || input.dtype === "int16" ? "free" : null,
    },
  ];
}

/** The int8 kernels of any unary operator: a table of its map. */
export const tableKernels = <A>(map: (view: NodeView<A>) => ElementMap): readonly Kernel<A>[] =>
  lookupKernels("table s8", "int8", "int8", map);

/** A kernel `symbol(params, input, output)` with the element count in the field `n`. */
export const unaryKernel = <A>(
  dtype: DType,
  source: string,
  symbol: string,
  params: { readonly type: string; readonly fields: (view: NodeView<A>) => Readonly<Record<string, CValue>> },
): Kernel<A> => ({
  name: `portable ${dtype}`,
  form: "slice",
  types: { inputs: [dtype], outputs: [dtype] },
  call: (view) => ({
    source,
    symbol,
    params: { type: params.type, fields: { n: elementsOf(inputOf(view, 0).shape), ...params.fields(view) } },
    args: [
      { kind: "input", index: 0 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});

/** The float kernel `th_NAME_f32` of a function without parameters. */
export const floatKernel = <A>(name: string): Kernel<A> =>
  unaryKernel("float32", "ops/common/unary_f32.h", `th_${name}_f32`, { type: "th_count_params", fields: () => ({}) });

/**
 * An 8-bit map by way of float32: dequantize, apply, quantize. Source: TFLite's LUTPopulate; each step rounds to
 * float32, and the scale is divided by through its reciprocal. NaN becomes the lowest value.
 */
export function floatTableMap(view: NodeView<unknown>, apply: ElementMap): ElementMap {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const { min, max } = rangeOf(output.dtype);
  const inverse = Math.fround(1 / scaleOf(output));
  return (x) => {
    const real = Math.fround(scaleOf(input) * (x - zeroPointOf(input)));
    const rounded = roundAway(Math.fround(Math.fround(apply(real)) * inverse));
    const value = rounded + zeroPointOf(output);
    return value > min ? Math.min(value, max) : min;
  };
}

/** What differs between operators that map every element on its own. */
export interface UnaryOp<Name extends string, A> {
  readonly name: Name;
  readonly summary: string;
  readonly tflite: TfliteBinding<A> | "none";
  /** The function of a float. */
  readonly float: (view: NodeView<A>) => ElementMap;
  readonly floatKernel: Kernel<A>;
  /** The map of 8 bits, which becomes a table. */
  readonly int8: (view: NodeView<A>) => ElementMap;
  /** The map of 16 bits and the kernel that computes it, or "none". */
  readonly int16: { readonly map: (view: NodeView<A>) => ElementMap; readonly kernel: Kernel<A> } | "none";
  /** From input, output and the output's gradient. */
  readonly gradient: UnaryGradient<A> | "not differentiable";
  readonly infer?: (view: NodeView<A>, report: Report) => readonly OutputType[] | null;
  /** Set where other operators can apply this one to their own result. */
  readonly activation?: Activation;
  /** Where the integer kernels need an output of one quantization. */
  readonly quantizes?: Readonly<Record<"int8" | "int16", Quantization>>;
  readonly samples: readonly Sample<A>[];
}

/** The record of a unary operator. */
export function defineUnary<const Name extends string, A extends object>(op: UnaryOp<Name, A>): OpSpec<Name, A> {
  const { int16 } = op;
  const mapOf = (view: ExecView<A>): ElementMap => {
    const { dtype } = inputOf(view, 0);
    if (dtype === "int8") return op.int8(view);
    return dtype === "int16" && int16 !== "none" ? int16.map(view) : op.float(view);
  };
  const reference = (view: ExecView<A>): void => mapAll(view, mapOf(view));
  return defineOp<Name, A>({
    name: op.name,
    summary: op.summary,
    arity: { inputs: [1, 1], outputs: [1, 1] },
    optionalInputs: [],
    traits: { ...unaryTraits, activation: op.activation ?? "none", quantizes: op.quantizes ?? "free" },
    tflite: op.tflite,
    infer: op.infer ?? inferUnary,
    reference,
    gradient: op.gradient === "not differentiable" ? op.gradient : unaryGradient(op.gradient),
    ranges: tableRanges(reference),
    channels: elementwiseChannels,
    cost: elementCost(1),
    kernels: [...tableKernels(op.int8), ...(int16 === "none" ? [] : [int16.kernel]), op.floatKernel],
    samples: op.samples,
  });
}

/** An operator that is a function of a float, computed for 8 bits by way of float32. */
export function defineFloatUnary<const Name extends string>(op: {
  readonly name: Name;
  readonly summary: string;
  readonly tflite: TfliteBinding<Empty> | "none";
  readonly apply: ElementMap;
  readonly gradient: UnaryGradient<Empty> | "not differentiable";
  /** Floats that samples take. */
  readonly range: readonly [low: number, high: number];
}): OpSpec<Name, Empty> {
  const { apply, range, ...rest } = op;
  const scale = Math.max(...range.map(Math.abs)) / 128;
  return defineUnary<Name, Empty>({
    ...rest,
    float: () => apply,
    floatKernel: floatKernel(op.name.toLowerCase()),
    int8: (view) => floatTableMap(view, apply),
    int16: "none",
    samples: [
      unarySample<Empty>({}, "int8", [perTensor(scale, 0), perTensor(0.02, -5)]),
      unarySample<Empty>({}, "float32", null, range),
    ],
  });
}

/** A sample of one tensor in and one out. */
export function unarySample<A>(
  attrs: A,
  dtype: "int8" | "int16" | "float32",
  quant: readonly [input: Quantization, output: Quantization] | null,
  range?: readonly [low: number, high: number],
): Sample<A> {
  return {
    name: quant === null ? dtype : `${dtype}, zero points ${quant[0].zeroPoints[0]} and ${quant[1].zeroPoints[0]}`,
    attrs,
    inputs: [{ shape: [1, 3, 7, 11], dtype, ...(quant ? { quant: quant[0] } : {}), ...(range ? { range } : {}) }],
    outputs: [{ dtype, ...(quant ? { quant: quant[1] } : {}) }],
  };
}
