import { elementsOf } from "../../base/dtype.js";
import { frexp, requantize, roundAway, roundingDivideByPowerOfTwo } from "../../base/fixedpoint.js";
import { type NodeView, type Tensor, tensorName } from "../../ir/graph.js";
import type { Kernel, OutputType, Report } from "../spec.js";
import { expOnNegativeValues, oneMinusXOverOnePlusX, oneOverOnePlusX } from "./fixed-exp.js";
import type { ElementMap } from "./lut.js";
import type { Empty } from "./options.js";
import { inferUnary } from "./unary.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "./view.js";

/** LOGISTIC and TANH: the parts that they share, in the fixed-point arithmetic of the TFLite reference kernels. */
export type Sigmoid = "logistic" | "tanh";

/** 1 / (1 + exp(-a)) in Q0.31 for a in Q4.27: gemmlowp's logistic. */
export function fixedLogistic(a: number): number {
  if (a === 0) return 2 ** 30;
  const positive = oneOverOnePlusX(expOnNegativeValues(-Math.abs(a), 4));
  return a > 0 ? positive : 2147483647 - positive;
}

/** tanh(a) in Q0.31 for a in Q4.27: gemmlowp's tanh. The same bits read as Q5.26 are twice a. */
export function fixedTanh(a: number): number {
  if (a === 0) return 0;
  const magnitude = oneMinusXOverOnePlusX(expOnNegativeValues(-Math.abs(a)));
  return a > 0 ? magnitude : -magnitude;
}

/** The largest input difference that four integer bits hold after the multiplier. Source: CalculateInputRadius. */
const inputRadius = (shift: number): number => Math.floor((15 * 2 ** 27) / 2 ** shift);

/** Source: reference_integer_ops::Logistic and Tanh of 8 bits with TFLM's Prepare; the output scale is fixed. */
export function sigmoidMap8(view: NodeView<unknown>, kind: Sigmoid): ElementMap {
  const zero = zeroPointOf(inputOf(view, 0));
  const { fraction, exponent } = frexp(scaleOf(inputOf(view, 0)) * 2 ** 27);
  const multiplier = roundAway(fraction * 2 ** 31);
  const radius = inputRadius(exponent);
  return (x) => {
    const input = x - zero;
    if (input <= -radius) return -128;
    if (input >= radius) return 127;
    const scaled = exponent < -31 ? 0 : requantize(input, multiplier, exponent);
    return kind === "logistic"
      ? Math.min(roundingDivideByPowerOfTwo(fixedLogistic(scaled), 23) - 128, 127)
      : Math.min(roundingDivideByPowerOfTwo(fixedTanh(scaled), 24), 127);
  };
}

/**
 * sigmoid(i / 24) in Q0.16, i from 0 to 255: the table of TFLite's 16-bit kernels, whose published entries lie one
 * above the nearest integer at these indices.
 */
const raised: readonly number[] = [
  4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50,
  54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
];

/** The table as the kernels take it; unsigned 16-bit values in the bits of an int16 array. */
export const sigmoidTable: Int16Array = Int16Array.from(
  { length: 256 },
  (_, i) => Math.round(65536 / (1 + Math.exp(-i / 24))) + (raised.includes(i) ? 1 : 0),
);

export interface SigmoidScale {
  readonly multiplier: number;
  readonly shift: number;
}

/** TFLite takes a scale as a power of two if its logarithm is within 0.001 of an integer (CheckedLog2). */
function nearPowerOfTwo(scale: number): boolean {
  const log2 = Math.log2(scale);
  return Math.abs(log2 - Math.round(log2)) < 1e-3;
}

/**
 * Factor and right shift that bring a 16-bit input to 1/3 of 1/4096. A power of two that the table takes directly is
 * exact; others are truncated to 15 bits. Source: TFLM's LogisticPrepare and TanhPrepare.
 */
