import { present } from "../../base/assert.js";
import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import type { CValue, KernelArg, KernelCall, TypeSignature } from "../spec.js";
import { type Activation, quantizedActivationRange } from "./activation.js";
import { perNode } from "./per-node.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "./view.js";
import type { Weighted } from "./weighted.js";
import { heliumChannels, packFours } from "./weighted-helium.js";
import { wideChannels } from "./weighted-helium-s16.js";
import { narrowChannels, packNibbles } from "./weighted-helium-w4.js";

/** Bytes of windows that are copied at a time, if two are not more. */
const windowBytes = 640;

/** Kernels for some types of activations, weights and biases. */
export interface HeliumType {
  /** Of the kernels' symbols and their header: s8, s8_w4, s16, s16_b32. */
  readonly suffix: string;
  readonly header: string;
  readonly types: TypeSignature;
  /** Bytes of an activation. */
  readonly size: 1 | 2;
  /** Bytes of the weights of four channels in the stream, and of all else of them there. */
  readonly weightBytes: (depth: number) => number;
  readonly scaleBytes: number;
  /** All channels of a node, whose weights are [channels][...]; null where kernels do not take it. */
  readonly pack: <A>(w: Weighted<A>, view: NodeView<A>) => Int32Array | null;
}

const fourOf = (depth: number): number => 4 * depth;

const s16 = {
  header: "windows_s16_helium",
  size: 2,
  weightBytes: fourOf,
} as const;

export const heliumS8: HeliumType = {
  suffix: "s8",
  header: "windows_s8_helium",
  types: { inputs: ["int8", "int8", "int32"], outputs: ["int8"] },
  size: 1,
  weightBytes: fourOf,
  scaleBytes: 36,
  pack: (w, view) => {
    const channels = heliumChannels(w, view);
    return channels && packFours(channels, "in the stream");
  },
};

/** int4 weights, and int16 activations with int64 and with int32 biases. */
export const otherHeliumTypes: readonly HeliumType[] = [
  {
    suffix: "s8_w4",
    header: "windows_s8_w4_helium",
    types: { inputs: ["int8", "int4", "int32"], outputs: ["int8"] },
    size: 1,
    weightBytes: (depth) => 64 * Math.floor(depth / 32) + 4 * Math.ceil((depth % 32) / 2),
    scaleBytes: 36,
    pack: (w, view) => {
      const channels = narrowChannels(w, view);
      return channels && packNibbles(channels);
    },
  },
  {
    ...s16,
    suffix: "s16",
    types: { inputs: ["int16", "int8", "int64"], outputs: ["int16"] },
    scaleBytes: 32,
    pack: (w, view) => {
      const channels = wideChannels(w, view, "once");
      return channels && packFours(channels, "no shifts", 8);
    },
  },
  {
    ...s16,
    suffix: "s16_b32",
    types: { inputs: ["int16", "int8", "int32"], outputs: ["int16"] },
    scaleBytes: 36,
    pack: (w, view) => {
      const channels = wideChannels(w, view, "twice");
      return channels && packFours(channels, "in the stream", 8);
    },
  },
];

/** What a convolution of windows needs besides sizes and weights. */
export interface WindowsCall {
  readonly type: HeliumType;
  /** Fields of the params struct but for those that follow from the rest; inputs and steps in elements. */
  readonly sizes: Readonly<Record<string, CValue>>;
  readonly view: NodeView<unknown>;
  readonly stream: Int32Array;
  readonly depth: number;
  readonly rows: number;
  readonly outWidth: number;
  readonly activation: Activation;
}

function paramsOf({ type, view, sizes, depth, rows, activation }: WindowsCall, block: number) {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const range = quantizedActivationRange(activation, output);
  const bytes = (name: string): number => type.size * Number(sizes[name]);
  const fields = {
    ...sizes,
    in_c: bytes("in_c"),
    in_step: bytes("in_step"),
    out_step: bytes("out_step"),
    rows,
    block,
    four_bytes: type.weightBytes(depth) + type.scaleBytes,
    in_zero: zeroPointOf(input),
    out_zero: zeroPointOf(output),
    min: range.min,
    max: range.max,
  };
  return { type: "th_windows_helium_params", fields };
}

