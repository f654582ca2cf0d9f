import { elementsOf } from "../../base/dtype.js";
import { viewChannels } from "../common/channels.js";
import { checkConstant, checkShape, normalizedAxis } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { viewGradient } from "../common/gradients.js";
import { constant, indexTypes, moverSample } from "../common/movers.js";
import { movedQuant } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { movedRanges } from "../common/ranges.js";
import { constantOf, inputOf } from "../common/view.js";
import { copyKernels, copyReference, viewTraits } from "../common/views.js";
import { defineOp } from "../spec.js";

export const expandDims = defineOp<"EXPAND_DIMS", Empty>({
  name: "EXPAND_DIMS",
  summary: "Inserts an axis of size 1",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: viewTraits,
  tflite: emptyBinding(70, 1, 52),
  infer: (view, report) => {
    const [input, axisTensor] = [inputOf(view, 0), inputOf(view, 1)];
    if (!checkConstant(view, 1, report)) return null;
    if (!checkShape(axisTensor, elementsOf(axisTensor.shape) === 1, "a single axis", report)) return null;
    const axis = normalizedAxis(constantOf(axisTensor)[0] ?? Number.NaN, input.shape.length + 1, report);
    if (axis === null) return null;
    return [{ shape: input.shape.toSpliced(axis, 0, 1), dtype: input.dtype, quant: movedQuant(input) }];
  },
  reference: copyReference,
  gradient: viewGradient,
  ranges: movedRanges(copyReference),
  channels: (view) => viewChannels(view, () => ({ inputs: new Map() })),
  cost: noCost,
  kernels: copyKernels<Empty>([indexTypes]),
  samples: [
    moverSample("in the middle", {}, "int8", [3, 4], [constant([1])]),
    moverSample("at the end", {}, "int16", [3, 4], [constant([-1], "int64")]),
  ],
});
