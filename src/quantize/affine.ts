import { rangeOf, type TensorData } from "../base/dtype.js";
import { clamp, roundAway } from "../base/fixedpoint.js";
import { perTensor, type Quantization } from "../ir/graph.js";
import type { Interval } from "./observers.js";

/** Element types of activations. */
export type ActivationType = "int8" | "int16";

/** Scales below this are no use: float32 denormals follow. */
const leastScale = 1e-12;

/**
 * Scale and zero point that cover an interval, which holds zero: int8 over [-128, 127] with zero exact, int16 symmetric
 * as TFLite needs it. Source: Jacob et al. 2018, section 2.1.
 */
export function quantizationOf({ min, max }: Interval, dtype: ActivationType): Quantization {
  const range = rangeOf(dtype);
  if (dtype === "int16") return perTensor(Math.max(Math.max(-min, max) / range.max, leastScale));
  if (max - min <= 0) return perTensor(1 / 128);
  const scale = Math.max(Math.fround((max - min) / (range.max - range.min)), leastScale);
  return perTensor(scale, clamp(roundAway(range.min - min / scale), range.min, range.max));
}

/** Real values as integers of a quantization per tensor: rounded half away from zero, limited to the type. */
export function quantizeData(data: ArrayLike<number>, quant: Quantization, dtype: ActivationType): TensorData {
  const [scale = 1] = quant.scales;
  const [zero = 0] = quant.zeroPoints;
  const { min, max } = rangeOf(dtype);
  const to = dtype === "int8" ? new Int8Array(data.length) : new Int16Array(data.length);
  for (let i = 0; i < data.length; i++) to[i] = clamp(roundAway((data[i] as number) / scale) + zero, min, max);
  return to;
}
