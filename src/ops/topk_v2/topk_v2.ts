import { elementsOf } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { checkConstant, checkOption, checkShape } from "../common/checks.js";
import { movedQuant } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { constantOf, inputOf, sizeAt } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits, type Sample } from "../spec.js";

/** Vectors along the last axis, their length, and how many elements of each are wanted. */
function sizes(view: NodeView<Empty>) {
  const { shape } = inputOf(view, 0);
  const size = sizeAt(shape, -1);
  const [k = 0] = constantOf(inputOf(view, 1));
  return { outer: elementsOf(shape) / size, size, k };
}

/** The largest first; of equal ones the first. Source: TFLite's topk_v2.cc. */
function topkReference(view: ExecView<Empty>): void {
  const { outer, size, k } = sizes(view);
  const x = view.in[0] as Float32Array;
  const [values, indices] = [view.out[0] as Float32Array, view.out[1] as Int32Array];
  for (let o = 0; o < outer; o++) {
    const at = (i: number): number => x[o * size + i] as number;
    const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => at(b) - at(a) || a - b);
    order.slice(0, k).forEach((index, i) => {
      values[o * k + i] = at(index);
      indices[o * k + i] = index;
    });
  }
}

const kernel = (dtype: "float32" | "int8" | "int32", suffix: string): Kernel<Empty> => ({
  name: `portable ${suffix}`,
  form: "whole",
  types: { inputs: [dtype, "int32"], outputs: [dtype, "int32"] },
  call: (view) => ({
    source: "ops/topk_v2/topk_v2.h",
    symbol: `th_topk_${suffix}`,
    params: { type: "th_topk_params", fields: sizes(view) },
    args: [
      { kind: "input", index: 0 },
      { kind: "output", index: 0 },
      { kind: "output", index: 1 },
    ],
    scratchBytes: 0,
  }),
});

function sample(dtype: "float32" | "int8" | "int32", shape: readonly number[], k: number): Sample<Empty> {
  const quant = dtype === "int8" ? { quant: perTensor(0.1, 3) } : {};
  return {
    name: `${dtype}, ${k} of ${shape.at(-1)}`,
    attrs: {},
    inputs: [
      { shape, dtype, ...quant, range: [-9, 9] },
      { shape: [], dtype: "int32", constant: [k] },
    ],
    outputs: [{ dtype, ...quant }, { dtype: "int32" }],
  };
}

export const topkV2 = defineOp<"TOPK_V2", Empty>({
  name: "TOPK_V2",
  summary: "The largest elements along the last axis, and where they are",
  arity: { inputs: [2, 2], outputs: [2, 2] },
  optionalInputs: [],
  traits: noTraits,
  tflite: emptyBinding(48, 2, 34),
  infer: (view, report) => {
    const input = inputOf(view, 0);
    if (!checkConstant(view, 1, report)) return null;
    if (!checkShape(input, input.shape.length > 0 && !input.shape.includes(0), "elements along an axis", report))
      return null;
    const { k, size } = sizes(view);
    if (!checkOption(Number.isInteger(k) && k > 0 && k <= size, "k", k, `between 1 and ${size}`, report)) return null;
    const shape = [...input.shape.slice(0, -1), k];
    return [
      { shape, dtype: input.dtype, quant: movedQuant(input) },
      { shape, dtype: "int32", quant: null },
    ];
  },
  reference: topkReference,
  gradient: "not needed yet",
  ranges: "none",
  channels: "none",
  cost: (view) => ({ macs: 0, operations: elementsOf(inputOf(view, 0).shape) * sizes(view).k }),
  kernels: [kernel("float32", "f32"), kernel("int8", "s8"), kernel("int32", "s32")],
  samples: [sample("float32", [2, 3, 7], 3), sample("int8", [40], 5), sample("int32", [3, 4], 4)],
});
