import { quantizeMultiplier } from "../../base/fixedpoint.js";
import { lazy } from "../../base/lazy.js";
import type { NodeView } from "../../ir/graph.js";
import type { Report } from "../spec.js";
import { checkOption, checkRank, checkShape } from "./checks.js";
import { inputOf, outputOf, scaleOf, sizeAt } from "./view.js";

/**
 * What all operators over spectra of sound have in common. Sound is int16 [1, units, 1, unit], where a unit is as many
 * samples as divide both the window and the hop, so that a frame is a window over rows.
 *
 * A frame is weighted by a periodic Hann window h and transformed: X = DFT(h * x / 32768) * 2 / sum(h), in which a sine of
 * full scale has magnitude 1. A level is 10 * log10 of power, at least `lowDb`; what leaves the operator is
 * (level - lowDb) / (highDb - lowDb) * 2 - 1, so -1 at `lowDb` and 1 at `highDb`.
 */
export interface SpectralAttrs {
  /** Samples in a second. */
  readonly sampleRate: number;
  /** Samples of a frame, and from one frame to the next. */
  readonly window: number;
  readonly hop: number;
  /** Points of the transform: a power of two, at least the window; the rest is zeros. */
  readonly fft: number;
  readonly lowDb: number;
  readonly highDb: number;
}

/** Spectra summed in triangles that are evenly spaced in mel between two frequencies, each of height 1. */
export interface MelAttrs extends SpectralAttrs {
  readonly mels: number;
  readonly lowHz: number;
  readonly highHz: number;
  /** "htk": 2595 * log10(1 + f / 700); "slaney": linear to 1 kHz, logarithmic above (Auditory Toolbox, 1998). */
  readonly scale: "htk" | "slaney";
}

export const minFft = 16;
export const maxFft = 2048;

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Samples in a unit: the largest number that divides window and hop. */
export const unitOf = ({ window, hop }: Pick<SpectralAttrs, "window" | "hop">): number => greatestDivisor(window, hop);

/** Units of a frame, from frame to frame, and frames in so many units. */
export function frames(attrs: SpectralAttrs, units: number) {
  const unit = unitOf(attrs);
  const [taps, stride] = [attrs.window / unit, attrs.hop / unit];
  return { unit, taps, stride, count: units < taps ? 0 : Math.floor((units - taps) / stride) + 1 };
}

const isCount = (n: number): boolean => Number.isInteger(n) && n > 0;

/** Checks attributes and input; the number of frames, or null after a report. */
export function checkSpectral(view: NodeView<SpectralAttrs>, report: Report): number | null {
  const input = inputOf(view, 0);
  const { window, hop, fft, sampleRate, lowDb, highDb } = view.attrs;
  const isPower = isCount(fft) && (fft & (fft - 1)) === 0 && fft >= minFft && fft <= maxFft;
  const checks = [
    checkOption([window, hop, sampleRate].every(isCount), "window, hop", `${window}, ${hop}`, "whole numbers", report),
    checkOption(isPower, "fft", fft, `a power of two from ${minFft} to ${maxFft}`, report),
    checkOption(window <= fft && window >= 2, "window", window, `from 2 to ${fft}`, report),
    checkOption(highDb - lowDb >= 1 && lowDb >= -200 && highDb <= 100, "lowDb", lowDb, "less than highDb", report),
  ];
  if (!checks.every(Boolean) || !checkRank(input, [4], report)) return null;
  const { unit, count } = frames(view.attrs, sizeAt(input.shape, 1));
  const isUnits = input.shape[0] === 1 && input.shape[2] === 1 && input.shape[3] === unit;
  if (!checkShape(input, isUnits && count > 0, `[1, at least ${window / unit}, 1, ${unit}]`, report)) return null;
  return count;
}

/** h[n] = 0.5 - 0.5 * cos(2 pi n / N) in 15 bits after the point, for n up to N / 2; the rest mirrors it. */
function hannTable(window: number): Int16Array {
  const half = Math.floor(window / 2) + 1;
  return Int16Array.from({ length: half }, (_, n) =>
    Math.round(32767 * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window))),
  );
}

/** cos and sin of 2 pi j / fft, 31 bits after the point, in pairs for j up to fft / 4. */
function twiddleTable(fft: number): Int32Array {
  const q31 = (v: number): number => Math.min(2 ** 31 - 1, Math.round(v * 2 ** 31));
  return Int32Array.from({ length: fft / 2 + 2 }, (_, i) => {
    const angle = (2 * Math.PI * (i >> 1)) / fft;
    return q31(i & 1 ? Math.sin(angle) : Math.cos(angle));
  });
}

/** log2(1 + i / 64) - i / 64 in 18 bits after the point. */
export const logTable: () => Int16Array = lazy(() =>
  Int16Array.from({ length: 65 }, (_, i) => Math.round((Math.log2(1 + i / 64) - i / 64) * 2 ** 18)),
);

