import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Activation, quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { heliumChannels, packFours, packScales, scaleBytes } from "../common/weighted-helium.js";
import { heliumVectors, otherHeliumTypes } from "../common/windows-helium.js";
import type { Kernel, KernelCall } from "../spec.js";

/** Weights and scales as fully_connected_s8_helium.h reads them. */
interface PackedDense {
  readonly stream: Int32Array;
  readonly scales: Int32Array;
}

function int8Kernel<A extends { readonly activation: Activation }>(dense: Weighted<A>, portable: Kernel<A>): Kernel<A> {
  const packed = perNode(dense.index, (view: NodeView<A>): PackedDense | null => {
    if (zeroPointOf(inputOf(view, 1)) !== 0) return null;
    const channels = heliumChannels(dense, view);
    return channels && { stream: packFours(channels, "apart"), scales: packScales(channels) };
  });
  const call = (view: NodeView<A>): KernelCall => {
    const { stream, scales } = present(packed(view), "weights for Helium");
    const [units, depth] = [sizeAt(inputOf(view, 1).shape, 0), sizeAt(inputOf(view, 1).shape, 1)];
    const output = outputOf(view, 0);
    const range = quantizedActivationRange(view.attrs.activation, output);
    const fields = {
      batch: elementsOf(inputOf(view, 0).shape) / depth,
      in_c: depth,
      out_c: units,
      scale_step: 4 * scales.length > scaleBytes ? scaleBytes : 0,
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
        { kind: "constant", label: "scales", dtype: "int32", data: scales },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  };
  return { ...portable, name: "helium s8", isa: "helium", matches: (view) => packed(view) !== null, call };
}

/** For Helium, from the portable kernels; where the input comes row by row, sums are theirs. */
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
