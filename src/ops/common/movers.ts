import { present } from "../../base/assert.js";
import type { DType } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import type { ChannelsOf } from "../channels.js";
import type { GradientOf } from "../gradient.js";
import {
  defineOp,
  type ExecView,
  type Kernel,
  type OpSpec,
  type OutputType,
  type Parts,
  type Report,
  type RowWindows,
  type Sample,
  type SampleTensor,
  type TfliteBinding,
} from "../spec.js";
import { noCost } from "./cost.js";
import { moverGradient } from "./gradients.js";
import { type Box, movedTypes, moveElements, moveFields, moverTraits } from "./moves.js";
import { movedRanges } from "./ranges.js";

/** Element types of a constant input that holds sizes, indices or axes. */
export const indexTypes = ["int32", "int64"] as const;

/** What differs between operators that copy one box of one input to their only output. */
export interface Mover<Name extends string, A> {
  readonly name: Name;
  readonly summary: string;
  readonly tflite: TfliteBinding<A>;
  /** Constant inputs after the data: shapes, axes, permutations. */
  readonly indexInputs: number;
  readonly infer: (view: NodeView<A>, report: Report) => readonly OutputType[] | null;
  /** The box that makes up the whole output. */
  readonly box: (view: NodeView<A>) => Box;
  /** Stated where output rows are computed apart; boxes must then be in the output's order. */
  readonly rows?: (view: NodeView<A>) => RowWindows | "none";
  /** Kernels, where the general one of a box is not the best. */
  readonly kernels?: readonly Kernel<A>[];
  /** Where the output is a block of the input. */
  readonly parts?: (view: NodeView<A>) => Parts | null;
  readonly channels?: ChannelsOf<A>;
  /** Where there is a better one than scattering elements. */
  readonly gradient?: GradientOf<A>;
  readonly samples: readonly Sample<A>[];
}

function moverKernel<A>(dtype: DType, mover: Pick<Mover<string, A>, "box" | "indexInputs" | "rows">): Kernel<A> {
  const indices = new Array<typeof indexTypes>(mover.indexInputs).fill(indexTypes);
  return {
    name: `portable ${dtype}`,
    form: mover.rows ? "slice" : "whole",
    types: { inputs: [dtype, ...indices], outputs: [dtype] },
    matches: (view) => moveFields(mover.box(view), dtype) !== null,
    call: (view) => ({
      source: "ops/common/move.h",
      symbol: "th_move",
      params: { type: "th_move_params", fields: present(moveFields(mover.box(view), dtype), "at most six dimensions") },
      args: [
        { kind: "input", index: 0 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    }),
  };
}

/** The record of an operator that copies one box. */
export function defineMover<const Name extends string, A extends object>(op: Mover<Name, A>): OpSpec<Name, A> {
  const inputs = 1 + op.indexInputs;
  const reference = (view: ExecView<A>): void =>
    moveElements(present(view.in[0], "input"), present(view.out[0], "output"), op.box(view));
  return defineOp<Name, A>({
    name: op.name,
    summary: op.summary,
    arity: { inputs: [inputs, inputs], outputs: [1, 1] },
    optionalInputs: [],
    traits: { ...moverTraits, rows: op.rows ?? "none", parts: op.parts ?? "none" },
    tflite: op.tflite,
    infer: op.infer,
    reference,
    gradient: op.gradient ?? moverGradient(reference),
    ranges: movedRanges(reference),
    channels: op.channels ?? "none",
    cost: noCost,
    kernels: op.kernels ?? movedTypes.map((dtype) => moverKernel(dtype, op)),
    samples: op.samples,
  });
}

/** A tensor of a sample with the quantization its type needs. */
export function movedTensor(dtype: DType, shape: readonly number[]): SampleTensor {
  const quant = dtype === "int16" ? perTensor(0.001) : dtype === "int8" ? perTensor(0.1, -7) : undefined;
  return { shape, dtype, ...(quant ? { quant } : {}) };
}

/** A constant vector of a sample. */
export const constant = (values: readonly number[], dtype: "int32" | "int64" = "int32"): SampleTensor => ({
  shape: [values.length],
  dtype,
  constant: values,
});

/** A sample of a mover: data of a type and shape, index inputs, and the output of the same type. */
export function moverSample<A>(
  name: string,
  attrs: A,
  dtype: DType,
  shape: readonly number[],
  indices: readonly SampleTensor[] = [],
  outputs = 1,
): Sample<A> {
  const { shape: _, ...output } = movedTensor(dtype, []);
  return {
    name,
    attrs,
    inputs: [movedTensor(dtype, shape), ...indices],
    outputs: new Array<typeof output>(outputs).fill(output),
  };
}
