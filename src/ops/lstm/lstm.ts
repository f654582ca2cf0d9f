import { defineRecurrent } from "../common/recurrent.js";
import type { RecurrentLayer } from "../common/recurrent-layer.js";
import { lstmIntegerStep, lstmStep } from "./reference.js";
import { lstmUnroll } from "./unroll.js";

/** Gates in ONNX's order: input, output, forget, cell. */
const layer: RecurrentLayer = {
  kind: "lstm",
  gates: 4,
  hasCell: true,
  floatScratch: 6,
  step: lstmStep,
  unroll: lstmUnroll,
  integer: {
    step: lstmIntegerStep,
    header: "ops/lstm/lstm_from_zero",
    // Gates, state and cell; the narrow state.
    scratch: () => ({ wide: 6, narrow: 1 }),
  },
};

export const lstm = defineRecurrent(
  "LSTM",
  layer,
  "LSTM over a sequence from given states; peepholes, either direction",
);
