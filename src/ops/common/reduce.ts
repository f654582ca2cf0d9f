import { type DType, elementsOf } from "../../base/dtype.js";
import { type NodeView, perTensor, type Tensor } from "../../ir/graph.js";
import type { ChannelRanges } from "../channels.js";
import type { Emitter } from "../gradient.js";
import {
  type CValue,
  type ExecView,
  type Kernel,
  type KernelArg,
  type KernelCall,
  noTraits,
  type OpSpec,
  type Report,
  type RowWindows,
  type Sample,
} from "../spec.js";
import { evenChannels } from "./channels.js";
import {
  checkConstant,
  checkOption,
  checkPerTensor,
  checkSameQuantization,
  checkShape,
  normalizedAxis,
} from "./checks.js";
import { only } from "./gradients.js";
import { bool } from "./options.js";
import { hasRanges, mapRanges } from "./ranges.js";
import { equalRows } from "./rows.js";
import { constantOf, inputOf, outputOf, scaleOf } from "./view.js";

export interface ReduceAttrs {
  /** Reduced axes stay, with size 1. */
  readonly keepDims: boolean;
}

/**
 * The input as [outer][first][middle][second][inner] with `first` and `second` reduced: neighbouring axes of one kind
 * are merged, so every reduction of up to four axes, and most of more, has this form.
 */
export interface ReduceSizes {
  readonly outer: number;
  readonly first: number;
  readonly middle: number;
  readonly second: number;
  readonly inner: number;
}

/** Computes one output element from the sum, or what takes its place, of its inputs. */
export type ReduceFinish = (accumulated: number) => number;

/** The C header of one element type: `symbol` reduces everything, `symbol_fold` a row at a time. */
export interface ReduceHeader {
  readonly dtype: DType;
  readonly source: string;
  readonly symbol: string;
  readonly params: string;
  /** Bytes of the value that a fold keeps for an output element. */
  readonly foldBytes: number;
  /** There is a header for cores with the DSP instructions, `_dsp` at the end of its names, for reductions to channels. */
  readonly dsp?: true;
  /** The same for Helium, for right shifts in the field `shift`. */
  readonly helium?: true;
}

/** What one reduction adds to the family. */
export interface Reduction<Name extends string> {
  readonly name: Name;
  readonly summary: string;
  readonly builtin: number;
  readonly maxVersion: number;
  /** Input and output must be quantized alike. */
  readonly keepsQuantization: boolean;
  /** The most elements that one output may have, by element type; unlimited where not stated. */
  readonly most: Readonly<Partial<Record<DType, number>>>;
  readonly start: (dtype: DType) => number;
  readonly add: (accumulated: number, element: number) => number;
  readonly finish: (view: NodeView<ReduceAttrs>, count: number) => ReduceFinish;
  /** The input's gradient; `kept` is the output's shape with the reduced axes of size 1. */
  readonly gradient: (e: Emitter, view: NodeView<ReduceAttrs>, kept: readonly number[], dy: Tensor) => Tensor;
  /** True if the finish is monotone and adding is too, so that bounds of the elements give bounds of the result. */
  readonly isMonotone: (view: NodeView<ReduceAttrs>, count: number) => boolean;
  readonly kernels: readonly ReduceHeader[];
  /** Fields of the params struct besides the sizes. */
  readonly fields: (view: NodeView<ReduceAttrs>, count: number) => Record<string, CValue>;
}

function reducedAxes(view: NodeView<ReduceAttrs>): ReadonlySet<number> {
  const rank = inputOf(view, 0).shape.length;
  return new Set(constantOf(inputOf(view, 1)).map((a) => (a < 0 ? a + rank : a)));
}

/** Sizes of the merged axes, or null if kept and reduced axes alternate more often than the form allows. */
export function reduceSizes(shape: readonly number[], axes: ReadonlySet<number>): ReduceSizes | null {
  const sizes = [1, 1, 1, 1, 1];
  let place = 0;
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    if ((place % 2 === 1) !== axes.has(axis)) place++;
    if (place > 4) return null;
    sizes[place] = (sizes[place] ?? 1) * size;
  }
  const [outer = 1, first = 1, middle = 1, second = 1, inner = 1] = sizes;
  return { outer, first, middle, second, inner };
}

