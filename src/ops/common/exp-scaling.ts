import { quantizeMultiplier } from "../../base/fixedpoint.js";

/** How differences of int8 values become inputs of the fixed-point exponential. */
export interface ExpScaling {
  /** To Q5.26: multiplier * 2^(shift - 31), shift in [1, 31]. */
  readonly multiplier: number;
  readonly shift: number;
  /** The least difference whose exponential counts; not positive. */
  readonly diffMin: number;
}

/** The largest number of elements whose exponentials a sum with 12 bits before the point holds. */
export const mostExponentials = 4095;

/**
 * The scaling for a factor, the input's scale times beta; the factor must be above 2^-26.
 * Source: PreprocessSoftmaxScaling and CalculateInputRadius of TFLite, with 5 integer bits.
 */
export function expScaling(factor: number): ExpScaling {
  const { multiplier, shift } = quantizeMultiplier(Math.min(factor * 2 ** 26, 2 ** 31 - 1));
  return { multiplier, shift, diffMin: -Math.floor((31 * 2 ** 26) / 2 ** shift) };
}
