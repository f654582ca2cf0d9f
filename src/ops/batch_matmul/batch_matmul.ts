import { type DType, elementsOf, rangeOf } from "../../base/dtype.js";
import { clamp, quantizeMultiplier, requantize, requantize64 } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { matmul, only, sumTo } from "../common/gradients.js";
import { bool } from "../common/options.js";
import { inputOf, outputOf, scaleOf, sizeAt, zeroPointOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits, type Sample } from "../spec.js";

export interface BatchMatmulAttrs {
  /** The last two axes of the first input are swapped. */
  readonly adjX: boolean;
  readonly adjY: boolean;
}

/** Steps of a tensor along three batch axes, 0 where it is repeated; `shape` has five axes. */
function batchSteps(shape: readonly number[]): readonly number[] {
  return [0, 1, 2].map((axis) => (shape[axis] === 1 ? 0 : elementsOf(shape.slice(axis + 1))));
}

const padded = (shape: readonly number[]): readonly number[] => [
  ...new Array<number>(5 - shape.length).fill(1),
  ...shape,
];

/** Sizes and steps of the product, as the C params struct has them. */
function geometry(view: NodeView<BatchMatmulAttrs>) {
  const { adjX, adjY } = view.attrs;
  const left = padded(inputOf(view, 0).shape);
  const right = padded(inputOf(view, 1).shape);
  const [lastLeft, lastRight] = [sizeAt(left, 4), sizeAt(right, 4)];
  return {
    batch: [0, 1, 2].map((axis) => (left[axis] === 1 ? sizeAt(right, axis) : sizeAt(left, axis))),
    left_batch: batchSteps(left),
    right_batch: batchSteps(right),
    rows: sizeAt(left, adjX ? 4 : 3),
    columns: sizeAt(right, adjY ? 3 : 4),
    depth: sizeAt(left, adjX ? 3 : 4),
    left_row: adjX ? 1 : lastLeft,
    left_depth: adjX ? lastLeft : 1,
    right_depth: adjY ? 1 : lastRight,
    right_column: adjY ? lastRight : 1,
  };
}

/** The factor of a sum; as in TFLite, the product of the input scales is float32. */
const factor = (view: NodeView<BatchMatmulAttrs>) =>
  quantizeMultiplier(Math.fround(scaleOf(inputOf(view, 0)) * scaleOf(inputOf(view, 1))) / scaleOf(outputOf(view, 0)));

/** Integer rounding as TFLite's reference_ops::BatchMatMul: 32-bit sums for int8, 64-bit ones for int16. */
function finishOf(view: NodeView<BatchMatmulAttrs>): (sum: number) => number {
  const output = outputOf(view, 0);
  if (output.dtype === "float32") return (sum) => sum;
  const { multiplier, shift } = factor(view);
  const rescale = output.dtype === "int8" ? requantize : requantize64;
  const range = rangeOf(output.dtype);
  return (sum) => clamp(rescale(sum, multiplier, shift) + zeroPointOf(output), range.min, range.max);
}

function reference(view: ExecView<BatchMatmulAttrs>): void {
  const g = geometry(view);
  const finish = finishOf(view);
  const [leftZero, rightZero] = [zeroPointOf(inputOf(view, 0)), zeroPointOf(inputOf(view, 1))];
  const [x, y, out] = [view.in[0] as Float32Array, view.in[1] as Float32Array, view.out[0] as Float32Array];
  const [first = 1, second = 1, third = 1] = g.batch;
  const offset = (steps: readonly number[], place: readonly number[]): number =>
    steps.reduce((sum, step, axis) => sum + step * (place[axis] ?? 0), 0);
  let o = 0;
  for (let n = 0; n < first * second * third; n++) {
    const place = [Math.floor(n / (second * third)), Math.floor(n / third) % second, n % third];
    const [l, r] = [offset(g.left_batch, place), offset(g.right_batch, place)];
    for (let row = 0; row < g.rows; row++) {
      for (let column = 0; column < g.columns; column++) {
        let sum = 0;
        for (let k = 0; k < g.depth; k++) {
          const a = (x[l + row * g.left_row + k * g.left_depth] as number) - leftZero;
          sum += a * ((y[r + k * g.right_depth + column * g.right_column] as number) - rightZero);
        }
        out[o++] = finish(sum);
      }
    }
  }
}

