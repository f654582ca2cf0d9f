import { rangeOf } from "../../base/dtype.js";
import { clamp, requantize } from "../../base/fixedpoint.js";
import type { ExecView } from "../spec.js";
import { frames, logTable, type MelBank, type SpectralAttrs, type SpectralTables, spectralScale } from "./spectral.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "./view.js";

/** floor((a * b + c * d) / 2^32) for int32 factors: partial products of at most 48 bits are exact in doubles. */
function highSum(a: number, b: number, c: number, d: number): number {
  const high = a * (b >> 16) + c * (d >> 16);
  const low = a * (b & 0xffff) + c * (d & 0xffff);
  return Math.floor((high + Math.floor(low / 65536)) / 65536);
}

/** Writes window times samples in the order in which the transform begins, and returns how far they can be doubled. */
function load(samples: ArrayLike<number>, from: number, window: number, hann: Int16Array, z: Int32Array): number {
  const points = (z.length - 2) / 2;
  z.fill(0);
  let [bits, reversed] = [0, 0];
  for (let n = 0; n < window; n++) {
    const product = (samples[from + n] as number) * (hann[Math.min(n, window - n)] as number);
    z[2 * reversed + (n & 1)] = product;
    bits |= product < 0 ? ~product : product;
    if ((n & 1) === 0) continue;
    let bit = points >> 1;
    while (reversed & bit) {
      reversed ^= bit;
      bit >>= 1;
    }
    reversed |= bit;
  }
  return bits === 0 ? 0 : Math.clz32(bits) - 2;
}

/** The first two stages, whose factors are 1 and -i. */
function firstStages(z: Int32Array, shift: number): void {
  for (let i = 0; i < z.length - 2; i += 8) {
    const at = (k: number): number => ((z[i + k] as number) << shift) >> 2;
    const [ar, ai, br, bi, cr, ci, dr, di] = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];
    const [sr, si, tr, ti] = [ar + br, ai + bi, ar - br, ai - bi];
    const [ur, ui, vr, vi] = [cr + dr, ci + di, cr - dr, ci - di];
    z[i] = sr + ur;
    z[i + 1] = si + ui;
    z[i + 2] = tr + vi;
    z[i + 3] = ti - vr;
    z[i + 4] = sr - ur;
    z[i + 5] = si - ui;
    z[i + 6] = tr - vi;
    z[i + 7] = ti + vr;
  }
}

/** Further stages, each halving: butterflies of distance `h`, and, with a factor of -i more, those a quarter turn on. */
function furtherStages(z: Int32Array, twiddles: Int32Array): void {
  const points = (z.length - 2) / 2;
  for (let h = 4; h < points; h *= 2) {
    const step = (2 * points) / h;
    for (let k = 0; k < h / 2; k++) {
      const [c, s] = [twiddles[k * step] as number, twiddles[k * step + 1] as number];
      for (let i = 2 * k; i < 2 * points; i += 4 * h) {
        const [j, m] = [i + 2 * h, i + h];
        const n = m + 2 * h;
        const [br, bi] = [z[j] as number, z[j + 1] as number];
        const [tr, ti] = [highSum(br, c, bi, s), highSum(bi, c, -br, s)];
        const [ar, ai] = [(z[i] as number) >> 1, (z[i + 1] as number) >> 1];
        z[i] = ar + tr;
        z[i + 1] = ai + ti;
        z[j] = ar - tr;
        z[j + 1] = ai - ti;
        const [dr, di] = [z[n] as number, z[n + 1] as number];
        const [ur, ui] = [highSum(dr, c, di, s), highSum(di, c, -dr, s)];
        const [er, ei] = [(z[m] as number) >> 1, (z[m + 1] as number) >> 1];
        z[m] = er + ui;
        z[m + 1] = ei - ur;
        z[n] = er - ui;
        z[n + 1] = ei + ur;
      }
    }
  }
}

/** From the transform of even and odd samples as real and imaginary parts to that of all, for bins 0 to fft / 2. */
function separate(z: Int32Array, twiddles: Int32Array): void {
  const points = (z.length - 2) / 2;
  const [r, i] = [(z[0] as number) >> 1, (z[1] as number) >> 1];
  z[2 * points] = r - i;
  z[2 * points + 1] = 0;
  z[0] = r + i;
  z[1] = 0;
  for (let k = 1; k <= points / 2; k++) {
    const [a, b] = [2 * k, 2 * (points - k)];
    const [ar, ai, br, bi] = [z[a], z[a + 1], z[b], z[b + 1]].map((v) => (v as number) >> 1) as [
      number,
      number,
      number,
      number,
    ];
    const [sr, si, dr, di] = [(ar + br) >> 1, (ai - bi) >> 1, ar - br, ai + bi];
    const [c, s] = [twiddles[a] as number, twiddles[a + 1] as number];
    const [tr, ti] = [highSum(dr, c, di, s), highSum(di, c, -dr, s)];
    z[a] = sr + ti;
    z[a + 1] = si - tr;
    z[b] = sr - ti;
    z[b + 1] = -si - tr;
  }
}

/**
 * The transform of a frame in place: z holds bins 0 to fft / 2 of DFT(window * samples * 2^shift) / fft as pairs. Every
 * stage halves, so nothing overflows; 31 bits are enough for all that is lost.
 */
export function spectrum(
  samples: ArrayLike<number>,
  from: number,
  window: number,
  { hann, twiddles }: SpectralTables,
  z: Int32Array,
): number {
  const shift = load(samples, from, window, hann, z);
  firstStages(z, shift);
  furtherStages(z, twiddles);
  separate(z, twiddles);
  return shift;
}

