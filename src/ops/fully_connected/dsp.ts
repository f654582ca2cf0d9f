import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Activation, quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { dspChannels, type PackedQuads, packQuads, scaleWords } from "../common/weighted-dsp.js";
import type { Kernel, KernelCall } from "../spec.js";

/** Weights are [units, depth]. */
function sizesOf(view: NodeView<unknown>) {
  const filter = inputOf(view, 1).shape;
  const [units, depth] = [sizeAt(filter, 0), sizeAt(filter, 1)];
  return { units, depth, batch: elementsOf(inputOf(view, 0).shape) / depth };
}

/** Four outputs at a time; null where weights do not pack, or few outputs would be padded. */
const packer = <A>(dense: Weighted<A>) =>
  perNode(dense.index, (view: NodeView<A>): PackedQuads | null => {
    const { units, depth } = sizesOf(view);
    const padded = Math.ceil(units / 4) * 4;
    if (zeroPointOf(inputOf(view, 1)) !== 0 || (2 * padded > 3 * units && (padded - units) * depth > 512)) return null;
    const lowered = dspChannels(dense, view);
    return lowered && packQuads(lowered, inputOf(view, 1).dtype === "int4" ? 4 : 8);
  });

function callOf(view: NodeView<unknown>, activation: Activation, packed: PackedQuads): KernelCall {
  const { units, depth, batch } = sizesOf(view);
  const { stream, scales, segments, zero2 } = packed;
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(activation, output);
  const scaleStep = scales.length > scaleWords ? 4 * scaleWords : 0;
  const finish = {
    segments,
    zero2,
    scale_step: scaleStep,
    out_zero: zeroPointOf(output),
    min: range.min,
    max: range.max,
  };
  const stem = inputOf(view, 1).dtype === "int4" ? "fully_connected_s8_w4_dsp" : "fully_connected_s8_dsp";
  return {
    source: `ops/fully_connected/${stem}.h`,
    symbol: `th_${stem}`,
    params: { type: "th_fully_connected_s8_dsp_params", fields: { batch, in_c: depth, out_c: units, ...finish } },
    args: [
      { kind: "input", index: 0 },
      { kind: "constant", label: "quads", dtype: "int32", data: stream },
      { kind: "constant", label: "scales", dtype: "int32", data: scales },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  };
}

/**
 * For cores with the DSP instructions, from the portable kernels: int8 (with weights of 8 or 4 bits), where the input comes row by row with the portable
 * kernel's sums; int16 activations, two outputs at a time.
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
  const narrow = (kernel: Kernel<A>): Kernel<A> => ({
    ...kernel,
    matches: (view) => packed(view) !== null,
    call: (view) => callOf(view, dense.activation(view.attrs), present(packed(view), "packed weights")),
  });
  return [narrow(named("s8")), narrow(named("s8_w4")), wide(named("s16")), wide(named("s16_b32"))];
}