export function sigmoidScale16(view: NodeView<unknown>, kind: Sigmoid): SigmoidScale {
  const scale = scaleOf(inputOf(view, 0));
  const exact = 12 + Math.round(Math.log2(scale));
  if (nearPowerOfTwo(scale) && (exact === 0 || (exact === 1 && kind === "tanh"))) {
    return { multiplier: 3 * 2 ** exact, shift: 0 };
  }
  let multiplier = scale * 4096 * 3;
  let shift = 0;
  while (multiplier <= 32767 / 2 && shift <= 30) {
    shift++;
    multiplier *= 2;
  }
  return { multiplier: Math.trunc(multiplier), shift };
}

/** Source: reference_integer_ops::Logistic and Tanh of 16 bits; bit-exact with th_logistic_s16 and th_tanh_s16. */
export const sigmoidMap16 = (view: NodeView<unknown>, kind: Sigmoid): ElementMap =>
  sigmoidCurve16(sigmoidScale16(view, kind), kind);

/** The 16-bit function of an input with the given scaling, for operators that apply it to inner values. */
export function sigmoidCurve16({ multiplier, shift }: SigmoidScale, kind: Sigmoid): ElementMap {
  const entry = (i: number): number => (sigmoidTable[i] as number) & 0xffff;
  const half = shift > 0 ? 2 ** (shift - 1) : 0;
  return (x) => {
    const input = Math.floor((x * multiplier + half) / 2 ** shift);
    const magnitude = Math.abs(input);
    const bits = kind === "logistic" ? 9 : 8;
    const index = magnitude >> bits;
    const between = magnitude & (2 ** bits - 1);
    const interpolated = entry(index) * 2 ** bits + between * (entry(index + 1) - entry(index));
    if (kind === "logistic") {
      const value = index >= 255 ? 0x7fff << 10 : interpolated;
      return (input >= 0 ? value + 512 : 2 ** 25 - value + 511) >> 10;
    }
    const value = (index >= 255 ? 0xffff << 8 : interpolated) - 2 ** 23;
    return (input >= 0 ? value + 128 : -value + 127) >> 8;
  };
}

/** Reports a quantization that the fixed-point kernels do not have. */
function reportQuantization(tensor: Tensor, expected: string, report: Report): null {
  report("TH2006", {
    where: [tensorName(tensor)],
    found: `scale ${scaleOf(tensor)}, zero point ${zeroPointOf(tensor)}`,
    expected,
    fix: "quantize the model again with a current TFLite converter and representative data",
  });
  return null;
}

/** The input's shape; input and output quantized as the fixed-point kernels need it. */
export function inferSigmoid(view: NodeView<unknown>, kind: Sigmoid, report: Report): readonly OutputType[] | null {
  const inferred = inferUnary(view, report);
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  if (inferred === null || output.dtype === "float32") return inferred;
  const scale = scaleOf(output);
  if (output.dtype === "int16") {
    if (!nearPowerOfTwo(scale) || Math.round(Math.log2(scale)) !== -15)
      return reportQuantization(output, "scale 1/32768", report);
    // The factor to table units must fit 15 bits.
    return scaleOf(input) * 4096 * 3 <= 32767 ? inferred : reportQuantization(input, "a scale below 2.6", report);
  }
  const [denominator, zeroPoint] = kind === "logistic" ? [256, -128] : [128, 0];
  if (scale === 1 / denominator && zeroPointOf(output) === zeroPoint) return inferred;
  return reportQuantization(output, `scale 1/${denominator}, zero point ${zeroPoint}`, report);
}

/** The int16 kernel: the table and the input's factor. */
export const sigmoidKernel16 = (kind: Sigmoid): Kernel<Empty> => ({
  name: "table s16",
  form: "slice",
  types: { inputs: ["int16"], outputs: ["int16"] },
  call: (view) => ({
    source: "ops/common/sigmoid_s16.h",
    symbol: `th_${kind}_s16`,
    params: {
      type: "th_sigmoid_s16_params",
      fields: { n: elementsOf(inputOf(view, 0).shape), ...sigmoidScale16(view, kind) },
    },
    args: [
      { kind: "input", index: 0 },
      { kind: "constant", label: "sigmoid", dtype: "int16", data: sigmoidTable },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});
