import { type QuantizedMultiplier, quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import type { NodeView } from "../../ir/graph.js";
import type { Kernel } from "../spec.js";
import { limit, type Range } from "./activation.js";
import type { ElementMap } from "./lut.js";
import { unaryKernel } from "./unary.js";
import { inputOf, outputOf, zeroPointOf } from "./view.js";

/** How an operator scales and clamps quantized values: apart above and below the input's zero point. */
export interface Rescale {
  readonly positive: QuantizedMultiplier;
  readonly negative: QuantizedMultiplier;
  readonly range: Range;
}

/** The multiplier -factor: what makes a negative input positive. */
export const negated = (m: QuantizedMultiplier): QuantizedMultiplier => ({ ...m, multiplier: -m.multiplier });

/** One multiplier for both sides. */
export function evenRescale(factor: number, range: Range): Rescale {
  const multiplier = quantizeMultiplier(factor);
  return { positive: multiplier, negative: multiplier, range };
}

/** The integer map; bit-exact with th_rescale_s16. */
export function rescaleMap(view: NodeView<unknown>, rescale: Rescale): ElementMap {
  const [zero, outZero] = [zeroPointOf(inputOf(view, 0)), zeroPointOf(outputOf(view, 0))];
  return (x) => {
    const side = x >= zero ? rescale.positive : rescale.negative;
    return limit((requantize(x - zero, side.multiplier, side.shift) + outZero) | 0, rescale.range);
  };
}

/** The int16 kernel of a rescaling operator. */
export const rescaleKernel = <A>(rescaleOf: (view: NodeView<A>) => Rescale): Kernel<A> =>
  unaryKernel("int16", "ops/common/rescale_s16.h", "th_rescale_s16", {
    type: "th_rescale_params",
    fields: (view) => {
      const { positive, negative, range } = rescaleOf(view);
      return {
        in_zero: zeroPointOf(inputOf(view, 0)),
        out_zero: zeroPointOf(outputOf(view, 0)),
        multiplier: positive.multiplier,
        shift: positive.shift,
        negative_multiplier: negative.multiplier,
        negative_shift: negative.shift,
        min: range.min,
        max: range.max,
      };
    },
  });

/** The two halves of a rescaling operator's record. */
export const rescaling = <A>(rescaleOf: (view: NodeView<A>) => Rescale) => ({
  int8: (view: NodeView<A>): ElementMap => rescaleMap(view, rescaleOf(view)),
  int16: {
    map: (view: NodeView<A>): ElementMap => rescaleMap(view, rescaleOf(view)),
    kernel: rescaleKernel(rescaleOf),
  },
});