function kernel(suffix: string, dtype: DType): Kernel<BatchMatmulAttrs> {
  return {
    name: `portable ${suffix}`,
    form: "whole",
    types: { inputs: [dtype, dtype], outputs: [dtype] },
    call: (view) => {
      const output = outputOf(view, 0);
      const range = rangeOf(dtype);
      const quantized = {
        left_zero: zeroPointOf(inputOf(view, 0)),
        right_zero: zeroPointOf(inputOf(view, 1)),
        out_zero: zeroPointOf(output),
        ...(dtype === "float32" ? {} : factor(view)),
        min: range.min,
        max: range.max,
      };
      return {
        source: `ops/batch_matmul/batch_matmul_${suffix}.h`,
        symbol: `th_batch_matmul_${suffix}`,
        params:
          dtype === "float32"
            ? { type: "th_batch_matmul_f32_params", fields: geometry(view) }
            : { type: "th_batch_matmul_params", fields: { ...geometry(view), ...quantized } },
        args: [
          { kind: "input", index: 0 },
          { kind: "input", index: 1 },
          { kind: "output", index: 0 },
        ],
        scratchBytes: 0,
      };
    },
  };
}

function sample(
  name: string,
  dtype: DType,
  adj: readonly [boolean, boolean],
  left: readonly number[],
  right: readonly number[],
): Sample<BatchMatmulAttrs> {
  const quant = (scale: number, zero: number) => {
    if (dtype === "float32") return {};
    return { quant: dtype === "int8" ? perTensor(scale, zero) : perTensor(scale / 256) };
  };
  return {
    name,
    attrs: { adjX: adj[0], adjY: adj[1] },
    inputs: [
      { shape: left, dtype, ...quant(0.04, -128) },
      { shape: right, dtype, ...quant(0.03, 17) },
    ],
    outputs: [{ dtype, ...quant(0.3, 5) }],
  };
}

export const batchMatmul = defineOp<"BATCH_MATMUL", BatchMatmulAttrs>({
  name: "BATCH_MATMUL",
  summary: "Matrix product, leading axes broadcast",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, parameters: [1] },
  tflite: {
    builtin: 126,
    maxVersion: 4,
    options: { tag: 101, fields: [bool("adjX"), bool("adjY"), bool("asymmetricQuantizeInputs")] },
    decode: (v) => ({ adjX: v.adjX === true, adjY: v.adjY === true }),
    encode: (a) => ({ adjX: a.adjX, adjY: a.adjY, asymmetricQuantizeInputs: false }),
  },
  infer: (view, report) => {
    const [left, right] = [inputOf(view, 0), inputOf(view, 1)];
    const ranks = [2, 3, 4, 5];
    if (!checkRank(left, ranks, report) || !checkRank(right, ranks, report)) return null;
    const [a, b] = [padded(left.shape), padded(right.shape)];
    const fits = [0, 1, 2].every((axis) => a[axis] === b[axis] || a[axis] === 1 || b[axis] === 1);
    if (!checkShape(right, fits, `batch axes that broadcast with [${left.shape.join(", ")}]`, report)) return null;
    const g = geometry(view);
    const inner = sizeAt(b, view.attrs.adjY ? 4 : 3);
    if (!checkShape(right, inner === g.depth, `${g.depth} rows (after transposition)`, report)) return null;
    if (![left, right, outputOf(view, 0)].map((t) => checkPerTensor(t, report)).every(Boolean)) return null;
    const rank = Math.max(left.shape.length, right.shape.length);
    const shape = [...g.batch.slice(5 - rank), g.rows, g.columns];
    return [{ shape, dtype: left.dtype, quant: left.dtype === "float32" ? null : "free" }];
  },
  reference,
  gradient: (view, upstream, e) => {
    const [a, b, dy] = [inputOf(view, 0), inputOf(view, 1), only(upstream)];
    const { adjX, adjY } = view.attrs;
    const da = adjX ? matmul(e, b, dy, { adjX: adjY, adjY: true }) : matmul(e, dy, b, { adjY: !adjY });
    const db = adjY ? matmul(e, dy, a, { adjX: true, adjY: adjX }) : matmul(e, a, dy, { adjX: !adjX });
    return [sumTo(e, da, a.shape), sumTo(e, db, b.shape)];
  },
  ranges: "none",
  channels: "none",
  cost: (view) => {
    const g = geometry(view);
    const outputs = elementsOf(g.batch) * g.rows * g.columns;
    return { macs: outputs * g.depth, operations: outputs };
  },
  kernels: [kernel("s8", "int8"), kernel("s16", "int16"), kernel("f32", "float32")],
  samples: [
    sample("int8", "int8", [false, false], [2, 3, 5], [2, 5, 4]),
    sample("int8, second transposed, repeated", "int8", [false, true], [3, 2, 4, 5], [2, 3, 5]),
    sample("int8, first transposed", "int8", [true, false], [1, 5, 3], [4, 5, 2]),
    sample("int16", "int16", [true, true], [2, 6, 3], [4, 6]),
    sample("float, five axes", "float32", [false, false], [2, 1, 2, 3, 4], [1, 3, 2, 4, 2]),
  ],
});
