import type { NodeView } from "../../ir/graph.js";
import { checkOption, normalizedAxis } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { only, reshape, slice } from "../common/gradients.js";
import { checkAlike, joinKernels, joinReference, joinRows, maxSlices, type Slices } from "../common/joins.js";
import { movedTensor } from "../common/movers.js";
import { movedQuant, moverTraits } from "../common/moves.js";
import { int32 } from "../common/options.js";
import { inputOf } from "../common/view.js";
import { defineOp, type Sample } from "../spec.js";

export interface PackAttrs {
  /** Of the output; negative axes count from the end. */
  readonly axis: number;
  readonly count: number;
}

const partsOf = (view: NodeView<PackAttrs>): Slices => {
  const slices = view.inputs.map((_, i) => inputOf(view, i));
  const { axis } = view.attrs;
  return { slices, axis: axis < 0 ? axis + inputOf(view, 0).shape.length + 1 : axis };
};

const sample = (
  name: string,
  dtype: "int8" | "int32",
  axis: number,
  shape: readonly number[],
  count: number,
): Sample<PackAttrs> => {
  const { shape: _, ...output } = movedTensor(dtype, []);
  const inputs = Array.from({ length: count }, () => movedTensor(dtype, shape));
  return { name, attrs: { axis, count }, inputs, outputs: [output] };
};

export const pack = defineOp<"PACK", PackAttrs>({
  name: "PACK",
  summary: "Stacks tensors along a new axis",
  arity: { inputs: [1, maxSlices], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...moverTraits, rows: (view) => joinRows(view, partsOf(view).axis, [...view.inputs.keys()]) },
  tflite: {
    builtin: 83,
    maxVersion: 4,
    options: { tag: 59, fields: [int32("count"), int32("axis")] },
    decode: (v) => ({ axis: Number(v.axis), count: Number(v.count) }),
    encode: (a) => ({ axis: a.axis, count: a.count }),
  },
  infer: (view, report) => {
    const first = inputOf(view, 0);
    const { count } = view.attrs;
    if (
      !checkOption(
        count === view.inputs.length,
        "values_count",
        count,
        `${view.inputs.length}, the number of inputs`,
        report,
      )
    )
      return null;
    const axis = normalizedAxis(view.attrs.axis, first.shape.length + 1, report);
    if (axis === null || !checkAlike(view, null, report)) return null;
    return [{ shape: first.shape.toSpliced(axis, 0, count), dtype: first.dtype, quant: movedQuant(first) }];
  },
  reference: (view) => joinReference(view, partsOf(view)),
  gradient: (view, upstream, e) => {
    const { axis } = partsOf(view);
    const dy = only(upstream);
    return view.inputs.map((_, i) => {
      const begin = dy.shape.map((_size, d) => (d === axis ? i : 0));
      return reshape(e, slice(e, dy, begin, dy.shape.with(axis, 1)), inputOf(view, i).shape);
    });
  },
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: joinKernels(partsOf),
  samples: [
    sample("scalars", "int32", 0, [], 3),
    sample("in the middle", "int8", 1, [2, 3], 2),
    sample("within rows", "int8", 3, [1, 3, 4], 2),
    sample("at the end", "int8", -1, [2, 3], 3),
  ],
});
