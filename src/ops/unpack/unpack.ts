import type { NodeView } from "../../ir/graph.js";
import { checkOption, normalizedAxis } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { joinGradients, reshape } from "../common/gradients.js";
import { joinRows, maxSlices, partKernels, partReference, type Slices } from "../common/joins.js";
import { moverSample } from "../common/movers.js";
import { movedQuant, moverTraits } from "../common/moves.js";
import { int32 } from "../common/options.js";
import { inputOf } from "../common/view.js";
import { defineOp } from "../spec.js";

export interface UnpackAttrs {
  /** Of the input; negative axes count from the end. */
  readonly axis: number;
  readonly count: number;
}

const partsOf = (view: NodeView<UnpackAttrs>): Slices => {
  const { axis } = view.attrs;
  return { slices: view.outputs, axis: axis < 0 ? axis + inputOf(view, 0).shape.length : axis };
};

export const unpack = defineOp<"UNPACK", UnpackAttrs>({
  name: "UNPACK",
  summary: "Takes a tensor apart along an axis, which disappears",
  arity: { inputs: [1, 1], outputs: [1, maxSlices] },
  optionalInputs: [],
  traits: { ...moverTraits, rows: (view) => joinRows(view, partsOf(view).axis, [0]) },
  tflite: {
    builtin: 88,
    maxVersion: 5,
    options: { tag: 64, fields: [int32("count"), int32("axis")] },
    decode: (v) => ({ axis: Number(v.axis), count: Number(v.count) }),
    encode: (a) => ({ axis: a.axis, count: a.count }),
  },
  infer: (view, report) => {
    const input = inputOf(view, 0);
    const axis = normalizedAxis(view.attrs.axis, input.shape.length, report);
    if (axis === null) return null;
    const { count } = view.attrs;
    const fits = count === input.shape[axis] && count === view.outputs.length;
    if (!checkOption(fits, "num", count, `${input.shape[axis]}, with as many outputs`, report)) return null;
    return view.outputs.map(() => ({
      shape: input.shape.toSpliced(axis, 1),
      dtype: input.dtype,
      quant: movedQuant(input),
    }));
  },
  reference: (view) => partReference(view, view.in[0], partsOf(view)),
  gradient: (view, upstream, e) => {
    const { axis } = partsOf(view);
    const apart = view.outputs.map((t) => ({ ...t, shape: t.shape.toSpliced(axis, 0, 1) }));
    const slices = upstream.map((t, i) => t && reshape(e, t, apart[i]?.shape ?? []));
    return [joinGradients(e, apart, slices, axis)];
  },
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: partKernels((dtype) => [dtype], 0, partsOf),
  samples: [
    moverSample("first axis", { axis: 0, count: 2 }, "int8", [2, 3, 4], [], 2),
    moverSample("within rows", { axis: 2, count: 2 }, "int8", [1, 3, 2, 4], [], 2),
    moverSample("last axis", { axis: -1, count: 3 }, "float32", [2, 3], [], 3),
    moverSample("to scalars", { axis: 0, count: 2 }, "int32", [2], [], 2),
  ],
});
