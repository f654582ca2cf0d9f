import { roundingDivideByPowerOfTwo, roundingDoublingHighMul } from "../../base/fixedpoint.js";

/**
 * Exponential and reciprocal in fixed point, bit-exact with TFLite's reference kernels (gemmlowp's fixedpoint.h).
 * Every function has a C twin in th_exp.h.
 */

/** exp(-2^(i - 2)) in Q0.31 for i = 0 to 6. */
const factors = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242] as const;

/** exp(a) in Q0.31 for a <= 0 with 5 integer bits (Q5.26), or with fewer. */
export function expOnNegativeValues(a: number, integerBits = 5): number {
  if (a === 0) return 2147483647;
  const quarter = 2 ** (29 - integerBits);
  const fraction = (a & (quarter - 1)) - quarter;
  const remainder = (fraction - a) | 0;
  const x = fraction * 2 ** integerBits + 2 ** 28;
  const x2 = roundingDoublingHighMul(x, x);
  const x3 = roundingDoublingHighMul(x2, x);
  const x4 = roundingDoublingHighMul(x2, x2);
  const third = roundingDoublingHighMul(roundingDivideByPowerOfTwo(x4, 2) + x3, 715827883);
  const tail = roundingDivideByPowerOfTwo(third + x2, 1);
  let result = 1895147668 + roundingDoublingHighMul(1895147668, x + tail);
  factors.slice(0, integerBits + 2).forEach((factor, i) => {
    if (remainder & (quarter << i)) result = roundingDoublingHighMul(result, factor);
  });
  return result;
}

/** x * 2^exponent saturated to int32. */
export const saturatingShiftLeft = (x: number, exponent: number): number =>
  Math.min(Math.max(x * 2 ** exponent, -2147483648), 2147483647);

/** 2 / (1 + a) in Q2.29 for a in [0, 1) in Q0.31: three Newton-Raphson steps. */
function twoOverOnePlusX(a: number): number {
  const halfDenominator = Math.trunc((a + 2147483648) / 2);
  let x = 1515870810 + roundingDoublingHighMul(halfDenominator, -1010580540);
  for (let i = 0; i < 3; i++) {
    const error = 2 ** 29 - roundingDoublingHighMul(halfDenominator, x);
    x += saturatingShiftLeft(roundingDoublingHighMul(x, error), 2);
  }
  return x;
}

/** 1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31. */
export const oneOverOnePlusX = (a: number): number => saturatingShiftLeft(twoOverOnePlusX(a), 1);

/** (1 - a) / (1 + a) in Q0.31 for a in [0, 1) in Q0.31. */
export const oneMinusXOverOnePlusX = (a: number): number => saturatingShiftLeft(twoOverOnePlusX(a) - 2 ** 29, 2);

/** 1 / x as a Q0.31 scale in (1/2, 1] and a right shift; x is an unsigned 32-bit number but 0. */
export function reciprocal(x: number, integerBits: number): { readonly scale: number; readonly bitsOverUnit: number } {
  const headroom = Math.clz32(x);
  return { scale: oneOverOnePlusX((x * 2 ** headroom - 2 ** 31) | 0), bitsOverUnit: integerBits - headroom };
}

/**
 * Natural logarithm of x in Q12.19, x >= 1, as Q5.26: x is brought to [1/2, 1) or [sqrt(1/2), 1) by a power of two,
 * and a rational approximation around 2^(-1/4) does the rest. Source: TFLite's log_x_for_x_greater_than_or_equal_to_1.
 */
export function fixedLog(x: number): number {
  const mul = roundingDoublingHighMul;
  const [fourthRoot, root] = [1805811301, 1518500250];
  const headroom = Math.clz32(x);
  const ra = saturatingShiftLeft(mul(saturatingShiftLeft(x, headroom - 1), root), 1);
  const powerA = saturatingShiftLeft(12 - headroom, 25) + 2 ** 23;
  const headroomB = Math.clz32(mul(x, root)) - 1;
  const rb = saturatingShiftLeft(x, headroomB);
  const powerB = saturatingShiftLeft(12 - headroomB, 25) - 2 ** 23;
  const r = Math.min(ra, rb);
  const p = Math.trunc((r + fourthRoot + 1) / 2);
  const q = 2 * (r - fourthRoot);
  const square = mul(q, q);
  const numerator = mul(q, r) + mul(mul(q, square), 117049297);
  const denominator = mul(p, 1057819769 + q + mul(127690142, square)) + mul(638450708, q);
  const quotient = mul(roundingDivideByPowerOfTwo(numerator, 6), oneOverOnePlusX(denominator));
  return saturatingShiftLeft(mul(Math.max(powerA, powerB), 1488522236) + quotient, 1);
}
