import { bytesOf, type DType } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import {
  type Activation,
  decodeActivation,
  encodeActivation,
  floatActivationRange,
  quantizedActivationRange,
} from "../common/activation.js";
import type { GradientOf } from "../gradient.js";
import {
  type ExecView,
  type Kernel,
  type KernelArg,
  type KernelCall,
  noTraits,
  type OpSpec,
  type Sample,
  slidingRows,
} from "../spec.js";
import { evenChannels } from "./channels.js";
import { checkOption, checkPerTensor, checkRank, checkSameQuantization, checkShape } from "./checks.js";
import { int8, int32 } from "./options.js";
import { decodePadding, encodePadding, type Padding, window2d, windowAxes } from "./padding.js";
import { withinRanges } from "./ranges.js";
import { inputOf, outputOf, pixelStep, sizeAt } from "./view.js";

export interface Pool2dAttrs {
  readonly padding: Padding;
  readonly stride: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly activation: Activation;
}

/** What one kind of pooling adds to the family. */
export interface Pooling<Name extends string> {
  readonly name: Name;
  readonly summary: string;
  readonly builtin: number;
  /** `ops/max_pool2d/max_pool2d`: path of the headers without `_s8.h`; the last part names the C functions. */
  readonly stem: string;
  /** The unclamped result of a window's elements, given its first one's start value. */
  readonly start: (dtype: DType) => number;
  readonly add: (accumulated: number, element: number) => number;
  /** From the accumulated value and the number of elements inside the image. */
  readonly end: (accumulated: number, count: number, dtype: DType) => number;
  /** Type in which a fold keeps what it has of a window of `count` elements; null if none is wide enough. */
  readonly kept: (dtype: DType, count: number) => DType | null;
  readonly gradient: GradientOf<Pool2dAttrs>;
  /** There are headers for Helium, which are called as the portable ones are. */
  readonly helium?: true;
}

function geometry(view: NodeView<Pool2dAttrs>) {
  const input = inputOf(view, 0).shape;
  const [batch, height, width, channels] = [sizeAt(input, 0), sizeAt(input, 1), sizeAt(input, 2), sizeAt(input, 3)];
  return { batch, height, width, channels, ...window2d(height, width, { ...view.attrs, dilation: [1, 1] }) };
}

/** The window along both axes. */
export function pool2dWindow(view: NodeView<Pool2dAttrs>) {
  const { height, width } = geometry(view);
  return windowAxes(height, width, { ...view.attrs, dilation: [1, 1] });
}

const limits = (view: NodeView<Pool2dAttrs>) =>
  inputOf(view, 0).dtype === "float32"
    ? floatActivationRange(view.attrs.activation)
    : quantizedActivationRange(view.attrs.activation, outputOf(view, 0));

/** Pools the windows of each channel, padding left out of account; NHWC. */
function reference(pooling: Pooling<string>, view: ExecView<Pool2dAttrs>): void {
  const g = geometry(view);
  const { kernel, stride } = view.attrs;
  const { dtype } = inputOf(view, 0);
  const range = limits(view);
  const x = view.in[0] as Float32Array;
  const out = view.out[0] as Float32Array;
  let o = 0;
  for (let n = 0; n < g.batch; n++) {
    for (let oy = 0; oy < g.outHeight; oy++) {
      const y0 = oy * stride[0] - g.padTop;
      const [yFrom, yTo] = [Math.max(y0, 0), Math.min(y0 + kernel[0], g.height)];
      for (let ox = 0; ox < g.outWidth; ox++) {
        const x0 = ox * stride[1] - g.padLeft;
        const [xFrom, xTo] = [Math.max(x0, 0), Math.min(x0 + kernel[1], g.width)];
        for (let c = 0; c < g.channels; c++) {
          let value = pooling.start(dtype);
          for (let y = yFrom; y < yTo; y++) {
            for (let xx = xFrom; xx < xTo; xx++) {
              value = pooling.add(value, x[((n * g.height + y) * g.width + xx) * g.channels + c] as number);
            }
          }
          const result = pooling.end(value, (yTo - yFrom) * (xTo - xFrom), dtype);
          out[o++] = Math.min(Math.max(result, range.min), range.max);
        }
      }
    }
  }
}

