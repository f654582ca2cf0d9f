import { viewChannels } from "../common/channels.js";
import { checkOption } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { viewGradient } from "../common/gradients.js";
import { moverSample } from "../common/movers.js";
import { movedQuant } from "../common/moves.js";
import { inputOf } from "../common/view.js";
import { copyKernels, copyReference, viewTraits } from "../common/views.js";
import { defineOp } from "../spec.js";

export interface DropoutAttrs {
  /** The share of elements that training sets to zero, in [0, 1). */
  readonly rate: number;
}

/** Srivastava et al. 2014, inverted: training scales what stays by 1 / (1 - rate), so inference changes nothing. */
export const dropout = defineOp<"DROPOUT", DropoutAttrs>({
  name: "DROPOUT",
  summary: "Nothing at inference; random zeros in training",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: viewTraits,
  tflite: "none",
  infer: (view, report) => {
    const input = inputOf(view, 0);
    const { rate } = view.attrs;
    if (!checkOption(rate >= 0 && rate < 1, "rate", rate, "at least 0 and below 1", report)) return null;
    return [{ shape: input.shape, dtype: input.dtype, quant: movedQuant(input) }];
  },
  reference: copyReference,
  gradient: viewGradient,
  ranges: "none",
  channels: (view) => viewChannels(view, () => ({ inputs: new Map() })),
  cost: noCost,
  kernels: copyKernels<DropoutAttrs>([]),
  samples: [moverSample("a vector", { rate: 0.5 }, "float32", [1, 7])],
});
