import type { NodeView } from "../../ir/graph.js";
import type { CValue, KernelArg, KernelCall } from "../spec.js";
import { type Activation, quantizedActivationRange } from "./activation.js";
import { inputOf, outputOf, zeroPointOf } from "./view.js";
import { lanesPixels, lanesWords, type PackedLanes } from "./weighted-armv6m.js";

/** A convolution as conv2d_s8_armv6m.h computes it. */
export interface LanesCall {
  readonly view: NodeView<unknown>;
  readonly activation: Activation;
  readonly lanes: PackedLanes;
  /** Fields of the params struct but for those that follow from the rest; steps in elements. */
  readonly sizes: Readonly<Record<string, CValue>>;
  /** The pixels of a call: those of a row, or all. */
  readonly pixels: number;
}

/** A call that packs `most` pixels at a time, or as many as there are. */
export function lanesCall(w: LanesCall, form: "row" | "pixels", most: number): KernelCall {
  const { view, lanes, sizes, pixels } = w;
  const output = outputOf(view, 0);
  const range = quantizedActivationRange(w.activation, output);
  const block = Math.min(most, pixels);
  const size = (name: string): number => Number(sizes[name]);
  const columns = (block - 1) * size("stride_w") + (size("k_w") - 1) * size("dilation_w") + 1;
  const [full, left] = [Math.floor(pixels / block), pixels % block];
  const stream: KernelArg = { kind: "constant", label: "lanes", dtype: "int32", data: lanes.stream };
  const fields = {
    block,
    depth: lanes.padded,
    run: lanes.runBytes,
    ...sizes,
    out_w: pixels,
    in_zero: zeroPointOf(inputOf(view, 0)),
    zero2: 2 * zeroPointOf(output) + 1,
    pieces: lanes.pieces,
    min: range.min,
    max: range.max,
  };
  return {
    source: "ops/common/conv2d_s8_armv6m.h",
    // A function for each block size, though one serves them all, so that their times are told apart.
    symbol: `th_conv2d_s8_armv6m${form === "row" ? "" : "_pixels"}${most < lanesPixels ? `_${most}` : ""}`,
    params: { type: "th_conv2d_s8_armv6m_params", fields },
    args: [
      form === "row" ? { kind: "rows", index: 0 } : { kind: "input", index: 0 },
      stream,
      { kind: "scratch" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 4 * lanes.padded * lanesWords(block) + (form === "row" ? columns * size("in_c") : 0),
    blocks: { count: Math.ceil(pixels / block), words: full * lanesWords(block) + lanesWords(left) },
  };
}

/** Pixels that kernels compute at a time, and what their names end in: fewer take less scratch and more instructions. */
export const lanesForms = [
  ["", lanesPixels],
  [", three pixels", 3],
  [", one pixel", 1],
] as const;
