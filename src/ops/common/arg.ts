import { type DType, elementsOf } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { type ExecView, type Kernel, noTraits, type OpSpec, type Sample } from "../spec.js";
import { checkConstant, checkOption, checkShape, normalizedAxis } from "./checks.js";
import { int8 } from "./options.js";
import { constantOf, inputOf, sizeAt } from "./view.js";

export interface ArgAttrs {
  readonly outputType: "int32" | "int64";
}

/** Which extreme is looked for. */
export type Extreme = "max" | "min";

function axisOf(view: NodeView<ArgAttrs>): number {
  const axis = constantOf(inputOf(view, 1))[0] ?? 0;
  return axis < 0 ? axis + inputOf(view, 0).shape.length : axis;
}

/** The input as [outer][size][inner]. */
function sizes(view: NodeView<ArgAttrs>) {
  const { shape } = inputOf(view, 0);
  const axis = axisOf(view);
  return {
    outer: elementsOf(shape.slice(0, axis)),
    size: sizeAt(shape, axis),
    inner: elementsOf(shape.slice(axis + 1)),
  };
}

/** The first of equal extremes, as ArgMinMax of TFLite's reference_ops. */
function reference(view: ExecView<ArgAttrs>, extreme: Extreme): void {
  const { outer, size, inner } = sizes(view);
  const [x, out] = [view.in[0] as Float32Array, view.out[0] as Int32Array | BigInt64Array];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (k: number): number => x[(o * size + k) * inner + i] as number;
      let best = 0;
      for (let k = 1; k < size; k++) if (extreme === "max" ? at(k) > at(best) : at(k) < at(best)) best = k;
      if (out instanceof BigInt64Array) out[o * inner + i] = BigInt(best);
      else out[o * inner + i] = best;
    }
  }
}

function kernel(extreme: Extreme, suffix: string, dtype: DType, output: "int32" | "int64"): Kernel<ArgAttrs> {
  return {
    name: `portable ${suffix} to ${output}`,
    form: "whole",
    types: { inputs: [dtype, "int32"], outputs: [output] },
    call: (view) => ({
      source: `ops/common/th_arg_${suffix}.h`,
      symbol: `th_arg_${suffix}`,
      params: {
        type: "th_arg_params",
        fields: { ...sizes(view), least: extreme === "min" ? 1 : 0, wide: output === "int64" ? 1 : 0 },
      },
      args: [
        { kind: "input", index: 0 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    }),
  };
}

const inputs = [
  ["s8", "int8"],
  ["u8", "uint8"],
  ["s16", "int16"],
  ["s32", "int32"],
  ["f32", "float32"],
] as const;

function sample(
  name: string,
  dtype: DType,
  outputType: "int32" | "int64",
  shape: readonly number[],
  axis: number,
): Sample<ArgAttrs> {
  const quant = dtype === "int8" ? { quant: perTensor(0.1, 3) } : {};
  const range = dtype === "float32" ? {} : { range: [0, 5] as const };
  return {
    name,
    attrs: { outputType },
    inputs: [
      { shape, dtype, ...quant, ...range },
      { shape: [], dtype: "int32", constant: [axis] },
    ],
    outputs: [{ dtype: outputType }],
  };
}

const samples: readonly Sample<ArgAttrs>[] = [
  sample("int8, last axis, ties", "int8", "int32", [3, 9], -1),
  sample("int8, first axis", "int8", "int64", [4, 2, 3], 0),
  sample("uint8", "uint8", "int32", [2, 5, 3], 1),
  sample("int16", "int16", "int32", [2, 6], 1),
  sample("int32", "int32", "int32", [7], 0),
  sample("float", "float32", "int32", [2, 5], 1),
];

/** The record of ARG_MAX or ARG_MIN. */
export function argOp<const Name extends string>(
  name: Name,
  extreme: Extreme,
  builtin: number,
  tag: number,
): OpSpec<Name, ArgAttrs> {
  return {
    name,
    summary: `Index of the ${extreme === "max" ? "largest" : "smallest"} element along an axis`,
    arity: { inputs: [2, 2], outputs: [1, 1] },
    optionalInputs: [],
    traits: noTraits,
    tflite: {
      builtin,
      maxVersion: 3,
      options: { tag, fields: [int8("outputType")] },
      decode: (v, report) => {
        const code = Number(v.outputType);
        // TensorType 2 is INT32, 4 is INT64.
        checkOption(code === 2 || code === 4, "output_type", code, "2 (int32) or 4 (int64)", report);
        return { outputType: code === 4 ? "int64" : "int32" };
      },
      encode: (a) => ({ outputType: a.outputType === "int64" ? 4 : 2 }),
    },
    infer: (view, report) => {
      const [input, axes] = [inputOf(view, 0), inputOf(view, 1)];
      if (!checkConstant(view, 1, report)) return null;
      if (!checkShape(axes, elementsOf(axes.shape) === 1, "one element", report)) return null;
      const axis = normalizedAxis(constantOf(axes)[0] ?? Number.NaN, input.shape.length, report);
      if (axis === null) return null;
      if (!checkShape(input, (input.shape[axis] ?? 0) > 0, "elements along the axis", report)) return null;
      return [{ shape: input.shape.filter((_, i) => i !== axis), dtype: view.attrs.outputType, quant: null }];
    },
    reference: (view) => reference(view, extreme),
    gradient: "integers",
    ranges: "none",
    channels: "none",
    cost: (view) => ({ macs: 0, operations: elementsOf(inputOf(view, 0).shape) }),
    kernels: inputs.flatMap(([suffix, dtype]) =>
      (["int32", "int64"] as const).map((output) => kernel(extreme, suffix, dtype, output)),
    ),
    samples,
  };
}
