import { viewChannels } from "../common/channels.js";
import { checkOption, normalizedAxis } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { viewGradient } from "../common/gradients.js";
import { moverSample } from "../common/movers.js";
import { movedQuant } from "../common/moves.js";
import { movedRanges } from "../common/ranges.js";
import { inputOf } from "../common/view.js";
import { copyKernels, copyReference, viewTraits } from "../common/views.js";
import { defineOp } from "../spec.js";

export interface SqueezeAttrs {
  /** Axes of size 1 to remove; empty for all of them. */
  readonly axes: readonly number[];
}

export const squeeze = defineOp<"SQUEEZE", SqueezeAttrs>({
  name: "SQUEEZE",
  summary: "Removes axes of size 1",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: viewTraits,
  tflite: {
    builtin: 43,
    maxVersion: 2,
    options: { tag: 30, fields: [["squeezeDims", "int32[]", 0]] },
    decode: (v) => ({ axes: Array.isArray(v.squeezeDims) ? [...v.squeezeDims] : [] }),
    encode: (a) => ({ squeezeDims: a.axes }),
  },
  infer: (view, report) => {
    const input = inputOf(view, 0);
    const axes = view.attrs.axes.map((axis) => normalizedAxis(axis, input.shape.length, report));
    if (axes.includes(null)) return null;
    const ones = axes.every((axis) => input.shape[axis ?? -1] === 1);
    if (!checkOption(ones, "squeeze_dims", `[${view.attrs.axes.join(", ")}]`, "axes of size 1", report)) return null;
    const shape = input.shape.filter((size, d) => (axes.length === 0 ? size !== 1 : !axes.includes(d)));
    return [{ shape, dtype: input.dtype, quant: movedQuant(input) }];
  },
  reference: copyReference,
  gradient: viewGradient,
  ranges: movedRanges(copyReference),
  channels: (view) => {
    const { shape } = inputOf(view, 0);
    const ones = [...shape.keys()].filter((d) => shape[d] === 1);
    // No axes at all would stand for all of size 1, and channels that are cut to one are not meant.
    const axes = view.attrs.axes.length === 0 ? ones : view.attrs.axes;
    return axes.length === 0 ? null : viewChannels(view, () => ({ inputs: new Map(), attrs: { axes } }));
  },
  cost: noCost,
  kernels: copyKernels<SqueezeAttrs>([]),
  samples: [
    moverSample("all", { axes: [] }, "int8", [1, 3, 1, 4]),
    moverSample("one, from the end", { axes: [-2] }, "float32", [1, 3, 1, 4]),
  ],
});
