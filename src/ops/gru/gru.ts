import { defineRecurrent } from "../common/recurrent.js";
import type { RecurrentLayer } from "../common/recurrent-layer.js";
import { gruIntegerStep, gruStep } from "./reference.js";
import { gruUnroll } from "./unroll.js";

/** Gates in ONNX's order: update, reset, hidden. */
const layer: RecurrentLayer = {
  kind: "gru",
  gates: 3,
  hasCell: false,
  floatScratch: 5,
  step: gruStep,
  unroll: gruUnroll,
  integer: {
    step: gruIntegerStep,
    header: "ops/gru/gru",
    // Gates, candidate, its past and the state; the narrow state, and it scaled where the reset gate comes before.
    scratch: ({ linearBeforeReset }) => ({ wide: 5, narrow: linearBeforeReset ? 1 : 2 }),
  },
};

export const gru = defineRecurrent("GRU", layer, "GRU over a sequence from a given state, either direction");
