import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Activation, quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { dspChannels, type PackedQuads, packQuads } from "../common/weighted-dsp.js";
import type { Kernel, KernelArg, KernelCall } from "../spec.js";

/** Weights are [units, depth]. */
function sizesOf(view: NodeView<unknown>) {
  const filter = inputOf(view, 1).shape;
  const [units, depth] = [sizeAt(filter, 0), sizeAt(filter, 1)];
  return { units, depth, batch: elementsOf(inputOf(view, 0).shape) / depth };
}

/** Outputs that take less as they are: a last one alone, and all of a few inputs, which would be padded to four. */
const plainUnits = (units: number, depth: number): number => (depth < 4 ? units : units % 4 === 1 ? 1 : 0);

/** Four outputs at a time; null where weights do not pack, or few outputs with int4 weights would be padded. */
const packer = <A>(dense: Weighted<A>) =>
  perNode(dense.index, (view: NodeView<A>): PackedQuads | null => {
    const { units, depth } = sizesOf(view);
    if (zeroPointOf(inputOf(view, 1)) !== 0) return null;
    const lowered = dspChannels(dense, view);
    if (inputOf(view, 1).dtype !== "int4")
      return lowered && packQuads(lowered, { bits: 8, plain: plainUnits(units, depth) });
    const padded = Math.ceil(units / 4) * 4;
    const isMuch = 2 * padded > 3 * units && (padded - units) * depth > 512;
    return isMuch ? null : lowered && packQuads(lowered, { bits: 4 });
  });

/** The argument with the scales of each four outputs. */
const scalesArg = ({ scales }: PackedQuads): KernelArg =>
  scales === null ? { kind: "null" } : { kind: "constant", label: "scales", dtype: "int32", data: scales };

/** What finishes sums, as fields of params. */
function finishOf(view: NodeView<unknown>, activation: Activation, { multiplier, rights }: PackedQuads) {
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(activation, output);
  return { multiplier, rights, out_zero: zeroPointOf(output), min: range.min, max: range.max };
}

function callOf(view: NodeView<unknown>, activation: Activation, packed: PackedQuads): KernelCall {
  const { units, depth, batch } = sizesOf(view);
  const { stream, plain, segments, zero2 } = packed;
  const stem = inputOf(view, 1).dtype === "int4" ? "fully_connected_s8_w4_dsp" : "fully_connected_s8_dsp";
  const sizes = { batch, in_c: depth, out_c: units, plain, segments, zero2 };
  return {
    source: `ops/fully_connected/${stem}.h`,
    symbol: `th_${stem}`,
    params: { type: "th_fully_connected_s8_dsp_params", fields: { ...sizes, ...finishOf(view, activation, packed) } },
    args: [
      { kind: "input", index: 0 },
      { kind: "constant", label: "quads", dtype: "int32", data: stream },
      scalesArg(packed),
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  };
}

/** The call above where the input comes in so many rows. */
function foldCallOf(view: NodeView<unknown>, activation: Activation, packed: PackedQuads, rows: number): KernelCall {
  const { units, depth } = sizesOf(view);
  const sizes = { rows, row_c: depth / rows, segment_rows: rows / packed.segments, out_c: units };
  return {
    source: "ops/fully_connected/fully_connected_s8_dsp_fold.h",
    symbol: "th_fully_connected_s8_dsp_fold",
    params: {
      type: "th_fully_connected_s8_dsp_fold_params",
      fields: { ...sizes, ...finishOf(view, activation, packed) },
    },
    args: [
      { kind: "row" },
      { kind: "input", index: 0 },
      { kind: "constant", label: "quads", dtype: "int32", data: packed.stream },
      scalesArg(packed),
      { kind: "scratch" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 16 * Math.ceil(units / 4),
  };
}

/**
 * For cores with the DSP instructions, from the portable kernels: int8 (with weights of 8 or 4 bits); int16 activations, two
 * outputs at a time. Where the input comes row by row, int8 weights have a kernel for that, the others the portable one's.
 */
export function denseDsp<A>(dense: Weighted<A>, portable: readonly Kernel<A>[]): readonly Kernel<A>[] {
  const packed = packer(dense);
  const named = (name: string): Kernel<A> => ({
    ...present(
      portable.find((kernel) => kernel.name === `portable ${name}`),
      `a kernel for ${name}`,
    ),
    name: `dsp ${name}`,
    isa: "dsp",
  });
  const wide = (kernel: Kernel<A>): Kernel<A> => ({
    ...kernel,
    call: (view) => {
      const call = kernel.call(view);
      return { ...call, source: "ops/fully_connected/fully_connected_s16_dsp.h", symbol: `${call.symbol}_dsp` };
    },
  });
  const folded = (kernel: Kernel<A>): Kernel<A> => ({
    ...kernel,
    fold: (view) => {
      const rows = dense.folds?.(view)?.rows;
      const channels = dspChannels(dense, view);
      const isWords = rows !== undefined && channels !== null && channels.depth % (4 * rows) === 0;
      const weights = isWords ? packQuads(channels, { bits: 8, rows }) : null;
      if (weights === null || rows === undefined) return kernel.fold?.(view) ?? null;
      return foldCallOf(view, dense.activation(view.attrs), weights, rows);
    },
  });
  const narrow = (kernel: Kernel<A>): Kernel<A> => ({
    ...kernel,
    matches: (view) => packed(view) !== null,
    call: (view) => callOf(view, dense.activation(view.attrs), present(packed(view), "packed weights")),
  });
  return [folded(narrow(named("s8"))), narrow(named("s8_w4")), wide(named("s16")), wide(named("s16_b32"))];
}
