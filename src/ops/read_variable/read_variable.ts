import { perTensor } from "../../ir/graph.js";
import { noCost } from "../common/cost.js";
import { movedQuant } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { variableKernels, variableOf } from "../common/variables.js";
import { outputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

/** The variable's contents. Only the model's declaration of the output says what that is. */
export const readVariable = defineOp<"READ_VARIABLE", Empty>({
  name: "READ_VARIABLE",
  summary: "The contents of a variable",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: emptyBinding(143, 1, 112),
  infer: (view) => {
    const output = outputOf(view, 0);
    return [{ shape: output.shape, dtype: output.dtype, quant: movedQuant(output) }];
  },
  reference: (view) => (view.out[0] as Int32Array).set(variableOf(view)),
  gradient: "state",
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: variableKernels(
    (dtype) => ({ inputs: ["resource"], outputs: [dtype] }),
    (view) => outputOf(view, 0),
    [
      { kind: "variable", index: 0 },
      { kind: "output", index: 0 },
    ],
  ),
  samples: [
    {
      name: "int8",
      attrs: {},
      inputs: [
        {
          shape: [],
          dtype: "resource",
          resource: { name: "state", dtype: "int8", shape: [2, 5], quant: perTensor(0.1, 3) },
        },
      ],
      outputs: [{ dtype: "int8", shape: [2, 5], quant: perTensor(0.1, 3) }],
    },
  ],
});
