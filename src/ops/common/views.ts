import type { NodeView } from "../../ir/graph.js";
import type { ExecView, Kernel, Traits } from "../spec.js";
import { movedTypes, moverTraits, tensorBytes } from "./moves.js";
import { inputOf } from "./view.js";

/** Traits of an operator whose output is its first input under another shape. */
export const viewTraits = { ...moverTraits, view: true } as const satisfies Traits<never>;

/** Copies the first input. */
export function copyReference(view: ExecView<unknown>): void {
  (view.out[0] as Int32Array).set(view.in[0] as Int32Array);
}

/** Kernels that copy, for when input and output do not share storage. `shape` inputs are not read at run time. */
export const copyKernels = <A>(shapeInputs: readonly ("int32" | readonly ["int32", "int64"])[]): readonly Kernel<A>[] =>
  movedTypes.map((dtype) => ({
    name: `copy ${dtype}`,
    form: "whole",
    types: { inputs: [dtype, ...shapeInputs], outputs: [dtype] },
    call: (view: NodeView<A>) => ({
      source: "ops/common/copy.h",
      symbol: "th_copy",
      params: { type: "th_copy_params", fields: { bytes: tensorBytes(inputOf(view, 0)) } },
      args: [
        { kind: "input", index: 0 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    }),
  }));
