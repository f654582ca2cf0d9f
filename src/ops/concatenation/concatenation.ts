import type { DType } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Activation, decodeActivation, encodeActivation } from "../common/activation.js";
import { checkOption, normalizedAxis } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { slice as block, only } from "../common/gradients.js";
import {
  checkAlike,
  joinChannels,
  joinKernels,
  joinReference,
  joinRows,
  maxSlices,
  partsAlong,
  type Slices,
} from "../common/joins.js";
import { movedTensor } from "../common/movers.js";
import { movedQuant, moverTraits } from "../common/moves.js";
import { int8, int32 } from "../common/options.js";
import { movedRanges } from "../common/ranges.js";
import { inputOf, outputOf, sizeAt } from "../common/view.js";
import { defineOp, type ExecView, type Sample } from "../spec.js";

export interface ConcatenationAttrs {
  /** Negative axes count from the end. */
  readonly axis: number;
  readonly activation: Activation;
}

const partsOf = (view: NodeView<ConcatenationAttrs>): Slices => {
  const slices = view.inputs.map((_, i) => inputOf(view, i));
  const { axis } = view.attrs;
  return { slices, axis: axis < 0 ? axis + inputOf(view, 0).shape.length : axis };
};

function sample(
  name: string,
  dtype: DType,
  axis: number,
  shapes: readonly (readonly number[])[],
): Sample<ConcatenationAttrs> {
  const { shape: _, ...output } = movedTensor(dtype, []);
  return {
    name,
    attrs: { axis, activation: "NONE" },
    inputs: shapes.map((shape) => movedTensor(dtype, shape)),
    outputs: [output],
  };
}

const reference = (view: ExecView<ConcatenationAttrs>): void => joinReference(view, partsOf(view));

export const concatenation = defineOp<"CONCATENATION", ConcatenationAttrs>({
  name: "CONCATENATION",
  summary: "Joins tensors along an axis",
  arity: { inputs: [1, maxSlices], outputs: [1, 1] },
  optionalInputs: [],
  traits: {
    ...moverTraits,
    rows: (view) => joinRows(view, partsOf(view).axis, [...view.inputs.keys()]),
    parts: (view) => partsAlong(outputOf(view, 0), partsOf(view)),
  },
  tflite: {
    builtin: 2,
    maxVersion: 6,
    options: { tag: 10, fields: [int32("axis"), int8("activation")] },
    decode: (v, report) => ({ axis: Number(v.axis), activation: decodeActivation(v.activation, report) }),
    encode: (a) => ({ axis: a.axis, activation: encodeActivation(a.activation) }),
  },
  infer: (view, report) => {
    const first = inputOf(view, 0);
    const axis = normalizedAxis(view.attrs.axis, first.shape.length, report);
    const { activation } = view.attrs;
    // TFLite's kernels have no activation either, though the schema does.
    if (!checkOption(activation === "NONE", "fused_activation_function", activation, "NONE", report)) return null;
    if (axis === null || !checkAlike(view, axis, report)) return null;
    const total = view.inputs.reduce((sum, tensor) => sum + (tensor ? sizeAt(tensor.shape, axis) : 0), 0);
    return [{ shape: first.shape.with(axis, total), dtype: first.dtype, quant: movedQuant(first) }];
  },
  reference,
  gradient: (view, upstream, e) => {
    const { axis } = partsOf(view);
    let at = 0;
    return view.inputs.map((_, i) => {
      const { shape } = inputOf(view, i);
      const begin = shape.map((_size, d) => (d === axis ? at : 0));
      at += shape[axis] ?? 0;
      return block(e, only(upstream), begin, shape);
    });
  },
  ranges: movedRanges(reference),
  channels: (view) => joinChannels(view, partsOf(view)),
  cost: noCost,
  kernels: joinKernels(partsOf),
  samples: [
    sample("channels", "int8", 3, [
      [1, 3, 4, 5],
      [1, 3, 4, 2],
      [1, 3, 4, 1],
    ]),
    sample("columns", "int16", 2, [
      [1, 3, 2, 5],
      [1, 3, 1, 5],
      [1, 3, 4, 5],
    ]),
    sample("rows", "int16", -3, [
      [2, 1, 3, 2],
      [2, 3, 3, 2],
    ]),
    sample("one input", "float32", 0, [[5]]),
  ],
});
