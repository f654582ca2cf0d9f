import { type DType, elementsOf } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import type { OptionField, Report, Sample, TfliteBinding } from "../spec.js";
import { checkConstant, checkOption, checkPerTensor, checkRank, checkSameQuantization, checkShape } from "./checks.js";
import { withinRanges } from "./ranges.js";
import { constantOf, inputOf, outputOf, sizeAt } from "./view.js";

export interface ResizeAttrs {
  /** Corner pixels keep their place. */
  readonly alignCorners: boolean;
  /** Pixels are sampled at their centres. */
  readonly halfPixelCenters: boolean;
}

/** Sizes of a resize of NHWC images; the output's height and width are the constant input 1. */
export function resizeSize(view: NodeView<ResizeAttrs>) {
  const { shape } = inputOf(view, 0);
  const [outHeight = 0, outWidth = 0] = constantOf(inputOf(view, 1));
  return {
    batch: sizeAt(shape, 0),
    height: sizeAt(shape, 1),
    width: sizeAt(shape, 2),
    channels: sizeAt(shape, 3),
    outHeight,
    outWidth,
  };
}

/** A pixel is one of the input, or lies between some of them; rounded to an integer, it still does. */
export const resizeRanges = withinRanges<ResizeAttrs>(() => ({ min: -Infinity, max: Infinity }));

/** What both operators check, and their output. */
export function inferResize(view: NodeView<ResizeAttrs>, report: Report) {
  const [input, size, output] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const { alignCorners, halfPixelCenters } = view.attrs;
  if (!checkRank(input, [4], report) || !checkConstant(view, 1, report)) return null;
  if (!checkShape(size, elementsOf(size.shape) === 2, "[2]", report)) return null;
  const { batch, height, width, channels, outHeight, outWidth } = resizeSize(view);
  const sizes = [height, width, outHeight, outWidth];
  // Positions are computed with ten bits after the point, and index tables are 16 bits wide.
  if (
    !checkOption(
      sizes.every((n) => n > 0 && n < 32768),
      "size",
      sizes,
      "between 1 and 32767",
      report,
    )
  )
    return null;
  if (
    !checkOption(!(alignCorners && halfPixelCenters), "half_pixel_centers", "true with align_corners", "false", report)
  )
    return null;
  if (!checkPerTensor(input, report)) return null;
  if (input.quant !== null && !checkSameQuantization(input, output, report)) return null;
  return [{ shape: [batch, outHeight, outWidth, channels], dtype: input.dtype, quant: input.quant }];
}

/** The two flags, after `deprecated` fields. */
export const resizeBinding = (
  builtin: number,
  tag: number,
  deprecated: readonly OptionField[],
): TfliteBinding<ResizeAttrs> => ({
  builtin,
  maxVersion: 4,
  options: { tag, fields: [...deprecated, ["alignCorners", "bool", false], ["halfPixelCenters", "bool", false]] },
  decode: (v) => ({ alignCorners: v.alignCorners === true, halfPixelCenters: v.halfPixelCenters === true }),
  encode: (a) => ({
    ...Object.fromEntries(deprecated.map(([name]) => [name, 0])),
    alignCorners: a.alignCorners,
    halfPixelCenters: a.halfPixelCenters,
  }),
});

const flags = {
  plain: { alignCorners: false, halfPixelCenters: false },
  corners: { alignCorners: true, halfPixelCenters: false },
  centers: { alignCorners: false, halfPixelCenters: true },
} as const;

type Case = readonly [dtype: DType, mode: keyof typeof flags, input: readonly number[], size: readonly number[]];

const cases: readonly Case[] = [
  ["int8", "plain", [1, 3, 4, 3], [7, 6]],
  ["int8", "corners", [2, 3, 4, 2], [5, 9]],
  ["int8", "centers", [1, 4, 3, 2], [9, 7]],
  ["int8", "centers", [1, 7, 6, 3], [3, 4]],
  ["int16", "corners", [1, 2, 3, 2], [1, 5]],
  ["float32", "centers", [1, 3, 4, 2], [5, 7]],
  ["float32", "corners", [1, 4, 4, 1], [6, 3]],
];

export const resizeSamples: readonly Sample<ResizeAttrs>[] = cases.map(([dtype, mode, shape, size]) => {
  const quant = dtype === "float32" ? {} : { quant: perTensor(0.05, dtype === "int8" ? -7 : 0) };
  return {
    name: `${dtype} ${mode} ${shape[1]}x${shape[2]} to ${size.join("x")}`,
    attrs: flags[mode],
    inputs: [
      { shape, dtype, ...quant },
      { shape: [2], dtype: "int32", constant: size },
    ],
    outputs: [{ dtype, ...quant }],
  };
});
