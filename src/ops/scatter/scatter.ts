import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { checkRank, checkShape } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { constant } from "../common/movers.js";
import { inputOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits, type Sample } from "../spec.js";

/** What becomes of an element and the update that falls on it. */
export const reductions = ["none", "add", "mul", "min", "max"] as const;

export interface ScatterAttrs {
  readonly reduction: (typeof reductions)[number];
}

const combine: Record<ScatterAttrs["reduction"], (old: number, update: number) => number> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  min: Math.min,
  max: Math.max,
};

/** Rows of the data, updates, and elements of each. */
function sizes(view: NodeView<ScatterAttrs>) {
  const [rows = 0, unit = 0] = inputOf(view, 0).shape;
  return { rows, unit, updates: elementsOf(inputOf(view, 1).shape) };
}

/** Updates come in order, so the last one of a row stays; indices out of range are passed over. */
function scatterReference(view: ExecView<ScatterAttrs>): void {
  const { rows, unit, updates } = sizes(view);
  const [data, indices, values] = view.in as readonly Int32Array[];
  const out = view.out[0] as Int32Array;
  out.set(data as Int32Array);
  const apply = combine[view.attrs.reduction];
  for (let k = 0; k < updates; k++) {
    const row = indices?.[k] as number;
    if (row < 0 || row >= rows) continue;
    for (let i = 0; i < unit; i++)
      out[row * unit + i] = apply(out[row * unit + i] as number, values?.[k * unit + i] as number);
  }
}

const kernel = (dtype: "float32" | "int32", suffix: string): Kernel<ScatterAttrs> => ({
  name: `portable ${suffix}`,
  form: "whole",
  types: { inputs: [dtype, "int32", dtype], outputs: [dtype] },
  call: (view) => ({
    source: "ops/scatter/scatter.h",
    symbol: `th_scatter_${suffix}`,
    params: {
      type: "th_scatter_params",
      fields: { ...sizes(view), reduction: reductions.indexOf(view.attrs.reduction) },
    },
    args: [
      { kind: "input", index: 0 },
      { kind: "input", index: 1 },
      { kind: "input", index: 2 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});

const sample = (dtype: "float32" | "int32", reduction: ScatterAttrs["reduction"]): Sample<ScatterAttrs> => ({
  name: `${dtype}, ${reduction}`,
  attrs: { reduction },
  inputs: [
    { shape: [6, 3], dtype, range: [-9, 9] },
    constant([4, 0, 4, 5, -1, 6]),
    { shape: [6, 3], dtype, range: [-9, 9] },
  ],
  outputs: [{ dtype }],
});

export const scatter = defineOp<"SCATTER", ScatterAttrs>({
  name: "SCATTER",
  summary: "A matrix with some of its rows replaced by, or combined with, others",
  arity: { inputs: [3, 3], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: "none",
  infer: (view, report) => {
    const [data, indices, updates] = [inputOf(view, 0), inputOf(view, 1), inputOf(view, 2)];
    if (!checkRank(data, [2], report) || !checkRank(indices, [1], report)) return null;
    const shape = [indices.shape[0], data.shape[1]];
    const fits = updates.shape.length === 2 && shape.every((n, d) => n === updates.shape[d]);
    if (!checkShape(updates, fits, `[${shape.join(", ")}]`, report)) return null;
    return [{ shape: data.shape, dtype: data.dtype, quant: null }];
  },
  reference: scatterReference,
  gradient: "not needed yet",
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: [kernel("float32", "f32"), kernel("int32", "s32")],
  samples: [
    sample("float32", "none"),
    sample("float32", "add"),
    sample("float32", "mul"),
    sample("int32", "none"),
    sample("int32", "min"),
    sample("int32", "max"),
  ],
});
