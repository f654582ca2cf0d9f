import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { checkConstant, normalizedAxis } from "../common/checks.js";
import { elementCost } from "../common/cost.js";
import { only } from "../common/gradients.js";
import { bool } from "../common/options.js";
import { constantOf, inputOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits, type Sample } from "../spec.js";

export interface CumsumAttrs {
  /** An element is not part of its own sum. */
  readonly exclusive: boolean;
  /** From the end. */
  readonly reverse: boolean;
}

/** The input as [outer][size][inner]. */
function sizes(view: NodeView<CumsumAttrs>) {
  const { shape } = inputOf(view, 0);
  const [given = 0] = constantOf(inputOf(view, 1));
  const axis = given < 0 ? given + shape.length : given;
  return { outer: elementsOf(shape.slice(0, axis)), size: shape[axis] ?? 1, inner: elementsOf(shape.slice(axis + 1)) };
}

function cumsumReference(view: ExecView<CumsumAttrs>): void {
  const { outer, size, inner } = sizes(view);
  const { exclusive, reverse } = view.attrs;
  const [x, out] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let k = 0; k < size; k++) {
        const at = (o * size + (reverse ? size - 1 - k : k)) * inner + i;
        const next = sum + (x[at] as number);
        out[at] = exclusive ? sum : next;
        sum = next;
      }
    }
  }
}

const kernel = (dtype: "float32" | "int32", suffix: string): Kernel<CumsumAttrs> => ({
  name: `portable ${suffix}`,
  form: "whole",
  types: { inputs: [dtype, "int32"], outputs: [dtype] },
  call: (view) => ({
    source: "ops/cumsum/cumsum.h",
    symbol: `th_cumsum_${suffix}`,
    params: {
      type: "th_cumsum_params",
      fields: { ...sizes(view), exclusive: Number(view.attrs.exclusive), reverse: Number(view.attrs.reverse) },
    },
    args: [
      { kind: "input", index: 0 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});

const sample = (dtype: "float32" | "int32", axis: number, attrs: CumsumAttrs): Sample<CumsumAttrs> => ({
  name: `${dtype}, axis ${axis}${attrs.exclusive ? ", exclusive" : ""}${attrs.reverse ? ", reverse" : ""}`,
  attrs,
  inputs: [
    { shape: [2, 3, 4], dtype, range: [-9, 9] },
    { shape: [], dtype: "int32", constant: [axis] },
  ],
  outputs: [{ dtype }],
});

export const cumsum = defineOp<"CUMSUM", CumsumAttrs>({
  name: "CUMSUM",
  summary: "Sums of all elements up to each along an axis",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, inPlace: [0] },
  tflite: {
    builtin: 128,
    maxVersion: 1,
    options: { tag: 102, fields: [bool("exclusive"), bool("reverse")] },
    decode: (v) => ({ exclusive: v["exclusive"] === true, reverse: v["reverse"] === true }),
    encode: (a) => ({ exclusive: a.exclusive, reverse: a.reverse }),
  },
  infer: (view, report) => {
    const input = inputOf(view, 0);
    if (!checkConstant(view, 1, report)) return null;
    const [axis = Number.NaN] = constantOf(inputOf(view, 1));
    if (normalizedAxis(axis, input.shape.length, report) === null) return null;
    return [{ shape: input.shape, dtype: input.dtype, quant: null }];
  },
  reference: cumsumReference,
  // Each element is part of the sums from its own on: the same sums, from the other end.
  gradient: (view, upstream, e) => {
    const attrs = { ...view.attrs, reverse: !view.attrs.reverse };
    return [e.node("CUMSUM", [only(upstream), view.inputs[1] ?? null], attrs)[0] ?? null, null];
  },
  ranges: "none",
  channels: "none",
  cost: elementCost(1),
  kernels: [kernel("float32", "f32"), kernel("int32", "s32")],
  samples: [
    sample("float32", 1, { exclusive: false, reverse: false }),
    sample("float32", -1, { exclusive: true, reverse: true }),
    sample("int32", 0, { exclusive: true, reverse: false }),
    sample("int32", 2, { exclusive: false, reverse: true }),
  ],
});