/** The sizes of a fold over the rows of one image, `outer` being the rows; null unless axis 1 is reduced. */
export function foldSizes(shape: readonly number[], axes: ReadonlySet<number>): ReduceSizes | null {
  const [images, rows = 0] = shape;
  if (shape.length < 3 || images !== 1 || rows < 2 || !axes.has(1)) return null;
  const sizes = reduceSizes(shape, axes);
  return sizes && { ...sizes, outer: rows, first: sizes.first / rows };
}

const sizesOf = (view: NodeView<ReduceAttrs>): ReduceSizes =>
  reduceSizes(inputOf(view, 0).shape, reducedAxes(view)) ?? { outer: 0, first: 0, middle: 0, second: 0, inner: 0 };

function reference(reduction: Reduction<string>, view: ExecView<ReduceAttrs>): void {
  const { outer, first, middle, second, inner } = sizesOf(view);
  const finish = reduction.finish(view, first * second);
  const start = reduction.start(inputOf(view, 0).dtype);
  const [x, out] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let m = 0; m < middle; m++) {
      for (let i = 0; i < inner; i++) {
        let value = start;
        for (let a = 0; a < first; a++) {
          for (let b = 0; b < second; b++) {
            value = reduction.add(value, x[(((o * first + a) * middle + m) * second + b) * inner + i] as number);
          }
        }
        out[at++] = finish(value);
      }
    }
  }
}

/** The output's shape, were the reduced axes kept. */
const keptShape = (view: NodeView<ReduceAttrs>): readonly number[] => {
  const axes = reducedAxes(view);
  return inputOf(view, 0).shape.map((n, i) => (axes.has(i) ? 1 : n));
};

function outputShape(view: NodeView<ReduceAttrs>): number[] {
  const axes = reducedAxes(view);
  const { shape } = inputOf(view, 0);
  return view.attrs.keepDims ? shape.map((n, i) => (axes.has(i) ? 1 : n)) : shape.filter((_, i) => !axes.has(i));
}

function infer(reduction: Reduction<string>, view: NodeView<ReduceAttrs>, report: Report) {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  if (!checkConstant(view, 1, report)) return null;
  const axes = constantOf(inputOf(view, 1));
  if (axes.some((a) => normalizedAxis(a, input.shape.length, report) === null)) return null;
  if (!checkShape(input, elementsOf(input.shape) > 0, "at least one element", report)) return null;
  const sizes = reduceSizes(input.shape, reducedAxes(view));
  if (!checkShape(input, sizes !== null, "at most two separate groups of reduced axes", report)) return null;
  const most = reduction.most[input.dtype] ?? Infinity;
  const count = sizes === null ? 0 : sizes.first * sizes.second;
  if (!checkShape(input, count <= most, `at most ${most} elements for each output`, report)) return null;
  if (reduction.keepsQuantization && input.quant !== null && !checkSameQuantization(input, output, report)) return null;
  if (!checkPerTensor(input, report) || !checkPerTensor(output, report)) return null;
  if (input.quant !== null && output.quant !== null) {
    const ratio = scaleOf(input) / scaleOf(output);
    if (!checkOption(Number.isFinite(ratio), "ratio of the scales", ratio, "finite", report)) return null;
  }
  const quant = reduction.keepsQuantization ? input.quant : input.dtype === "float32" ? null : ("free" as const);
  return [{ shape: outputShape(view), dtype: input.dtype, quant }];
}

