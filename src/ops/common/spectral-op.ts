import { bytesOf, type DType, rangeOf } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import {
  type Kernel,
  type KernelArg,
  noTraits,
  type OutputType,
  type Sample,
  slidingRows,
  type Traits,
} from "../spec.js";
import {
  frames,
  logTable,
  type SpectralAttrs,
  type SpectralTables,
  spectralScale,
  spectralTables,
} from "./spectral.js";
import type { PreparedSpectra, SpectralKind } from "./spectral-reference.js";
import { outputOf, sizeAt, zeroPointOf } from "./view.js";

/** Every row of the output is a frame, that is, a window over rows of the input. */
export const spectralTraits: Traits<SpectralAttrs> = {
  ...noTraits,
  rows: ({ attrs, inputs }) => {
    const { stride, taps } = frames(attrs, inputs[0] ? sizeAt(inputs[0].shape, 1) : 0);
    return [slidingRows(stride, taps, 0)];
  },
};

/** The output of `count` frames of `values` numbers, as an image one channel deep. */
export const spectralOutput = (view: NodeView<unknown>, count: number, values: number): readonly OutputType[] => {
  const { dtype } = outputOf(view, 0);
  return [{ shape: [1, count, values, 1], dtype, quant: dtype === "float32" ? null : "free" }];
};

/** Multiply-accumulates of a frame: four for each butterfly and bin, and those of filters and coefficients. */
export function spectralCost(view: NodeView<SpectralAttrs>, extra: number) {
  const { fft, window } = view.attrs;
  const stages = Math.log2(fft) - 1;
  const count = sizeAt(outputOf(view, 0).shape, 1);
  return { macs: count * (window + fft * stages + 2 * fft + extra), operations: count * fft * stages * 2 };
}

/** The tables of attributes, computed once; training runs a reference a thousand times. */
export function preparing<A extends SpectralAttrs>(kindOf: (attrs: A) => SpectralKind): (attrs: A) => PreparedSpectra {
  const known = new WeakMap<A, PreparedSpectra>();
  return (attrs) => {
    const prepared = known.get(attrs) ?? { tables: spectralTables(attrs), kind: kindOf(attrs) };
    known.set(attrs, prepared);
    return prepared;
  };
}

const none: KernelArg = { kind: "null" };
const table = (label: string, data: Int16Array): KernelArg => ({ kind: "constant", label, dtype: "int16", data });

function callOf<A extends SpectralAttrs>(
  view: NodeView<A>,
  suffix: "s8" | "s16" | "f32",
  { hann, twiddles, offset, half }: SpectralTables,
  kind: SpectralKind,
) {
  const { attrs } = view;
  const output = outputOf(view, 0);
  const bank = kind.kind === "mel" ? kind.bank : null;
  const filters = bank === null ? 0 : bank.ends.length - 1;
  const { multiplier, shift, factor } = spectralScale(view, half);
  const { min, max } = output.dtype === "float32" ? { min: 0, max: 0 } : rangeOf(output.dtype);
  return {
    source: `ops/common/spectral_${suffix}.h`,
    symbol: `th_spectral_${suffix}`,
    params: {
      type: "th_spectral_params",
      fields: {
        window: attrs.window,
        unit: frames(attrs, 0).unit,
        fft: attrs.fft,
        first: bank?.first ?? 0,
        filters,
        outputs: sizeAt(output.shape, 2),
        offset,
        half,
        multiplier,
        shift,
        zero: zeroPointOf(output),
        min,
        max,
        factor: { float: factor },
      },
    },
    args: [
      { kind: "rows", index: 0 },
      table("hann", hann),
      { kind: "constant", label: "twiddles", dtype: "int32", data: twiddles },
      table("logs", logTable()),
      bank === null ? none : table("ends", bank.ends),
      bank === null ? none : table("rising", bank.rising),
      kind.kind === "mel" && kind.dct !== null ? table("dct", kind.dct) : none,
      { kind: "scratch" },
      { kind: "output", index: 0 },
    ] satisfies readonly KernelArg[],
    scratchBytes: bytesOf("int32", attrs.fft + 2 + filters),
  };
}

/** The kernels of an operator over spectra, one for each type of its output. */
export function spectralKernels<A extends SpectralAttrs>(prepare: (attrs: A) => PreparedSpectra): readonly Kernel<A>[] {
  const kernel = (suffix: "s8" | "s16" | "f32", dtype: DType): Kernel<A> => ({
    name: `portable ${suffix}`,
    form: "row",
    types: { inputs: ["int16"], outputs: [dtype] },
    call: (view) => {
      const { tables, kind } = prepare(view.attrs);
      return callOf(view, suffix, tables, kind);
    },
  });
  return [kernel("s8", "int8"), kernel("s16", "int16"), kernel("f32", "float32")];
}

/** Full scale of 16-bit sound is 1. */
export const soundQuantization = perTensor(1 / 32768);

/** A sample of so many frames of noise as loud as may be. */
export function spectralSample<A extends SpectralAttrs>(
  name: string,
  attrs: A,
  count: number,
  dtype: "int8" | "int16" | "float32",
  reach: number,
): Sample<A> {
  const { unit, taps, stride } = frames(attrs, 0);
  const units = (count - 1) * stride + taps;
  const scale = dtype === "int8" ? reach / 128 : reach / 32768;
  return {
    name: `${name}, ${dtype}`,
    attrs,
    inputs: [{ shape: [1, units, 1, unit], dtype: "int16", quant: soundQuantization }],
    outputs: [{ dtype, ...(dtype === "float32" ? {} : { quant: perTensor(scale, dtype === "int8" ? -5 : 0) }) }],
  };
}
