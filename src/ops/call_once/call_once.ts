import { noCost } from "../common/cost.js";
import { int32 } from "../common/options.js";
import { defineOp, noTraits } from "../spec.js";

export interface CallOnceAttrs {
  /** The subgraph's number in the file, from 1. */
  readonly subgraph: number;
}

/** Runs a subgraph before the first invocation; whoever executes the graph does that, so no kernel is needed. */
export const callOnce = defineOp<"CALL_ONCE", CallOnceAttrs>({
  name: "CALL_ONCE",
  summary: "Runs a subgraph once, to initialise variables",
  arity: { inputs: [0, 0], outputs: [0, 0] },
  optionalInputs: [],
  traits: { ...noTraits, sideEffects: true },
  tflite: {
    builtin: 129,
    maxVersion: 1,
    options: { tag: 103, fields: [int32("subgraph")] },
    decode: (v) => ({ subgraph: Number(v.subgraph) }),
    encode: (a) => ({ subgraph: a.subgraph }),
  },
  infer: () => [],
  reference: () => {},
  gradient: "state",
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: [],
  samples: [],
});
