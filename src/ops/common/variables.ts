import { present } from "../../base/assert.js";
import type { DType } from "../../base/dtype.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import type { ExecView, Kernel, KernelArg } from "../spec.js";
import { movedTypes, tensorBytes } from "./moves.js";
import { inputOf } from "./view.js";

/** The storage of the variable that resource input 0 names. */
export const variableOf = (view: ExecView<unknown>): Int32Array =>
  view.variable(present(inputOf(view, 0).resource, "variable name")) as Int32Array;

/** Kernels that copy a whole variable; `value` is the tensor copied from or to. */
export const variableKernels = <A>(
  types: (dtype: DType) => Kernel<A>["types"],
  value: (view: NodeView<A>) => Tensor,
  args: readonly KernelArg[],
): readonly Kernel<A>[] =>
  movedTypes.map((dtype) => ({
    name: `copy ${dtype}`,
    form: "whole",
    types: types(dtype),
    call: (view) => ({
      source: "ops/common/copy.h",
      symbol: "th_copy",
      params: { type: "th_copy_params", fields: { bytes: tensorBytes(value(view)) } },
      args,
      scratchBytes: 0,
    }),
  }));