function paramsOf(view: NodeView<Pool2dAttrs>): KernelCall["params"] {
  const g = geometry(view);
  const { kernel: size, stride } = view.attrs;
  const range = limits(view);
  const isFloat = inputOf(view, 0).dtype === "float32";
  const fields = {
    in_h: g.height,
    in_w: g.width,
    channels: g.channels,
    out_w: g.outWidth,
    in_step: pixelStep(view, inputOf(view, 0)),
    out_step: pixelStep(view, outputOf(view, 0)),
    k_h: size[0],
    k_w: size[1],
    stride_w: stride[1],
    pad_left: g.padLeft,
    min: isFloat ? { float: range.min } : range.min,
    max: isFloat ? { float: range.max } : range.max,
  };
  return { type: isFloat ? "th_pool2d_f32_params" : "th_pool2d_params", fields };
}

/** A pool of one image whose only window, along the height, holds every row; its rows may come one after another. */
function foldOf(pooling: Pooling<string>, view: NodeView<Pool2dAttrs>, row: KernelCall): KernelCall | null {
  const g = geometry(view);
  const [taps, width] = view.attrs.kernel;
  const covers = taps - g.padTop >= g.height;
  if (g.batch !== 1 || g.height === 1 || g.outHeight !== 1 || !covers) return null;
  const kept = pooling.kept(inputOf(view, 0).dtype, g.height * Math.min(width, g.width));
  if (kept === null) return null;
  const args: KernelArg[] = [
    { kind: "row" },
    { kind: "input", index: 0 },
    { kind: "scratch" },
    { kind: "output", index: 0 },
  ];
  return { ...row, symbol: `${row.symbol}_fold`, args, scratchBytes: bytesOf(kept, g.outWidth * g.channels) };
}

/** The name of the kernel of a header, the instructions it is for, and what it takes. */
function kindOf(suffix: string): Pick<Kernel<Pool2dAttrs>, "name" | "isa" | "matches"> {
  if (suffix === "s8_helium") return { name: "helium s8", isa: "helium" };
  if (suffix === "s8_dsp") return { name: "dsp s8", isa: "dsp", matches: (view) => geometry(view).channels >= 4 };
  return { name: `portable ${suffix}` };
}

