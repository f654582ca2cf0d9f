import { bytesOf, type DType, elementsOf } from "../../base/dtype.js";
import { clamp } from "../../base/fixedpoint.js";
import type { NodeView } from "../../ir/graph.js";
import { checkOption, checkShape, normalizedAxis } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { moverGradient } from "../common/gradients.js";
import { constant, moverSample } from "../common/movers.js";
import { movedQuant, movedTypes, moverTraits } from "../common/moves.js";
import { int32 } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { inputOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel } from "../spec.js";

export interface GatherAttrs {
  /** The axis that indices select from; negative axes count from the end. */
  readonly axis: number;
  /** Leading axes that data and indices share. */
  readonly batchDims: number;
}

/** Axis and batch axes, not negative; meaningful once inference has checked them. */
function axesOf(view: NodeView<GatherAttrs>): { readonly axis: number; readonly batchDims: number } {
  const { axis, batchDims } = view.attrs;
  const [rank, indexRank] = [inputOf(view, 0).shape.length, inputOf(view, 1).shape.length];
  return { axis: axis < 0 ? axis + rank : axis, batchDims: batchDims < 0 ? batchDims + indexRank : batchDims };
}

/** Sizes of the loops: batches, slices between, the axis, indices for each batch, elements of a slice. */
function loops(view: NodeView<GatherAttrs>) {
  const { axis, batchDims } = axesOf(view);
  const [shape, indices] = [inputOf(view, 0).shape, inputOf(view, 1).shape];
  return {
    batch: elementsOf(shape.slice(0, batchDims)),
    outer: elementsOf(shape.slice(batchDims, axis)),
    size: shape[axis] ?? 0,
    indices: elementsOf(indices.slice(batchDims)),
    unit: elementsOf(shape.slice(axis + 1)),
  };
}

/** Source: TFLite's reference_ops::Gather. */
function gatherReference(view: ExecView<GatherAttrs>): void {
  const g = loops(view);
  const [input, output] = [view.in[0] as Int32Array, view.out[0] as Int32Array];
  const indices = Array.from(view.in[1] as ArrayLike<number | bigint>, Number);
  let to = 0;
  for (let b = 0; b < g.batch; b++) {
    for (let o = 0; o < g.outer; o++) {
      for (let i = 0; i < g.indices; i++) {
        const index = clamp(indices[b * g.indices + i] as number, 0, g.size - 1);
        const from = ((b * g.outer + o) * g.size + index) * g.unit;
        output.set(input.subarray(from, from + g.unit), to);
        to += g.unit;
      }
    }
  }
}

const kernel = (dtype: DType, index: "int32" | "int64"): Kernel<GatherAttrs> => ({
  name: `portable ${dtype}, ${index} indices`,
  form: "slice",
  types: { inputs: [dtype, index], outputs: [dtype] },
  call: (view) => {
    const { unit, ...rest } = loops(view);
    return {
      source: "ops/gather/gather.h",
      symbol: index === "int32" ? "th_gather_i32" : "th_gather_i64",
      params: { type: "th_gather_params", fields: { ...rest, unit: bytesOf(dtype, unit) } },
      args: [
        { kind: "input", index: 0 },
        { kind: "input", index: 1 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
});

export const gather = defineOp<"GATHER", GatherAttrs>({
  name: "GATHER",
  summary: "Selects slices along an axis by index; batch axes",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: {
    ...moverTraits,
    rows: (view) => {
      const { axis, batchDims } = axesOf(view);
      return axis >= 2 && batchDims === 0 ? equalRows(view, [0]) : "none";
    },
  },
  tflite: {
    builtin: 36,
    maxVersion: 7,
    options: { tag: 23, fields: [int32("axis"), int32("batchDims")] },
    decode: (v) => ({ axis: Number(v.axis), batchDims: Number(v.batchDims) }),
    encode: (a) => ({ axis: a.axis, batchDims: a.batchDims }),
  },
  infer: (view, report) => {
    const [input, indices] = [inputOf(view, 0), inputOf(view, 1)];
    if (normalizedAxis(view.attrs.axis, input.shape.length, report) === null) return null;
    const { axis, batchDims } = axesOf(view);
    const valid = Number.isInteger(batchDims) && batchDims >= 0 && batchDims <= Math.min(axis, indices.shape.length);
    if (!checkOption(valid, "batch_dims", view.attrs.batchDims, "at most the axis and the indices' rank", report))
      return null;
    const batched = indices.shape.slice(0, batchDims).every((size, d) => size === input.shape[d]);
    if (!checkShape(indices, batched, `the batch axes of [${input.shape.join(", ")}]`, report)) return null;
    if (!checkShape(input, (input.shape[axis] ?? 0) > 0, "an axis that is not empty", report)) return null;
    const shape = [...input.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...input.shape.slice(axis + 1)];
    return [{ shape, dtype: input.dtype, quant: movedQuant(input) }];
  },
  reference: gatherReference,
  gradient: (view, upstream, e) =>
    // Where indices are computed, it is not known where gradients go; whoever needs them is told.
    inputOf(view, 1).data === null ? [null, null] : moverGradient(gatherReference)(view, upstream, e),
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: movedTypes.flatMap((dtype) => [kernel(dtype, "int32"), kernel(dtype, "int64")]),
  samples: [
    moverSample("rows", { axis: 0, batchDims: 0 }, "int8", [5, 3], [constant([4, 0, 4, 2])]),
    moverSample(
      "scalar index, last axis",
      { axis: -1, batchDims: 0 },
      "float32",
      [2, 3, 4],
      [{ shape: [], dtype: "int32", constant: [2] }],
    ),
    moverSample("channels of an image", { axis: 3, batchDims: 0 }, "int8", [1, 3, 4, 5], [constant([4, 0, 4, 2])]),
    moverSample(
      "batch",
      { axis: 2, batchDims: 1 },
      "int16",
      [2, 3, 4],
      [{ shape: [2, 3], dtype: "int64", constant: [0, 3, 1, 2, 2, 0] }],
    ),
    moverSample(
      "indices at run time, some out of range",
      { axis: 1, batchDims: 0 },
      "int8",
      [2, 6, 3],
      [{ shape: [7], dtype: "int32", range: [-2, 8] }],
    ),
  ],
});
