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
import { constant, indexTypes, moverSample } from "../common/movers.js";
import { moverTraits } from "../common/moves.js";
import { int32 } from "../common/options.js";
import { movedRanges } from "../common/ranges.js";
import { constantOf, inputOf } from "../common/view.js";
import { defineOp, type ExecView } from "../spec.js";

export interface SplitVAttrs {
  readonly count: number;
}

const axisOf = (view: NodeView<SplitVAttrs>): number => constantOf(inputOf(view, 2))[0] ?? Number.NaN;

const partsOf = (view: NodeView<SplitVAttrs>): Slices => {
  const axis = axisOf(view);
  return { slices: view.outputs, axis: axis < 0 ? axis + inputOf(view, 0).shape.length : axis };
};

const reference = (view: ExecView<SplitVAttrs>): void => partReference(view, view.in[0], partsOf(view));

export const splitV = defineOp<"SPLIT_V", SplitVAttrs>({
  name: "SPLIT_V",
  summary: "Takes a tensor apart into parts of given sizes along an axis",
  arity: { inputs: [3, 3], outputs: [1, maxSlices] },
  optionalInputs: [],
  traits: {
    ...moverTraits,
    rows: (view) => joinRows(view, partsOf(view).axis, [0]),
    parts: (view) => partsAlong(inputOf(view, 0), partsOf(view)),
  },
  tflite: {
    builtin: 102,
    maxVersion: 2,
    options: { tag: 79, fields: [int32("count")] },
    decode: (v) => ({ count: Number(v.count) }),
    encode: (a) => ({ count: a.count }),
  },
  infer: (view, report) => {
    const [input, axisTensor] = [inputOf(view, 0), inputOf(view, 2)];
    const { count } = view.attrs;
    if (!checkConstant(view, 1, report) || !checkConstant(view, 2, report)) return null;
    if (!checkShape(axisTensor, elementsOf(axisTensor.shape) === 1, "a single axis", report)) return null;
    const axis = normalizedAxis(axisOf(view), input.shape.length, report);
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
    const given = constantOf(inputOf(view, 1));
    // One size may be -1: what the others leave.
    const known = given.reduce((sum, size) => (size === -1 ? sum : sum + size), 0);
    const sizes = given.map((size) => (size === -1 ? (input.shape[axis] ?? 0) - known : size));
    return inferParts(input, axis, sizes, view.outputs.length, report);
  },
  reference,
  gradient: (view, upstream, e) => [joinGradients(e, view.outputs, upstream, partsOf(view).axis), null, null],
  ranges: movedRanges(reference),
  channels: (view) => (partsOf(view).axis === inputOf(view, 0).shape.length - 1 ? null : evenChannels(0)(view)),
  cost: noCost,
  kernels: partKernels((dtype) => [dtype, indexTypes, "int32"], 0, partsOf),
  samples: [
    moverSample("channels", { count: 3 }, "int8", [1, 3, 2, 6], [constant([1, -1, 2]), constant([3])], 3),
    moverSample("rows", { count: 2 }, "float32", [5, 4], [constant([4, 1], "int64"), constant([-2])], 2),
  ],
});
