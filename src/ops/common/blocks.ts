import { bytesOf, type DType } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Kernel, type KernelArg, type OpSpec, slidingRows } from "../spec.js";
import { checkOption, checkRank, checkShape } from "./checks.js";
import { only } from "./gradients.js";
import { defineMover, moverSample } from "./movers.js";
import { type Box, movedQuant, movedTypes, stepsOf } from "./moves.js";
import { int32 } from "./options.js";
import { inputOf, outputOf, sizeAt } from "./view.js";

export interface BlockAttrs {
  /** The side of a block of pixels, at least 1. */
  readonly block: number;
}

/** Steps through an image [n][h * b][w * b][c] over batch, block row, block column, row and column within, channel. */
function blockSteps(shape: readonly number[], block: number): readonly number[] {
  const [image = 0, row = 0, column = 0, channel = 0] = stepsOf(shape);
  return [image, row * block, column * block, row, column, channel];
}

/** Between an image and its blocks: the deep side holds the pixels of a block one after the other in its channels. */
function blockBox(image: readonly number[], deep: readonly number[], block: number, direction: "pack" | "unpack"): Box {
  const [n = 0, h = 0, w = 0] = deep;
  const sizes = [n, h, w, block, block, image[3] ?? 0];
  const [flat, packed] = [blockSteps(image, block), stepsOf(sizes)];
  return {
    sizes,
    ...(direction === "pack" ? { inSteps: flat, outSteps: packed } : { inSteps: packed, outSteps: flat }),
    inBase: 0,
    outBase: 0,
  };
}

/** One output row: from the rows of its blocks, or from the deep row whose blocks it is a row of. */
function rowKernel(dtype: DType, direction: "pack" | "unpack"): Kernel<BlockAttrs> {
  const packs = direction === "pack";
  const input: readonly KernelArg[] = packs
    ? [{ kind: "rows", index: 0 }]
    : [{ kind: "input", index: 0 }, { kind: "row" }];
  return {
    name: `portable ${dtype}`,
    form: "row",
    types: { inputs: [dtype], outputs: [dtype] },
    call: (view) => {
      const [image, deep] = packs ? [inputOf(view, 0), outputOf(view, 0)] : [outputOf(view, 0), inputOf(view, 0)];
      const { block } = view.attrs;
      return {
        source: "ops/common/th_blocks.h",
        symbol: packs ? "th_space_to_depth_row" : "th_depth_to_space_row",
        params: {
          type: "th_blocks_params",
          fields: { width: sizeAt(deep.shape, 2), block, run: bytesOf(dtype, block * sizeAt(image.shape, 3)) },
        },
        args: [...input, { kind: "output", index: 0 }],
        scratchBytes: 0,
      };
    },
  };
}

/** SPACE_TO_DEPTH and DEPTH_TO_SPACE, each other's inverse; NHWC. */
export function defineBlockMover<const Name extends "SPACE_TO_DEPTH" | "DEPTH_TO_SPACE">(
  name: Name,
  summary: string,
  tflite: { readonly builtin: number; readonly maxVersion: number; readonly tag: number },
): OpSpec<Name, BlockAttrs> {
  const toDepth = name === "SPACE_TO_DEPTH";
  const box = (view: NodeView<BlockAttrs>): Box => {
    const [input, output] = [inputOf(view, 0).shape, outputOf(view, 0).shape];
    return toDepth
      ? blockBox(input, output, view.attrs.block, "pack")
      : blockBox(output, input, view.attrs.block, "unpack");
  };
  return defineMover<Name, BlockAttrs>({
    name,
    summary,
    tflite: {
      builtin: tflite.builtin,
      maxVersion: tflite.maxVersion,
      options: { tag: tflite.tag, fields: [int32("blockSize")] },
      decode: (v) => ({ block: Number(v.blockSize) }),
      encode: (a) => ({ blockSize: a.block }),
    },
    indexInputs: 0,
    infer: (view, report) => {
      const input = inputOf(view, 0);
      const { block } = view.attrs;
      if (!checkRank(input, [4], report)) return null;
      if (!checkOption(block >= 1 && block < 2 ** 15, "block_size", block, "at least 1", report)) return null;
      const [n = 0, h = 0, w = 0, c = 0] = input.shape;
      const divides = toDepth ? h % block === 0 && w % block === 0 : c % (block * block) === 0;
      const what = toDepth ? `height and width multiples of ${block}` : `channels a multiple of ${block * block}`;
      if (!checkShape(input, divides, what, report)) return null;
      const shape = toDepth
        ? [n, h / block, w / block, c * block * block]
        : [n, h * block, w * block, c / (block * block)];
      return [{ shape, dtype: input.dtype, quant: movedQuant(input) }];
    },
    box,
    rows: toDepth
      ? ({ attrs: { block } }) => [slidingRows(block, block, 0)]
      : ({ attrs: { block } }) => [{ first: (row) => Math.floor(row / block), taps: 1, dilation: 1 }],
    gradient: (view, upstream, e) => [
      e.node(toDepth ? "DEPTH_TO_SPACE" : "SPACE_TO_DEPTH", [only(upstream)], view.attrs)[0] ?? null,
    ],
    kernels: movedTypes.map((dtype) => rowKernel(dtype, toDepth ? "pack" : "unpack")),
    samples: [
      moverSample("2 by 2", { block: 2 }, "int8", toDepth ? [2, 4, 6, 3] : [2, 2, 3, 12]),
      moverSample("2 by 2, one image", { block: 2 }, "int16", toDepth ? [1, 6, 4, 3] : [1, 3, 2, 8]),
      moverSample("3 by 3", { block: 3 }, "float32", toDepth ? [1, 3, 6, 1] : [1, 1, 2, 9]),
    ],
  });
}