function kernel(
  pooling: Pooling<string>,
  suffix: "s8_helium" | "s8_dsp" | "s8" | "s16" | "f32",
  dtype: DType,
): Kernel<Pool2dAttrs> {
  const call = (view: NodeView<Pool2dAttrs>): KernelCall => ({
    source: `${pooling.stem}_${suffix}.h`,
    symbol: `th_${pooling.stem.split("/").pop()}_${suffix}`,
    params: paramsOf(view),
    args: [
      { kind: "rows", index: 0 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  });
  return {
    ...kindOf(suffix),
    form: "row",
    pixelSteps: true,
    types: { inputs: [dtype], outputs: [dtype] },
    call,
    fold: (view) => foldOf(pooling, view, call(view)),
  };
}

const base: Pool2dAttrs = { padding: "SAME", stride: [2, 2], kernel: [3, 3], activation: "NONE" };
const sample = (
  name: string,
  dtype: DType,
  zero: number,
  shape: readonly number[],
  attrs: Pool2dAttrs,
): Sample<Pool2dAttrs> => {
  const quant = dtype === "float32" ? {} : { quant: perTensor(dtype === "int8" ? 0.04 : 0.0002, zero) };
  return { name, attrs, inputs: [{ shape, dtype, ...quant }], outputs: [{ dtype, ...quant }] };
};
const samples: readonly Sample<Pool2dAttrs>[] = [
  sample("same", "int8", -128, [1, 6, 5, 3], base),
  sample("valid, batch 2", "int8", 127, [2, 5, 6, 4], {
    ...base,
    padding: "VALID",
    kernel: [2, 3],
    stride: [1, 2],
    activation: "RELU_N1_TO_1",
  }),
  sample("global", "int8", 3, [1, 7, 5, 6], { ...base, padding: "VALID", kernel: [7, 5], stride: [1, 1] }),
  sample("global, padded, int16", "int16", 0, [1, 4, 5, 3], { ...base, kernel: [8, 3], stride: [4, 2] }),
  sample("global, float", "float32", 0, [1, 4, 3, 2], { ...base, padding: "VALID", kernel: [4, 2], stride: [1, 1] }),
  sample("explicit padding", "int8", 4, [1, 5, 5, 2], { ...base, padding: [1, 0, 0, 2], activation: "RELU6" }),
  sample("int16", "int16", 0, [1, 5, 4, 3], { ...base, activation: "RELU" }),
  sample("float", "float32", 0, [1, 5, 6, 3], { ...base, stride: [1, 2], activation: "RELU" }),
];

const isCount = (n: number): boolean => Number.isInteger(n) && n > 0;

/** The record of a pooling operator. */
export function pool2d<const Name extends string>(pooling: Pooling<Name>): OpSpec<Name, Pool2dAttrs> {
  return {
    name: pooling.name,
    summary: pooling.summary,
    arity: { inputs: [1, 1], outputs: [1, 1] },
    optionalInputs: [],
    traits: {
      ...noTraits,
      quantizes: "same",
      window: pool2dWindow,
      rows: (view) => [slidingRows(view.attrs.stride[0], view.attrs.kernel[0], geometry(view).padTop)],
    },
    tflite: {
      builtin: pooling.builtin,
      maxVersion: 3,
      options: {
        tag: 5,
        fields: [
          int8("padding"),
          int32("strideW"),
          int32("strideH"),
          int32("filterWidth"),
          int32("filterHeight"),
          int8("activation"),
        ],
      },
      decode: (v, report) => ({
        padding: decodePadding(v.padding, report),
        stride: [Number(v.strideH), Number(v.strideW)],
        kernel: [Number(v.filterHeight), Number(v.filterWidth)],
        activation: decodeActivation(v.activation, report),
      }),
      encode: (a) => ({
        padding: encodePadding(a.padding),
        strideW: a.stride[1],
        strideH: a.stride[0],
        filterWidth: a.kernel[1],
        filterHeight: a.kernel[0],
        activation: encodeActivation(a.activation),
      }),
    },
    infer: (view, report) => {
      const input = inputOf(view, 0);
      const sizes = [...view.attrs.stride, ...view.attrs.kernel];
      if (!checkRank(input, [4], report)) return null;
      if (!checkOption(sizes.every(isCount), "stride and filter size", sizes, "at least 1", report)) return null;
      const { padding, kernel: size } = view.attrs;
      // A window with no element inside the image has no average.
      const covered =
        typeof padding === "string" ||
        padding.every((n, side) => Number.isInteger(n) && n >= 0 && n < size[side >> 1 ? 1 : 0]);
      if (!checkOption(covered, "padding", padding, "smaller than the window", report)) return null;
      const g = geometry(view);
      if (!checkShape(input, g.outHeight > 0 && g.outWidth > 0, "at least as large as the window", report)) return null;
      checkPerTensor(input, report);
      if (input.dtype !== "float32") checkSameQuantization(input, outputOf(view, 0), report);
      return [{ shape: [g.batch, g.outHeight, g.outWidth, g.channels], dtype: input.dtype, quant: input.quant }];
    },
    reference: (view) => reference(pooling, view),
    gradient: pooling.gradient,
    ranges: withinRanges(limits),
    channels: evenChannels(0),
    cost: (view) => {
      const g = geometry(view);
      const { kernel: k } = view.attrs;
      return { macs: 0, operations: g.batch * g.outHeight * g.outWidth * g.channels * k[0] * k[1] };
    },
    kernels: [
      ...(pooling.helium ? [kernel(pooling, "s8_helium", "int8")] : []),
      kernel(pooling, "s8_dsp", "int8"),
      kernel(pooling, "s8", "int8"),
      kernel(pooling, "s16", "int16"),
      kernel(pooling, "f32", "float32"),
    ],
    samples,
  };
}