function samples(reduction: Reduction<string>): readonly Sample<ReduceAttrs>[] {
  const sample = (
    name: string,
    dtype: DType,
    shape: readonly number[],
    axes: readonly number[],
    keepDims: boolean,
    zero = 0,
  ) => {
    const quantized = dtype === "int8" || dtype === "int16";
    const scale = dtype === "int8" ? 0.05 : 0.0003;
    const quant = quantized ? { quant: perTensor(scale, zero) } : {};
    const outQuant =
      quantized && !reduction.keepsQuantization ? { quant: perTensor(scale * 1.7, zero === 0 ? 0 : 5) } : quant;
    const axis = { shape: [axes.length], dtype: "int32" as const, constant: axes };
    return { name, attrs: { keepDims }, inputs: [{ shape, dtype, ...quant }, axis], outputs: [{ dtype, ...outQuant }] };
  };
  return [
    sample("int8 over height and width", "int8", [2, 5, 3, 4], [1, 2], false, -128),
    sample("int8, last axis kept", "int8", [3, 2, 7], [-1], true, 11),
    sample("int8, apart", "int8", [3, 2, 5, 2], [0, 2, 2], true, -1),
    sample("int8, all", "int8", [2, 3, 3], [2, 0, 1], false, 127),
    sample("int16", "int16", [4, 3, 5], [1], false),
    sample("int8, an image's pixels", "int8", [1, 5, 3, 4], [1, 2], false, -128),
    sample("int8, an image's rows", "int8", [1, 3, 4, 2], [1], true, 11),
    sample("int8, within an image's rows", "int8", [1, 4, 3, 5], [2], true, 7),
    sample("int16, an image's rows and channels", "int16", [1, 4, 2, 3], [1, -1], true),
    sample("int16, an image's channels", "int16", [1, 3, 4, 5], [3], false),
    sample("float, an image", "float32", [1, 3, 4, 2], [1, 2, 3], false),
    sample("float, an image's pixels", "float32", [1, 6, 2, 3], [2, 1], true),
    sample("float", "float32", [2, 3, 4, 3], [-3, 3], true),
  ];
}

/** Rows are apart where reductions stay within them. */
const reduceRows = (view: NodeView<ReduceAttrs>): RowWindows | "none" =>
  [...reducedAxes(view)].every((axis) => axis >= 2) ? equalRows(view, [0]) : "none";

const input: KernelArg = { kind: "input", index: 0 };
const output: KernelArg = { kind: "output", index: 0 };

function wholeCall(reduction: Reduction<string>, header: ReduceHeader, view: NodeView<ReduceAttrs>): KernelCall {
  const sizes = sizesOf(view);
  const fields = { ...sizes, ...reduction.fields(view, sizes.first * sizes.second) };
  const { source, symbol, params } = header;
  return { source, symbol, params: { type: params, fields }, args: [input, output], scratchBytes: 0 };
}

/** A call for each row of the input, where axis 1 of one image is reduced. */
function foldCall(reduction: Reduction<string>, header: ReduceHeader, view: NodeView<ReduceAttrs>): KernelCall | null {
  const sizes = foldSizes(inputOf(view, 0).shape, reducedAxes(view));
  if (sizes === null) return null;
  const { outer, first, middle, second, inner } = sizes;
  return {
    source: header.source,
    symbol: `${header.symbol}_fold`,
    params: { type: header.params, fields: { ...sizes, ...reduction.fields(view, outer * first * second) } },
    args: [{ kind: "row" }, input, { kind: "scratch" }, output],
    scratchBytes: middle * inner * header.foldBytes,
  };
}

/** The kernel for reductions that leave four or more channels and nothing else. */
function dspKernel(reduction: Reduction<string>, header: ReduceHeader): Kernel<ReduceAttrs> {
  const dsp: ReduceHeader = {
    ...header,
    source: header.source.replace(".h", "_dsp.h"),
    symbol: `${header.symbol}_dsp`,
  };
  return {
    name: `dsp ${header.symbol.split("_").pop()}`,
    isa: "dsp",
    form: "slice",
    types: { inputs: [header.dtype, "int32"], outputs: [header.dtype] },
    matches: (view) => {
      const { middle, second, inner } = sizesOf(view);
      return second === 1 && inner === 1 && middle >= 4;
    },
    call: (view) => wholeCall(reduction, dsp, view),
    fold: (view) => foldCall(reduction, dsp, view),
  };
}

