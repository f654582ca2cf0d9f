import {
  clamp,
  type QuantizedMultiplier,
  quantizeMultiplier,
  roundingDivideByPowerOfTwo,
} from "../../base/fixedpoint.js";
import { type NodeView, perTensor, tensorName } from "../../ir/graph.js";
import { add, inRange, minusFrom, mul, scalar, scale } from "../common/gradients.js";
import type { ElementMap } from "../common/lut.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { defineUnary, floatKernel, inferUnary, unarySample } from "../common/unary.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "../common/view.js";

/** A float factor as a 15-bit multiplier and a shift. Source: DownScaleInt32ToInt16Multiplier. */
function multiplier15(factor: number): QuantizedMultiplier {
  const { multiplier, shift } = quantizeMultiplier(Math.fround(factor));
  return { multiplier: multiplier >= 2147483647 - 32768 ? 32767 : (multiplier + 32768) >> 16, shift };
}

/** Factors from the input, shifted left by 7, to the output and to [-3, 3] as 16 bits. */
function multipliers(view: NodeView<Empty>) {
  const fine = scaleOf(inputOf(view, 0)) / 128;
  return { output: multiplier15(fine / scaleOf(outputOf(view, 0))), relu: multiplier15(fine / Math.fround(3 / 32768)) };
}

const saturate16 = (x: number): number => clamp(x, -32768, 32767);

/** (a * b) / 2^15 to nearest. */
const roundedProduct = (a: number, b: number): number => saturate16((a * b + 2 ** 14) >> 15);

/** Source: TFLM's hard_swish_common.cc and reference_ops::HardSwish, 16-bit fixed point throughout. */
function hardSwishMap(view: NodeView<Empty>): ElementMap {
  const { output, relu } = multipliers(view);
  const [zero, outZero] = [zeroPointOf(inputOf(view, 0)), zeroPointOf(outputOf(view, 0))];
  return (x) => {
    const fine = (x - zero) * 128;
    let gate = fine;
    // The last bit of a left shift comes after the multiplication, so that only it can saturate for good.
    if (relu.shift > 0) gate = saturate16(gate * 2 ** (relu.shift - 1));
    gate = roundedProduct(gate, relu.multiplier);
    if (relu.shift > 0) gate = saturate16(gate * 2);
    if (relu.shift < 0) gate = roundingDivideByPowerOfTwo(gate, -relu.shift);
    const share = (gate + 32768) >> 1;
    const product = Math.trunc((share * roundedProduct(fine, output.multiplier)) / 32768);
    const value = ((roundingDivideByPowerOfTwo(product, -output.shift) + outZero) << 16) >> 16;
    return clamp(value, -128, 127);
  };
}

export const hardSwish = defineUnary<"HARD_SWISH", Empty>({
  name: "HARD_SWISH",
  summary: "x * relu6(x + 3) / 6",
  tflite: emptyBinding(117, 1, 91),
  float: () => (x) => (x * clamp(x + 3, 0, 6)) / 6,
  floatKernel: floatKernel("hard_swish"),
  int8: hardSwishMap,
  int16: "none",
  infer: (view, report) => {
    const inferred = inferUnary(view, report);
    if (inferred === null || inputOf(view, 0).dtype !== "int8" || multipliers(view).output.shift <= 0) return inferred;
    report("TH2006", {
      where: [tensorName(outputOf(view, 0))],
      found: `scale ${scaleOf(outputOf(view, 0))}`,
      expected: `at least 1/128 of the input's, ${scaleOf(inputOf(view, 0))}`,
      fix: "quantize the model again with representative data",
    });
    return null;
  },
  gradient: (e, { x, dy }) => {
    const slope = mul(e, inRange(e, x, -3, 3), add(e, scale(e, x, 1 / 3), scalar(e, 0.5)));
    // At 3 and above the derivative is 1.
    return mul(e, dy, add(e, slope, minusFrom(e, 1, inRange(e, x, -Infinity, 3))));
  },
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.05, -3), perTensor(0.04, -110)]),
    unarySample<Empty>({}, "int8", [perTensor(0.5, 10), perTensor(0.3, -128)]),
    unarySample<Empty>({}, "int8", [perTensor(0.003, 127), perTensor(0.01, 0)]),
    unarySample<Empty>({}, "float32", null, [-5, 5]),
  ],
});