const sourceOf = ({ type }: WindowsCall): string => `ops/common/${type.header}.h`;

/** Outputs of int8 that are limited to the zero point and more have functions of their own. */
function symbolOf({ type, activation, view }: WindowsCall, form: "" | "_pixels"): string {
  const output = outputOf(view, 0);
  const isRelu = quantizedActivationRange(activation, output).min >= zeroPointOf(output);
  return `th_windows_${type.suffix}_helium${form}${type === heliumS8 && isRelu ? "_relu" : ""}`;
}

const streamArg = ({ stream }: WindowsCall): KernelArg => ({
  kind: "constant",
  label: "fours",
  dtype: "int32",
  data: stream,
});

/** Rows of pixels, `block` at a time, as two pixels together or one: those of a pair share their weights. */
function pairsOf(rows: number, width: number, block: number): NonNullable<KernelCall["blocks"]> {
  const [full, left] = [Math.floor(width / block), width % block];
  const pairs = rows * (full * (block >> 1) + (left >> 1));
  return { count: rows * width - pairs, words: pairs };
}

/** Windows that are copied at a time unless kernels say otherwise. */
const usualBlock = (bytes: number): number => Math.max(2, Math.floor(windowBytes / bytes) & ~1);

/**
 * One row from the rows of its windows.
 * @param isCopied windows are not always single pixels inside the input
 * @param most windows to copy at a time
 */
export function windowsCall(w: WindowsCall, isCopied: boolean, most: number | null = null): KernelCall {
  const bytes = w.type.size * w.depth;
  const block = Math.min(w.outWidth, most ?? usualBlock(bytes));
  return {
    source: sourceOf(w),
    params: paramsOf(w, block),
    symbol: symbolOf(w, ""),
    args: [
      { kind: "rows", index: 0 },
      streamArg(w),
      isCopied ? { kind: "scratch" } : { kind: "null" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: isCopied ? block * bytes : 0,
    blocks: pairsOf(1, w.outWidth, isCopied ? block : w.outWidth),
  };
}

/** All rows of a 1x1 convolution; pairs of pixels reach across the ends of rows of odd width. */
export function pixelsCall(w: WindowsCall): KernelCall {
  const isPaired = (w.depth > 16 || w.type !== heliumS8) && w.outWidth % 2 === 1 && w.rows > 1;
  return {
    source: sourceOf(w),
    params: paramsOf(w, 0),
    symbol: symbolOf(w, "_pixels"),
    args: [
      { kind: "input", index: 0 },
      streamArg(w),
      isPaired ? { kind: "scratch" } : { kind: "null" },
      { kind: "output", index: 0 },
    ],
    scratchBytes: isPaired ? 2 * w.type.size * w.depth : 0,
    blocks: pairsOf(1, w.rows * w.outWidth, w.rows * w.outWidth),
  };
}

/** A fully connected layer as a convolution of as many pixels as there are vectors; weights are [units, depth]. */
export function heliumVectors<A>(type: HeliumType, w: Weighted<A>) {
  const packed = perNode(w.index, (view: NodeView<A>) => type.pack(w, view));
  const call = (view: NodeView<A>): KernelCall => {
    const [units, depth] = [sizeAt(inputOf(view, 1).shape, 0), sizeAt(inputOf(view, 1).shape, 1)];
    const batch = elementsOf(inputOf(view, 0).shape) / depth;
    return pixelsCall({
      type,
      view,
      sizes: {
        in_w: batch,
        in_c: depth,
        in_step: depth,
        out_w: batch,
        out_c: units,
        out_step: units,
        k_h: 1,
        k_w: 1,
        stride_w: 1,
        dilation_w: 1,
        pad_left: 0,
      },
      stream: present(packed(view), "weights for Helium"),
      depth,
      rows: 1,
      outWidth: batch,
      activation: w.activation(view.attrs),
    });
  };
  return { matches: (view: NodeView<A>): boolean => packed(view) !== null, call };
}
