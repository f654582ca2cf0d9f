import type { Tensor } from "../../ir/graph.js";
import type { CValue, KernelArg, KernelCall } from "../spec.js";
import { type Activation, quantizedActivationRange } from "./activation.js";
import { zeroPointOf } from "./view.js";
import { bytesOfFour } from "./weighted-helium.js";

/** Bytes of windows that are copied at a time, if two are not more. */
const windowBytes = 640;

/** What a convolution of windows needs besides sizes and weights. */
export interface WindowsCall {
  /** Fields of the params struct but for those that follow from the rest. */
  readonly sizes: Readonly<Record<string, CValue>>;
  readonly input: Tensor;
  readonly output: Tensor;
  readonly stream: Int32Array;
  readonly depth: number;
  readonly rows: number;
  readonly outWidth: number;
  readonly activation: Activation;
}

function paramsOf(w: WindowsCall, block: number) {
  const range = quantizedActivationRange(w.activation, w.output);
  const fields = {
    ...w.sizes,
    rows: w.rows,
    block,
    four_bytes: bytesOfFour(w.depth),
    in_zero: zeroPointOf(w.input),
    out_zero: zeroPointOf(w.output),
    min: range.min,
    max: range.max,
  };
  return { type: "th_conv2d_s8_helium_params", fields };
}

const source = "ops/common/conv2d_s8_helium.h";

/** Outputs that are limited to the zero point and more have functions of their own. */
const suffixOf = ({ activation, output }: WindowsCall): string =>
  quantizedActivationRange(activation, output).min >= zeroPointOf(output) ? "_relu" : "";

const streamArg = ({ stream }: WindowsCall): KernelArg => ({
  kind: "constant",
  label: "fours",
  dtype: "int32",
  data: stream,
});

/** One row from the rows of its windows. @param isCopied windows are not always single pixels inside the input */
export function windowsCall(w: WindowsCall, isCopied: boolean): KernelCall {
  const block = Math.min(w.outWidth, Math.max(2, Math.floor(windowBytes / w.depth) & ~1));
  return {
    source,
    params: paramsOf(w, block),
    symbol: `th_conv2d_s8_helium${suffixOf(w)}`,
    args: [
      { kind: "rows", index: 0 },
      streamArg(w),
      isCopied ? { kind: "scratch" } : { kind: "null" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: isCopied ? block * w.depth : 0,
  };
}

/** All rows of a 1x1 convolution; pairs of pixels reach across the ends of rows of odd width. */
export function pixelsCall(w: WindowsCall): KernelCall {
  const isPaired = w.depth > 16 && w.outWidth % 2 === 1 && w.rows > 1;
  return {
    source,
    params: paramsOf(w, 0),
    symbol: `th_conv2d_s8_helium_pixels${suffixOf(w)}`,
    args: [
      { kind: "input", index: 0 },
      streamArg(w),
      isPaired ? { kind: "scratch" } : { kind: "null" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: isPaired ? 2 * w.depth : 0,
  };
}