const bitsOf = (v: number): number => (v >= 2 ** 32 ? 64 - Math.clz32(v / 2 ** 32) : 32 - Math.clz32(v));

/**
 * log2 of high * 2^24 + low in 16 bits after the point, the sum below 2^64 and not 0; from a table of 64 intervals.
 * The sums are exact in doubles: low < 2^50, high < 2^50.
 */
function logarithm(high: number, low: number): number {
  const h = high + Math.floor(low / 2 ** 24);
  const l = low % 2 ** 24;
  const exponent = h > 0 ? 23 + bitsOf(h) : bitsOf(l) - 1;
  // The number with its leading one at bit 31, lower bits dropped.
  const drop = 31 - exponent;
  const top =
    drop >= 0
      ? (h * 2 ** 24 + l) * 2 ** drop
      : drop >= -24
        ? h * 2 ** (24 + drop) + Math.floor(l * 2 ** drop)
        : Math.floor(h * 2 ** (24 + drop));
  const fraction = top - 2 ** 31;
  const table = logTable();
  const i = fraction >>> 25;
  const from = table[i] as number;
  const between = (((table[i + 1] as number) - from) * ((fraction >>> 10) & 0x7fff)) >> 15;
  return exponent * 65536 + (((fraction >>> 13) + from + between) >> 2);
}

/** A level as it leaves: relative to the middle of the range, and not below its low end. */
export const level = (high: number, low: number, add: number, half: number): number =>
  high === 0 && low === 0 ? -half : Math.max(logarithm(high, low) + add, 0) - half;

/** Power of bin k in 48 bits. */
export function powerOf(z: Int32Array, k: number): number {
  const [r, i] = [(z[2 * k] as number) >> 6, (z[2 * k + 1] as number) >> 6];
  return r * r + i * i;
}

/** Levels of the filters. Sums are kept as high * 2^24 + low. */
function melLevels(
  z: Int32Array,
  { first, ends, rising }: MelBank,
  add: number,
  half: number,
  levels: Int32Array,
): void {
  let [keptHigh, keptLow, k] = [0, 0, first];
  for (let i = 0; i < ends.length; i++) {
    let [fallHigh, fallLow, riseHigh, riseLow] = [keptHigh, keptLow, 0, 0];
    for (; k < (ends[i] as number); k++) {
      const power = powerOf(z, k);
      const high = Math.floor(power / 2 ** 24);
      const low = power - high * 2 ** 24;
      const weight = rising[k - first] as number;
      riseHigh += weight * high;
      riseLow += weight * low;
      fallHigh += (32768 - weight) * high;
      fallLow += (32768 - weight) * low;
    }
    if (i > 0) levels[i - 1] = level(fallHigh, fallLow, add, half);
    [keptHigh, keptLow] = [riseHigh, riseLow];
  }
}

/** What is made of the bins of a frame. */
export type SpectralKind =
  | { readonly kind: "bins" }
  | { readonly kind: "mel"; readonly bank: MelBank; readonly dct: Int16Array | null };

/** sum over m of levels[m] * dct[row][m], rounded. */
function transformed(levels: Int32Array, dct: Int16Array, row: number): number {
  let sum = 0;
  for (let m = 0; m < levels.length; m++) {
    sum += (levels[m] as number) * (dct[row * levels.length + m] as number);
  }
  return Math.floor((sum + 2 ** 14) / 2 ** 15);
}

/** What attributes alone determine. */
export interface PreparedSpectra {
  readonly tables: SpectralTables;
  readonly kind: SpectralKind;
}

/** The definition of the operators over spectra; the C kernels give the same bits. */
export function spectralReference(view: ExecView<SpectralAttrs>, { tables, kind }: PreparedSpectra): void {
  const { attrs } = view;
  const input = inputOf(view, 0);
  const output = outputOf(view, 0);
  const { count } = frames(attrs, sizeAt(input.shape, 1));
  const samples = view.in[0] as Int16Array;
  const out = view.out[0] as Float32Array;
  const { half } = tables;
  const { multiplier, shift: scaleShift, factor } = spectralScale(view, half);
  const { min, max } = rangeOf(output.dtype);
  const zero = zeroPointOf(output);
  const isFloat = output.dtype === "float32";
  const finish = (v: number): number =>
    isFloat ? Math.fround(Math.fround(v) * factor) : clamp(requantize(v, multiplier, scaleShift) + zero, min, max);

  const z = new Int32Array(attrs.fft + 2);
  const bins = attrs.fft / 2 + 1;
  const levels = new Int32Array(kind.kind === "mel" ? kind.bank.ends.length - 1 : bins);
  const outputs = kind.kind === "mel" && kind.dct !== null ? kind.dct.length / levels.length : levels.length;
  for (let frame = 0, o = 0; frame < count; frame++) {
    const shift = spectrum(samples, frame * attrs.hop, attrs.window, tables, z);
    const add = tables.offset - shift * 2 * 65536;
    if (kind.kind === "mel") melLevels(z, kind.bank, add, half, levels);
    else {
      for (let k = 0; k < bins; k++) {
        const power = powerOf(z, k);
        const high = Math.floor(power / 2 ** 24);
        levels[k] = level(high * 32768, (power - high * 2 ** 24) * 32768, add, half);
      }
    }
    for (let i = 0; i < outputs; i++, o++) {
      const value = kind.kind === "mel" && kind.dct !== null ? transformed(levels, kind.dct, i) : (levels[i] as number);
      out[o] = finish(value);
    }
  }
}
