import { elementsOf } from "../../base/dtype.js";
import { elementCost } from "../common/cost.js";
import { mapAll } from "../common/lut.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { unaryTraits } from "../common/unary.js";
import { inputOf } from "../common/view.js";
import { defineOp } from "../spec.js";

export const logicalNot = defineOp<"LOGICAL_NOT", Empty>({
  name: "LOGICAL_NOT",
  summary: "Not x",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: unaryTraits,
  tflite: emptyBinding(87, 1, 63),
  infer: (view) => [{ shape: inputOf(view, 0).shape, dtype: "bool", quant: null }],
  reference: (view) => mapAll(view, (x) => Number(x === 0)),
  gradient: "integers",
  ranges: "none",
  channels: "none",
  cost: elementCost(1),
  kernels: [
    {
      name: "portable bool",
      form: "slice",
      types: { inputs: ["bool"], outputs: ["bool"] },
      call: (view) => ({
        source: "ops/logical_not/logical_not.h",
        symbol: "th_logical_not_b8",
        params: { type: "th_count_params", fields: { n: elementsOf(inputOf(view, 0).shape) } },
        args: [
          { kind: "input", index: 0 },
          { kind: "output", index: 0 },
        ],
        scratchBytes: 0,
      }),
    },
  ],
  samples: [
    {
      name: "image",
      attrs: {},
      inputs: [{ shape: [1, 3, 4, 5], dtype: "bool", range: [0, 1] }],
      outputs: [{ dtype: "bool" }],
    },
  ],
});