const scales = {
  htk: (hz: number) => 2595 * Math.log10(1 + hz / 700),
  slaney: (hz: number) => (hz < 1000 ? (3 * hz) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4)),
} as const;

/**
 * Triangles as one weight for each bin: what of its power rises into the next filter, the rest falling out of the one
 * before. Bins of interval i, between the centres of filters i - 1 and i, end before `ends[i]`.
 */
export interface MelBank {
  readonly first: number;
  readonly ends: Int16Array;
  /** 15 bits after the point; from bin `first` on. */
  readonly rising: Int16Array;
}

export function melBank({ mels, lowHz, highHz, scale, fft, sampleRate }: MelAttrs): MelBank {
  const mel = scales[scale];
  const [low, high] = [mel(lowHz), mel(highHz)];
  const step = (high - low) / (mels + 1);
  const places = Array.from({ length: fft / 2 + 1 }, (_, k) => (mel((k * sampleRate) / fft) - low) / step);
  const inside = (place: number): boolean => place >= 0 && place < mels + 1;
  const first = Math.max(0, places.findIndex(inside));
  const used = places.slice(first).filter(inside);
  const ends = Int16Array.from({ length: mels + 1 }, (_, i) => first + used.filter((p) => p < i + 1).length);
  const rising = Int16Array.from(used, (p) => Math.min(32767, Math.round((p - Math.floor(p)) * 2 ** 15)));
  return { first, ends, rising };
}

/** Checks what filters a bank has; each must hear something. */
export function checkMel(attrs: MelAttrs, report: Report): boolean {
  const { mels, lowHz, highHz, sampleRate, scale } = attrs;
  const isRange = lowHz >= 0 && highHz > lowHz && highHz <= sampleRate / 2;
  if (!checkOption(isCount(mels) && mels <= 256, "mels", mels, "from 1 to 256", report)) return false;
  if (!checkOption(scales[scale] !== undefined, "scale", scale, "htk or slaney", report)) return false;
  if (!checkOption(isRange, "lowHz, highHz", `${lowHz}, ${highHz}`, `within 0 to ${sampleRate / 2}`, report))
    return false;
  const { first, ends } = melBank(attrs);
  const deaf = Array.from({ length: mels }, (_, m) => m).filter((m) => (ends[m + 1] ?? 0) <= (ends[m - 1] ?? first));
  return checkOption(
    deaf.length === 0,
    "mels",
    `${mels}, of which ${deaf.length} hear no bin`,
    "fewer, or a larger fft",
    report,
  );
}

/** The orthonormal DCT-II of `coefficients` rows over `mels` columns, 15 bits after the point. */
export function dctTable(mels: number, coefficients: number): Int16Array {
  return Int16Array.from({ length: mels * coefficients }, (_, i) => {
    const [row, column] = [Math.floor(i / mels), i % mels];
    const norm = Math.sqrt((row === 0 ? 1 : 2) / mels);
    return Math.min(32767, Math.round(norm * Math.cos((Math.PI * row * (column + 0.5)) / mels) * 2 ** 15));
  });
}

/** Bits after the point of weights of power, and of logarithms. */
const weightBits = 15;
const logBits = 16;
const decibelsOfOctave = 10 * Math.log10(2);

/** Everything a frame's computation needs besides the filters. */
export interface SpectralTables {
  readonly hann: Int16Array;
  readonly twiddles: Int32Array;
  /** Added to the logarithm of a frame's sums, whose scale is known but for the frame's own shift; lowDb is 0 then. */
  readonly offset: number;
  /** What lies halfway between lowDb and highDb. */
  readonly half: number;
}

export function spectralTables({ window, fft, lowDb, highDb }: SpectralAttrs): SpectralTables {
  const hann = hannTable(window);
  const full = Array.from({ length: window }, (_, n) => hann[Math.min(n, window - n)] ?? 0);
  const sum = full.reduce((s, h) => s + h / 32767, 0);
  // Powers are 2^-12 of those of the halved transform of samples of 16 bits times weights of 15.
  const unit = 12 + 2 * Math.log2(fft) - 2 * Math.log2(32767) + 2 - 2 * Math.log2(sum) - 30 - weightBits;
  const one = 2 ** logBits;
  return {
    hann,
    twiddles: twiddleTable(fft),
    offset: Math.round((unit - lowDb / decibelsOfOctave) * one),
    half: Math.round(((highDb - lowDb) / decibelsOfOctave / 2) * one),
  };
}

/** How logarithms less `half` become elements of the output. */
export function spectralScale(view: NodeView<unknown>, half: number) {
  const output = outputOf(view, 0);
  return output.dtype === "float32"
    ? { multiplier: 0, shift: 0, factor: Math.fround(1 / half) }
    : { ...quantizeMultiplier(1 / (half * scaleOf(output))), factor: 0 };
}
