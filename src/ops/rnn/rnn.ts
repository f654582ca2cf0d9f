import { add, unary } from "../common/gradients.js";
import { defineRecurrent } from "../common/recurrent.js";
import type { RecurrentLayer } from "../common/recurrent-layer.js";

/** Source: RNN in ONNX's Operators.md (Elman 1990). */
const layer: RecurrentLayer = {
  kind: "rnn",
  gates: 1,
  hasCell: false,
  floatScratch: 2,
  step: ({ units, attrs, given, past, clip, hidden }) => {
    const back = past(0, units, hidden);
    for (let u = 0; u < units; u++) {
      const sum = clip((given[u] as number) + (back[u] as number));
      hidden[u] = attrs.activation === "RELU" ? Math.max(sum, 0) : Math.tanh(sum);
    }
  },
  unroll: ({ e, attrs, given, past, clip, hidden, cell }) => ({
    hidden: unary(e, attrs.activation, clip(add(e, given, past(hidden)))),
    cell,
  }),
  integer: "none",
};

export const rnn = defineRecurrent(
  "RNN",
  layer,
  "Plain recurrent layer over a sequence from a given state, either direction",
);
