/**
 * Fixed-point arithmetic exactly as the TFLite reference kernels do it (gemmlowp's fixedpoint.h; Jacob et al. 2018,
 * section 2.2). Every function here has a C twin in `ops/common/th_fixedpoint.h`, and both are tested to agree.
 */

/** A real factor as multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0. */
export interface QuantizedMultiplier {
  readonly multiplier: number;
  readonly shift: number;
}

const buffer = new DataView(new ArrayBuffer(8));

/** Splits a finite double into a fraction in [0.5, 1) and an exponent of two, as C's frexp. */
export function frexp(value: number): { readonly fraction: number; readonly exponent: number } {
  if (value === 0 || !Number.isFinite(value)) return { fraction: value, exponent: 0 };
  buffer.setFloat64(0, value);
  const biased = (buffer.getUint32(0) >>> 20) & 0x7ff;
  if (biased === 0) {
    const scaled = frexp(value * 2 ** 64);
    return { fraction: scaled.fraction, exponent: scaled.exponent - 64 };
  }
  buffer.setUint32(0, ((buffer.getUint32(0) & 0x800fffff) | (1022 << 20)) >>> 0);
  return { fraction: buffer.getFloat64(0), exponent: biased - 1022 };
}

/** Rounds half away from zero, as C's round() and TFLite's TfLiteRound. */
export const roundAway = (value: number): number => (value < 0 ? -Math.floor(-value + 0.5) : Math.floor(value + 0.5));

/** Limits an integer to [low, high]. */
export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/**
 * TFLite's QuantizeMultiplier: a non-negative real factor as Q31 multiplier and shift (positive shifts left).
 * Factors below 2^-32 become 0, those of 2^30 and more the largest representable one.
 */
export function quantizeMultiplier(factor: number): QuantizedMultiplier {
  if (factor === 0) return { multiplier: 0, shift: 0 };
  const { fraction, exponent } = frexp(factor);
  let multiplier = roundAway(fraction * 2 ** 31);
  let shift = exponent;
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift++;
  }
  if (shift < -31) return { multiplier: 0, shift: 0 };
  if (shift > 30) return { multiplier: 2147483647, shift: 30 };
  return { multiplier, shift };
}

/** floor((a * b + 2^30) / 2^31) for int32 a and b: gemmlowp's SaturatingRoundingDoublingHighMul. */
export function roundingDoublingHighMul(a: number, b: number): number {
  if (a === -2147483648 && b === -2147483648) return 2147483647;
  // Two exact partial products: a double has 53 bits, the full product needs 62.
  const high = a * (b >> 16);
  const low = a * (b & 0xffff) + 0x40000000;
  return Math.floor((high + Math.floor(low / 65536)) / 32768);
}

/** x / 2^exponent rounded to nearest, ties away from zero; exponent in [0, 31]. */
export function roundingDivideByPowerOfTwo(x: number, exponent: number): number {
  if (exponent === 0) return x;
  const mask = exponent === 31 ? 0x7fffffff : (1 << exponent) - 1;
  const remainder = x & mask;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/**
 * Rescales an int32 accumulator by multiplier * 2^(shift - 31), rounding twice as TFLite does.
 * The left shift wraps at 32 bits as it does on every device; TFLite leaves that case undefined.
 * Bit-exact with `th_requantize` in `ops/common/th_fixedpoint.h`.
 */
export function requantize(x: number, multiplier: number, shift: number): number {
  const left = shift > 0 ? x << shift : x;
  return roundingDivideByPowerOfTwo(roundingDoublingHighMul(left, multiplier), shift > 0 ? 0 : -shift);
}

/**
 * Rescales a 64-bit accumulator (|x| < 2^47) as TFLite's int64 MultiplyByQuantizedMultiplier: the multiplier is
 * reduced to 15 bits and the result rounded once, half up. Used by the 16x8 kernels with 64-bit bias.
 */
export function requantize64(x: number, multiplier: number, shift: number): number {
  const reduced = multiplier < 0x7fff0000 ? (multiplier + 0x8000) >> 16 : 0x7fff;
  const totalShift = 15 - shift;
  const product = x * reduced;
  if (Math.abs(product) < 2 ** 52) return Math.floor((product + 2 ** (totalShift - 1)) / 2 ** totalShift);
  const exact = BigInt(x) * BigInt(reduced) + (1n << BigInt(totalShift - 1));
  return Number(BigInt.asIntN(32, exact >> BigInt(totalShift)));
}
