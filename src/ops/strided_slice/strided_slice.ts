import { clamp } from "../../base/fixedpoint.js";
import type { NodeView } from "../../ir/graph.js";
import { checkConstant, checkOption, checkShape } from "../common/checks.js";
import { constant, defineMover, moverSample } from "../common/movers.js";
import { movedQuant, stepsOf } from "../common/moves.js";
import { int32 } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { constantOf, inputOf, outputOf } from "../common/view.js";
import type { Parts, RowWindows } from "../spec.js";

/** Bit i of a mask speaks of entry i of begin, end and strides. */
export interface StridedSliceAttrs {
  /** Entries whose begin is ignored: from the first element in the stride's direction. */
  readonly beginMask: number;
  /** Entries whose end is ignored: to the last element. */
  readonly endMask: number;
  /** At most one entry stands for all axes that no other names. */
  readonly ellipsisMask: number;
  /** Entries that insert an axis of size 1. */
  readonly newAxisMask: number;
  /** Entries that take a single index and remove the axis. */
  readonly shrinkAxisMask: number;
  /** Ends are relative to begins. */
  readonly offset: boolean;
}

/** What one axis of the input contributes. */
interface AxisSlice {
  readonly start: number;
  readonly stride: number;
  readonly count: number;
}

/** The slice of every input axis, and the output's shape; null where begin, end and strides make no sense. */
export interface StridedSlicePlan {
  readonly axes: readonly AxisSlice[];
  readonly shape: readonly number[];
  /** The input axis that each axis of the output comes from, -1 for a new one. */
  readonly sources: readonly number[];
}

const whole = (size: number): AxisSlice => ({ start: 0, stride: 1, count: size });

/** One entry applied to an axis of `size`. Source: TFLite's strided_slice_logic.h. */
function axisSlice(
  size: number,
  begin: number,
  end: number,
  stride: number,
  masks: { begin: boolean; end: boolean },
): AxisSlice {
  const forward = stride > 0;
  const [low, high] = forward ? [0, size] : [-1, size - 1];
  const fromEnd = (index: number): number => clamp(index < 0 ? index + size : index, low, high);
  const start = masks.begin ? (forward ? 0 : size - 1) : fromEnd(begin);
  const stop = masks.end ? (forward ? size : -1) : fromEnd(end);
  return { start, stride, count: Math.max(Math.ceil((stop - start) / stride), 0) };
}

/** Resolves masks, negative indices and the ellipsis; begin, end and strides must be constants. */
export function stridedSlicePlan(view: NodeView<StridedSliceAttrs>): StridedSlicePlan | null {
  const { attrs } = view;
  const input = inputOf(view, 0).shape;
  const [begin, end, strides] = [1, 2, 3].map((i) => constantOf(inputOf(view, i))) as [number[], number[], number[]];
  if (begin.length !== end.length || begin.length !== strides.length || begin.length > 31) return null;
  const bit = (mask: number, i: number): boolean => ((mask >> i) & 1) === 1;
  const named = begin.filter((_, i) => !bit(attrs.newAxisMask, i) && !bit(attrs.ellipsisMask, i)).length;
  const axes: AxisSlice[] = [];
  const shape: number[] = [];
  const sources: number[] = [];
  const keep = (slice: AxisSlice): void => {
    sources.push(axes.length);
    axes.push(slice);
    shape.push(slice.count);
  };
  let ellipses = 0;
  for (const [i, stride] of strides.entries()) {
    const first = begin[i] as number;
    if (bit(attrs.ellipsisMask, i)) {
      if (++ellipses > 1) return null;
      for (let left = input.length - named; left > 0; left--) {
        keep(whole(input[axes.length] ?? 0));
      }
      continue;
    }
    if (bit(attrs.newAxisMask, i)) {
      shape.push(1);
      sources.push(-1);
      continue;
    }
    const size = input[axes.length];
    if (size === undefined || stride === 0) return null;
    if (bit(attrs.shrinkAxisMask, i)) {
      // TFLite's begin mask holds here too; TensorFlow's does not.
      const masked = stride > 0 ? 0 : size - 1;
      const index = bit(attrs.beginMask, i) ? masked : first < 0 ? first + size : first;
      if (index < 0 || index >= size) return null;
      axes.push({ start: index, stride: 1, count: 1 });
      continue;
    }
    const last = (end[i] as number) + (attrs.offset ? first : 0);
    keep(axisSlice(size, first, last, stride, { begin: bit(attrs.beginMask, i), end: bit(attrs.endMask, i) }));
  }
  for (const size of input.slice(axes.length)) keep(whole(size));
  return { axes, shape, sources };
}

/** Rows, where images and their rows are taken whole and in order. */
function stridedSliceRows(view: NodeView<StridedSliceAttrs>): RowWindows | "none" {
  const plan = stridedSlicePlan(view);
  const kept = (axis: number): boolean => {
    const slice = plan?.axes[axis];
    return plan?.sources[axis] === axis && slice?.start === 0 && slice.stride === 1;
  };
  return kept(0) && kept(1) ? equalRows(view, [0]) : "none";
}

