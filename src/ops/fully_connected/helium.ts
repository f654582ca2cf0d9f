import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Activation, quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { heliumChannels, type PackedScales, packFours, packScales } from "../common/weighted-helium.js";
import { heliumVectors, otherHeliumTypes } from "../common/windows-helium.js";
import type { Kernel, KernelCall } from "../spec.js";

/** Weights and scales as fully_connected_s8_helium.h reads them. */
interface PackedDense extends PackedScales {
  readonly stream: Int32Array;
}

function int8Kernel<A extends { readonly activation: Activation }>(dense: Weighted<A>, portable: Kernel<A>): Kernel<A> {
  const packed = perNode(dense.index, (view: NodeView<A>): PackedDense | null => {
    if (zeroPointOf(inputOf(view, 1)) !== 0) return null;
    const channels = heliumChannels(dense, view);
    return channels && { stream: packFours(channels, "apart"), ...packScales(channels) };
  });
  const call = (view: NodeView<A>): KernelCall => {
    const { stream, scales, multiplier, right } = present(packed(view), "weights for Helium");
    const [units, depth] = [sizeAt(inputOf(view, 1).shape, 0), sizeAt(inputOf(view, 1).shape, 1)];
    const output = outputOf(view, 0);
    const range = quantizedActivationRange(view.attrs.activation, output);
    const fields = {
      batch: elementsOf(inputOf(view, 0).shape) / depth,
      in_c: depth,
      out_c: units,
      multiplier,
      right,
      out_zero: zeroPointOf(output),
      min: range.min,
      max: range.max,
    };
    return {
      source: "ops/fully_connected/fully_connected_s8_helium.h",
      symbol: "th_fully_connected_s8_helium",
      params: { type: "th_fully_connected_s8_helium_params", fields },
      args: [
        { kind: "input", index: 0 },
        { kind: "constant", label: "fours", dtype: "int32", data: stream },
        scales === null ? { kind: "null" } : { kind: "constant", label: "scales", dtype: "int32", data: scales },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  };
  const fold = (view: NodeView<A>): KernelCall | null => {
    const folds = dense.folds?.(view) ?? null;
    const channels = heliumChannels(dense, view);
    if (folds === null || channels === null || packed(view) === null) return null;
    const whole = call(view);
    const { batch, in_c, ...fields } = whole.params?.fields ?? {};
    const [row, stream] = [channels.depth / folds.rows, { kind: "constant", label: "fours", dtype: "int32" } as const];
    return {
      source: "ops/fully_connected/fully_connected_s8_helium_fold.h",
      symbol: "th_fully_connected_s8_helium_fold",
      params: {
        type: "th_fully_connected_s8_helium_fold_params",
        fields: { rows: folds.rows, row_c: row, ...fields },
      },
      args: [
        { kind: "row" },
        { kind: "input", index: 0 },
        { ...stream, data: packFours(channels, "apart", 16, row) },
        ...whole.args.slice(2, -1),
        { kind: "scratch" },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 16 * Math.ceil(channels.biases.length / 4),
    };
  };
  return { ...portable, name: "helium s8", isa: "helium", matches: (view) => packed(view) !== null, call, fold };
}

/** For Helium, from the portable kernels; where the input comes row by row, int8 has a kernel for that, the others theirs. */
export function denseHelium<A extends { readonly activation: Activation }>(
  dense: Weighted<A>,
  portable: readonly Kernel<A>[],
): readonly Kernel<A>[] {
  const named = (suffix: string): Kernel<A> =>
    present(
      portable.find(({ name }) => name === `portable ${suffix}`),
      `a kernel for ${suffix}`,
    );
  return [
    int8Kernel(dense, named("s8")),
    ...otherHeliumTypes.map(
      (type): Kernel<A> => ({
        ...named(type.suffix),
        ...heliumVectors(type, dense),
        name: `helium ${type.suffix}`,
        isa: "helium",
      }),
    ),
  ];
}
