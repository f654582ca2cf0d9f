import { elementsOf } from "../../base/dtype.js";
import { broadcastShape, forEachPair } from "../common/broadcast.js";
import { checkOption, checkShape } from "../common/checks.js";
import { elementCost } from "../common/cost.js";
import { div, inRange, mul, only, scale as scaled, sub, sumTo, unary } from "../common/gradients.js";
import { inputOf } from "../common/view.js";
import { defineOp, noTraits } from "../spec.js";

export interface FakeQuantizeAttrs {
  /** The integers that there are, both ends included. */
  readonly low: number;
  readonly high: number;
  /** The integer that stands for zero, in [low, high]. */
  readonly zeroPoint: number;
}

/** To the nearest integer, halves to the even one, as ONNX rounds. */
const roundEven = (x: number): number => {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
};

/**
 * What integers would make of real values, in float32, for training with quantization in the loop (Jacob et al. 2018):
 * y = scale * (clamp(round(x / scale) + zeroPoint, low, high) - zeroPoint).
 *
 * Inputs: x, and the natural logarithm of the scale, of a shape that broadcasts to x's: a step of training then changes a
 * scale by a part of itself (Jain et al. 2020, "Trained quantization thresholds"). The gradient of x passes straight
 * through where x is in range (Bengio et al. 2013); that of the scale is Esser et al. 2020, "Learned step size
 * quantization", equation 3, with their factor 1 / sqrt(elements of x to each scale * (high - zeroPoint)).
 */
export const fakeQuantize = defineOp<"FAKE_QUANTIZE", FakeQuantizeAttrs>({
  name: "FAKE_QUANTIZE",
  summary: "Real values as integers would hold them (training)",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, elementwise: true, parameters: [0, 1] },
  tflite: "none",
  infer: (view, report) => {
    const [x, scale] = [inputOf(view, 0), inputOf(view, 1)];
    const { low, high, zeroPoint } = view.attrs;
    const isInside = low < high && zeroPoint >= low && zeroPoint <= high;
    if (!checkOption(isInside, "zeroPoint", zeroPoint, `between ${low} and ${high}`, report)) return null;
    const fits = broadcastShape(scale.shape, x.shape)?.join() === x.shape.join();
    if (!checkShape(scale, fits, `a shape that broadcasts to [${x.shape.join(", ")}]`, report)) return null;
    return [{ shape: x.shape, dtype: "float32", quant: null }];
  },
  reference: (view) => {
    const [x, s, y] = [view.in[0] as Float32Array, view.in[1] as Float32Array, view.out[0] as Float32Array];
    const { low, high, zeroPoint } = view.attrs;
    const { shape } = inputOf(view, 0);
    forEachPair(shape, inputOf(view, 1).shape, shape, (at, from, scaleAt) => {
      const step = Math.fround(Math.exp(s[scaleAt] as number));
      const integer = roundEven((x[from] as number) / step) + zeroPoint;
      y[at] = step * (Math.min(Math.max(integer, low), high) - zeroPoint);
    });
  },
  gradient: (view, upstream, e) => {
    const [x, scale] = [inputOf(view, 0), inputOf(view, 1)];
    const { low, high, zeroPoint } = view.attrs;
    const [y] = view.outputs;
    const dy = only(upstream);
    const step = unary(e, "EXP", scale);
    const ratio = div(e, x, step);
    const inside = inRange(e, ratio, low - zeroPoint - 0.5, high - zeroPoint + 0.5);
    const dx = mul(e, dy, inside);
    if (y === undefined) return [dx, null];
    // Inside: rounded less not rounded; outside: the end.
    const slope = sub(e, div(e, y, step), mul(e, ratio, inside));
    const count = elementsOf(x.shape) / elementsOf(scale.shape);
    const factor = 1 / Math.sqrt(count * Math.max(1, high - zeroPoint));
    return [dx, scaled(e, mul(e, step, sumTo(e, mul(e, dy, slope), scale.shape)), factor)];
  },
  ranges: "none",
  channels: "none",
  cost: elementCost(4),
  kernels: [],
  samples: [
    {
      name: "activations",
      attrs: { low: -128, high: 127, zeroPoint: -20 },
      inputs: [
        { shape: [1, 3, 4, 5], dtype: "float32", range: [-3, 3] },
        { shape: [1], dtype: "float32", constant: [Math.log(0.02)] },
      ],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "weights of four bits",
      attrs: { low: -7, high: 7, zeroPoint: 0 },
      inputs: [
        { shape: [3, 2, 2, 2], dtype: "float32", constant: "random" },
        { shape: [3, 1, 1, 1], dtype: "float32", constant: [0.1, 0.05, 0.2].map(Math.log) },
      ],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
