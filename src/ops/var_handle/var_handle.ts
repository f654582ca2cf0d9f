import { noCost } from "../common/cost.js";
import { outputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface VarHandleAttrs {
  readonly container: string;
  readonly sharedName: string;
}

/** Makes the handle of a variable, which exists only while a model is read: no code ever runs for it. */
export const varHandle = defineOp<"VAR_HANDLE", VarHandleAttrs>({
  name: "VAR_HANDLE",
  summary: "Names a variable",
  arity: { inputs: [0, 0], outputs: [1, 1] },
  optionalInputs: [],
  traits: noTraits,
  tflite: {
    builtin: 142,
    maxVersion: 1,
    options: {
      tag: 111,
      fields: [
        ["container", "string", 0],
        ["sharedName", "string", 0],
      ],
    },
    decode: (v) => ({ container: text(v.container), sharedName: text(v.sharedName) }),
    encode: (a) => ({ ...a }),
  },
  infer: (view) => [{ shape: outputOf(view, 0).shape, dtype: "resource", quant: null }],
  reference: () => {},
  gradient: "state",
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: [],
  samples: [],
});

/** A string option; one that a file leaves out is empty. */
const text = (value: unknown): string => (typeof value === "string" ? value : "");