/** For Helium: reductions that leave channels and nothing else. */
function heliumKernel(reduction: Reduction<string>, header: ReduceHeader): Kernel<ReduceAttrs> {
  const helium: ReduceHeader = {
    ...header,
    source: header.source.replace(".h", "_helium.h"),
    symbol: `${header.symbol}_helium`,
  };
  return {
    name: `helium ${header.symbol.split("_").pop()}`,
    isa: "helium",
    form: "slice",
    types: { inputs: [header.dtype, "int32"], outputs: [header.dtype] },
    matches: (view) => {
      const { first, second, inner } = sizesOf(view);
      return second === 1 && inner === 1 && Number(reduction.fields(view, first)["shift"]) <= -1;
    },
    call: (view) => wholeCall(reduction, helium, view),
    fold: (view) => foldCall(reduction, helium, view),
  };
}

/** True if the last axis stays, so that channels stay what they are. */
const keepsChannels = (view: NodeView<ReduceAttrs>): boolean =>
  !reducedAxes(view).has(inputOf(view, 0).shape.length - 1);

/** All elements at their least, and all at their most, where they belong to one channel. */
function reduceRanges(reduction: Reduction<string>, view: NodeView<ReduceAttrs>, input: ChannelRanges | null) {
  const { first, second } = sizesOf(view);
  const count = first * second;
  if (!input || !hasRanges(outputOf(view, 0)) || !keepsChannels(view) || !reduction.isMonotone(view, count))
    return null;
  const finish = reduction.finish(view, count);
  const all = (element: number): number => {
    let value = reduction.start(inputOf(view, 0).dtype);
    for (let i = 0; i < count; i++) value = reduction.add(value, element);
    return finish(value);
  };
  return [mapRanges(input, (low, high) => [all(low), all(high)])];
}

/** The record of a reduction: input, and its axes as a constant. */
export function reduceOp<const Name extends string>(reduction: Reduction<Name>): OpSpec<Name, ReduceAttrs> {
  const portable = reduction.kernels.map(
    (header): Kernel<ReduceAttrs> => ({
      name: `portable ${header.symbol.split("_").pop()}`,
      form: "slice",
      types: { inputs: [header.dtype, "int32"], outputs: [header.dtype] },
      call: (view) => wholeCall(reduction, header, view),
      fold: (view) => foldCall(reduction, header, view),
    }),
  );
  const kernels = [
    ...reduction.kernels.flatMap((h) => (h.helium ? [heliumKernel(reduction, h)] : [])),
    ...reduction.kernels.flatMap((h) => (h.dsp ? [dspKernel(reduction, h)] : [])),
    ...portable,
  ];
  return {
    name: reduction.name,
    summary: reduction.summary,
    arity: { inputs: [2, 2], outputs: [1, 1] },
    optionalInputs: [],
    traits: { ...noTraits, rows: reduceRows, quantizes: reduction.keepsQuantization ? "same" : "free" },
    tflite: {
      builtin: reduction.builtin,
      maxVersion: reduction.maxVersion,
      options: { tag: 27, fields: [bool("keepDims")] },
      decode: (v) => ({ keepDims: v.keepDims === true }),
      encode: (a) => ({ keepDims: a.keepDims }),
    },
    infer: (view, report) => infer(reduction, view, report),
    reference: (view) => reference(reduction, view),
    gradient: (view, upstream, e) => [reduction.gradient(e, view, keptShape(view), only(upstream)), null],
    ranges: reduction.kernels.some((k) => k.dtype === "int8")
      ? (view, [input = null]) => reduceRanges(reduction, view, input)
      : "none",
    channels: (view) => (keepsChannels(view) ? evenChannels(0)(view) : null),
    cost: (view) => ({ macs: 0, operations: elementsOf(inputOf(view, 0).shape) }),
    kernels,
    samples: samples(reduction).filter((s) => reduction.kernels.some((k) => k.dtype === s.inputs[0]?.dtype)),
  };
}
