import { perTensor } from "../../ir/graph.js";
import { noCost } from "../common/cost.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { variableKernels, variableOf } from "../common/variables.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export const assignVariable = defineOp<"ASSIGN_VARIABLE", Empty>({
  name: "ASSIGN_VARIABLE",
  summary: "Replaces the contents of a variable",
  arity: { inputs: [2, 2], outputs: [0, 0] },
  optionalInputs: [],
  traits: { ...noTraits, sideEffects: true },
  tflite: emptyBinding(144, 1, 113),
  infer: () => [],
  reference: (view) => variableOf(view).set(view.in[1] as Int32Array),
  gradient: "state",
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: variableKernels(
    (dtype) => ({ inputs: ["resource", dtype], outputs: [] }),
    (view) => inputOf(view, 1),
    [
      { kind: "input", index: 1 },
      { kind: "variable", index: 0 },
    ],
  ),
  samples: [
    {
      name: "int16",
      attrs: {},
      inputs: [
        {
          shape: [],
          dtype: "resource",
          resource: { name: "state", dtype: "int16", shape: [3], quant: perTensor(0.001) },
        },
        { shape: [3], dtype: "int16", quant: perTensor(0.001) },
      ],
      outputs: [],
    },
  ],
});
