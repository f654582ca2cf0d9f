import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { evenChannels } from "../common/channels.js";
import { checkConstant, checkOption, checkShape, normalizedAxis } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { joinGradients } from "../common/gradients.js";
import {
  inferParts,
  joinRows,
  maxSlices,
  partKernels,
  partReference,
  partsAlong,
  type Slices,
} from "../common/joins.js";
import { constant, movedTensor } from "../common/movers.js";
import { moverTraits } from "../common/moves.js";
import { int32 } from "../common/options.js";
import { movedRanges } from "../common/ranges.js";
import { constantOf, inputOf } from "../common/view.js";
import { defineOp, type ExecView, type Sample } from "../spec.js";

export interface SplitAttrs {
  readonly count: number;
}

const partsOf = (view: NodeView<SplitAttrs>): Slices => {
  const axis = constantOf(inputOf(view, 0))[0] ?? 0;
  return { slices: view.outputs, axis: axis < 0 ? axis + inputOf(view, 1).shape.length : axis };
};

const sample = (
  name: string,
  dtype: "int8" | "int16",
  axis: number,
  shape: readonly number[],
  count: number,
): Sample<SplitAttrs> => {
  const { shape: _, ...output } = movedTensor(dtype, []);
  return {
    name,
    attrs: { count },
    inputs: [constant([axis]), movedTensor(dtype, shape)],
    outputs: new Array<typeof output>(count).fill(output),
  };
};

const reference = (view: ExecView<SplitAttrs>): void => partReference(view, view.in[1], partsOf(view));

export const split = defineOp<"SPLIT", SplitAttrs>({
  name: "SPLIT",
  summary: "Takes a tensor apart into equal parts along an axis",
  arity: { inputs: [2, 2], outputs: [1, maxSlices] },
  optionalInputs: [],
  traits: {
    ...moverTraits,
    rows: (view) => joinRows(view, partsOf(view).axis, [1]),
    parts: (view) => partsAlong(inputOf(view, 1), partsOf(view)),
  },
  tflite: {
    builtin: 49,
    maxVersion: 4,
    options: { tag: 35, fields: [int32("count")] },
    decode: (v) => ({ count: Number(v.count) }),
    encode: (a) => ({ count: a.count }),
  },
  infer: (view, report) => {
    const [axisTensor, input] = [inputOf(view, 0), inputOf(view, 1)];
    const { count } = view.attrs;
    if (!checkConstant(view, 0, report)) return null;
    if (!checkShape(axisTensor, elementsOf(axisTensor.shape) === 1, "a single axis", report)) return null;
    const axis = normalizedAxis(constantOf(axisTensor)[0] ?? Number.NaN, input.shape.length, report);
    if (axis === null) return null;
    if (
      !checkOption(
        count === view.outputs.length,
        "num_splits",
        count,
        `${view.outputs.length}, the number of outputs`,
        report,
      )
    )
      return null;
    return inferParts(input, axis, new Array<number>(count).fill((input.shape[axis] ?? 0) / count), count, report);
  },
  reference,
  gradient: (view, upstream, e) => [null, joinGradients(e, view.outputs, upstream, partsOf(view).axis)],
  ranges: movedRanges(reference),
  channels: (view) => (partsOf(view).axis === inputOf(view, 1).shape.length - 1 ? null : evenChannels(1)(view)),
  cost: noCost,
  kernels: partKernels((dtype) => ["int32", dtype], 1, partsOf),
  samples: [
    sample("channels", "int8", 3, [1, 3, 2, 6], 3),
    sample("columns", "int16", -2, [1, 4, 6, 2], 2),
    sample("rows", "int16", -2, [4, 5], 2),
  ],
});
