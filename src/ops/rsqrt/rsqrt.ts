import { rangeOf } from "../../base/dtype.js";
import {
  clamp,
  quantizeMultiplier,
  requantize,
  roundingDivideByPowerOfTwo,
  roundingDoublingHighMul,
} from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { saturatingShiftLeft } from "../common/fixed-exp.js";
import { mul, scale } from "../common/gradients.js";
import type { ElementMap } from "../common/lut.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, unarySample } from "../common/unary.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "../common/view.js";

/**
 * 1 / sqrt(x) as multiplier * 2^(shift - 31), for an integer x in [1, 2^29): five Newton-Raphson steps in Q3.28.
 * Source: TFLite's GetInvSqrtQuantizedMultiplierExp.
 */
export function inverseSqrt(x: number): { readonly multiplier: number; readonly shift: number } {
  if (x <= 1) return { multiplier: 2147483647, shift: 0 };
  const pairs = Math.floor((Math.clz32(x) - 1) / 2) - 1;
  const input = (x * 4 ** pairs) >> 1;
  const half = roundingDivideByPowerOfTwo(input, 1);
  let y = 2 ** 28;
  for (let i = 0; i < 5; i++) {
    const square = roundingDoublingHighMul(y, y);
    const cube = saturatingShiftLeft(roundingDoublingHighMul(square, y), 6);
    y = saturatingShiftLeft(roundingDoublingHighMul(2 ** 28 + 2 ** 27, y) - roundingDoublingHighMul(half, cube), 3);
  }
  const multiplier = roundingDoublingHighMul(y, 1518500250);
  const right = 11 - pairs;
  return right < 0 ? { multiplier: multiplier * 2 ** -right, shift: 0 } : { multiplier, shift: -right };
}

/** Fractional bits of the intermediate result. */
const bits = 20;

/** Source: TFLM's elementwise.cc, RsqrtEvalQuantized; inputs below the zero point, which TFLM rejects, count as zero. */
function rsqrtMap(view: NodeView<Empty>): ElementMap {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const { min, max } = rangeOf(output.dtype);
  const { multiplier, shift } = quantizeMultiplier(1 / (Math.sqrt(scaleOf(input)) * scaleOf(output)));
  return (x) => {
    const value = x - zeroPointOf(input);
    if (value <= 0) return max;
    const inverse = inverseSqrt(value);
    const data = requantize(1, inverse.multiplier, inverse.shift + bits);
    const scaled = shift - bits < -31 ? 0 : requantize(data, multiplier, shift - bits);
    return clamp(scaled + zeroPointOf(output), min, max);
  };
}

export const rsqrt = defineUnary<"RSQRT", Empty>({
  name: "RSQRT",
  summary: "1 / square root",
  tflite: emptyBinding(76, 3, 0),
  float: () => (x) => 1 / Math.sqrt(x),
  floatKernel: floatKernel("rsqrt"),
  int8: rsqrtMap,
  int16: "none",
  gradient: (e, { y, dy }) => scale(e, mul(e, dy, mul(e, y, mul(e, y, y))), -0.5),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.1, -128), perTensor(0.02, -128)]),
    unarySample<Empty>({}, "int8", [perTensor(0.01, 5), perTensor(0.05, 3)]),
    unarySample<Empty>({}, "float32", null, [0.01, 50]),
  ],
});