const attrs: StridedSliceAttrs = {
  beginMask: 0,
  endMask: 0,
  ellipsisMask: 0,
  newAxisMask: 0,
  shrinkAxisMask: 0,
  offset: false,
};
const spec = (begin: readonly number[], end: readonly number[], strides: readonly number[]) =>
  [begin, end, strides].map((v) => constant(v));

/** The output as a block of the input, where every axis keeps its place and is taken without gaps. */
function stridedSliceParts(view: NodeView<StridedSliceAttrs>): Parts | null {
  const plan = stridedSlicePlan(view);
  if (plan === null || plan.axes.some((a) => a.stride !== 1) || plan.sources.some((source, d) => source !== d))
    return null;
  if (plan.axes.length !== plan.shape.length) return null;
  return {
    whole: inputOf(view, 0),
    parts: [{ tensor: outputOf(view, 0), begin: plan.axes.map((a) => a.start) }],
  };
}

export const stridedSlice = defineMover<"STRIDED_SLICE", StridedSliceAttrs>({
  name: "STRIDED_SLICE",
  summary: "Every n-th element of a block, with TensorFlow's masks, up to 6-D",
  tflite: {
    builtin: 45,
    maxVersion: 8,
    options: {
      tag: 32,
      fields: [
        int32("beginMask"),
        int32("endMask"),
        int32("ellipsisMask"),
        int32("newAxisMask"),
        int32("shrinkAxisMask"),
        ["offset", "bool", false],
      ],
    },
    decode: (v) => ({
      beginMask: Number(v.beginMask),
      endMask: Number(v.endMask),
      ellipsisMask: Number(v.ellipsisMask),
      newAxisMask: Number(v.newAxisMask),
      shrinkAxisMask: Number(v.shrinkAxisMask),
      offset: Boolean(v.offset),
    }),
    encode: (a) => ({ ...a }),
  },
  indexInputs: 3,
  infer: (view, report) => {
    const input = inputOf(view, 0);
    if (!checkShape(input, input.shape.length <= 6, "at most six dimensions", report)) return null;
    if (![1, 2, 3].every((i) => checkConstant(view, i, report))) return null;
    const plan = stridedSlicePlan(view);
    const texts = [1, 2, 3].map((i) => `[${constantOf(inputOf(view, i)).join(", ")}]`);
    const sensible = plan !== null && !plan.shape.includes(0);
    if (
      !checkOption(sensible, "begin, end, strides", texts.join(", "), `a part of [${input.shape.join(", ")}]`, report)
    )
      return null;
    return plan && [{ shape: plan.shape, dtype: input.dtype, quant: movedQuant(input) }];
  },
  box: (view) => {
    const axes = stridedSlicePlan(view)?.axes ?? [];
    const steps = stepsOf(inputOf(view, 0).shape);
    const sizes = axes.map((a) => a.count);
    return {
      sizes,
      inSteps: axes.map((a, d) => a.stride * (steps[d] ?? 0)),
      outSteps: stepsOf(sizes),
      inBase: axes.reduce((sum, a, d) => sum + a.start * (steps[d] ?? 0), 0),
      outBase: 0,
    };
  },
  rows: stridedSliceRows,
  parts: stridedSliceParts,
  samples: [
    moverSample(
      "columns of an image",
      { ...attrs, beginMask: 8, shrinkAxisMask: 8 },
      "int8",
      [1, 4, 5, 3],
      spec([0, -4, 3, 2], [1, 99, -6, 0], [1, 1, -2, 1]),
    ),
    moverSample("every other", attrs, "int8", [1, 6, 5, 3], spec([0, 1, 0, 0], [1, 6, 5, 3], [1, 2, 2, 1])),
    moverSample("backwards", { ...attrs, beginMask: 1, endMask: 3 }, "int8", [4, 7], spec([0, -2], [0, 0], [-1, -3])),
    moverSample("one index", { ...attrs, shrinkAxisMask: 2 }, "int16", [2, 5, 3], spec([0, -1], [2, 0], [1, 1])),
    moverSample(
      "five dimensions",
      { ...attrs, beginMask: 31 },
      "float32",
      [2, 3, 2, 4, 5],
      spec([0, 0, 0, 0, 0], [2, -1, 1, 3, 99], [1, 1, 1, 2, 2]),
    ),
    moverSample(
      "ellipsis and new axis",
      { ...attrs, ellipsisMask: 1, newAxisMask: 2 },
      "int32",
      [2, 3, 4],
      spec([0, 0, 1], [0, 0, 3], [1, 1, 1]),
    ),
    moverSample("offset", { ...attrs, offset: true }, "bool", [9], spec([2], [5], [2])),
  ],
});
