import { rangeOf } from "../../base/dtype.js";
import { clamp, quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import type { NodeView } from "../../ir/graph.js";
import { type SpectralTables, spectralScale, spectralTables } from "../common/spectral.js";
import { level, powerOf, spectrum } from "../common/spectral-reference.js";
import { inputOf, outputOf, scaleOf, sizeAt, zeroPointOf } from "../common/view.js";
import type { ExecView } from "../spec.js";

export interface ImuFeaturesAttrs {
  /** Rows of a window, and from one window to the next. */
  readonly window: number;
  readonly hop: number;
  /** Whether the six statistics of each column are features. */
  readonly statistics: boolean;
  /**
   * Whether the cosines between columns, as vectors of a window's values, are features: of each column and the half of the
   * others that follow it, in a circle. A movement made faster or with more force keeps its cosines.
   */
  readonly similarities: boolean;
  /** Bands of equal width, without the constant part, whose levels are features; 0 for none. */
  readonly bands: number;
  /** Levels in decibels of full scale that become -1 and 1. */
  readonly lowDb: number;
  readonly highDb: number;
}

/** Mean, standard deviation, root mean square, least, most, crossings of the mean as a part of all steps. */
const statistics = 6;

/** Bits after the point of statistics, of which full scale is 1. */
const statisticBits = 23;

export const rowsOf = (view: NodeView<ImuFeaturesAttrs>): number => sizeAt(inputOf(view, 0).shape, 1);
export const channelsOf = (view: NodeView<ImuFeaturesAttrs>): number => sizeAt(inputOf(view, 0).shape, 3);

/** Other columns that each column is compared with. */
export const comparedOf = (view: NodeView<ImuFeaturesAttrs>): number =>
  view.attrs.similarities ? channelsOf(view) >> 1 : 0;

/** Features of a column of a window. */
export const featuresPerColumn = (view: NodeView<ImuFeaturesAttrs>): number =>
  (view.attrs.statistics ? statistics : 0) + comparedOf(view) + view.attrs.bands;

/** Points of the transform: the least power of two that holds the window. */
export const fftOf = ({ window }: ImuFeaturesAttrs): number => Math.max(16, 2 ** Math.ceil(Math.log2(window)));

const known = new WeakMap<ImuFeaturesAttrs, SpectralTables>();

/** Tables of the transform, by which a sine of full scale gives its band 0 dB, though it lies in several bins. */
export function tablesOf(attrs: ImuFeaturesAttrs): SpectralTables {
  const made = known.get(attrs);
  if (made !== undefined) return made;
  const { window, hop, lowDb, highDb } = attrs;
  const fft = fftOf(attrs);
  const tables = spectralTables({ sampleRate: 1, window, hop, fft, lowDb, highDb });
  // Parseval: the bins of a sine add up to fft * sum(h^2) / sum(h)^2 of its largest, which for a Hann window is this.
  const spread = (1.5 * fft) / window;
  const scaled = { ...tables, offset: tables.offset - Math.round(Math.log2(spread) * 65536) };
  known.set(attrs, scaled);
  return scaled;
}

/** The first bin of each band, and the end of the last. */
export const bandEdges = (attrs: ImuFeaturesAttrs): Int16Array =>
  Int16Array.from({ length: attrs.bands + 1 }, (_, i) => 1 + Math.floor((i * fftOf(attrs)) / 2 / attrs.bands));

/** How statistics become elements of the output. */
export function statisticScale(view: NodeView<ImuFeaturesAttrs>) {
  const output = outputOf(view, 0);
  const unit = 2 ** -statisticBits;
  return output.dtype === "float32"
    ? { multiplier: 0, shift: 0, factor: unit }
    : { ...quantizeMultiplier(unit / scaleOf(output)), factor: 0 };
}

/** floor(sqrt(x)) for x < 2^53. */
function squareRoot(x: number): number {
  let root = Math.floor(Math.sqrt(x));
  while (root * root > x) root--;
  while ((root + 1) * (root + 1) <= x) root++;
  return root;
}

/** The six statistics of a column in 23 bits after the point; divisions drop what is after that. */
function statisticsOf(column: Int32Array): readonly number[] {
  const n = column.length;
  let [sum, squares, least, most, crossings] = [0, 0, 32767, -32768, 0];
  for (const x of column) {
    sum += x;
    squares += x * x;
    least = Math.min(least, x);
    most = Math.max(most, x);
  }
  for (let i = 1; i < n; i++) {
    if ((column[i] as number) * n < sum !== (column[i - 1] as number) * n < sum) crossings++;
  }
  return [
    Math.trunc((sum * 256) / n),
    Math.floor((squareRoot(n * squares - sum * sum) * 256) / n),
    Math.floor((squareRoot(n * squares) * 256) / n),
    least * 256,
    most * 256,
    n > 1 ? Math.floor((crossings * 2 ** statisticBits) / (n - 1)) : 0,
  ];
}

/** Bits after the point of a column's length as a vector: with them, sums of 2048 squares of int16 stay below 2^53. */
const lengthBits = 5;

const dot = (a: Int32Array, b: Int32Array): number => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** The cosine between two columns of given lengths, 23 bits after the point; 0 where one is nothing but zeros. */
function cosine(a: Int32Array, b: Int32Array, lengthA: number, lengthB: number): number {
  if (lengthA === 0 || lengthB === 0) return 0;
  const projected = Math.trunc((dot(a, b) * 2 ** (2 * lengthBits)) / lengthA);
  return Math.trunc((projected * 2 ** statisticBits) / lengthB);
}

/** Levels of bands of what differs from the mean, which is halved so that 16 bits hold it. */
function bandLevels(column: Int32Array, attrs: ImuFeaturesAttrs, z: Int32Array): readonly number[] {
  const mean = Math.trunc(column.reduce((a, b) => a + b, 0) / column.length);
  const tables = tablesOf(attrs);
  const halved = column.map((x) => (x - mean) >> 1);
  const shift = spectrum(halved, 0, attrs.window, tables, z);
  const edges = bandEdges(attrs);
  return Array.from({ length: attrs.bands }, (_, b) => {
    let power = 0;
    for (let k = edges[b] as number; k < (edges[b + 1] as number); k++) power += powerOf(z, k);
    const high = Math.floor(power / 2 ** 24);
    // Half of the signal has a quarter of its power: two octaves.
    const add = tables.offset + (2 - 2 * shift) * 65536;
    return level(high * 32768, (power - high * 2 ** 24) * 32768, add, tables.half);
  });
}

/** Our own definition, in integers; [1, windows, columns, statistics, cosines and bands]. */
export function imuFeaturesReference(view: ExecView<ImuFeaturesAttrs>): void {
  const { attrs } = view;
  const output = outputOf(view, 0);
  const channels = channelsOf(view);
  const samples = view.in[0] as Int16Array;
  const out = view.out[0] as Float32Array;
  const { min, max } = rangeOf(output.dtype);
  const zero = zeroPointOf(output);
  const ofStatistics = statisticScale(view);
  const ofLevels = spectralScale(view, tablesOf(attrs).half);
  const finish = (v: number, { multiplier, shift, factor }: typeof ofStatistics): number =>
    output.dtype === "float32"
      ? Math.fround(Math.fround(v) * factor)
      : clamp(requantize(v, multiplier, shift) + zero, min, max);
  const z = new Int32Array(fftOf(attrs) + 2);
  const [count, compared] = [sizeAt(output.shape, 1), comparedOf(view)];
  for (let w = 0, o = 0; w < count; w++) {
    const columns = Array.from({ length: channels }, (_, c) =>
      Int32Array.from({ length: attrs.window }, (__, i) => samples[(w * attrs.hop + i) * channels + c] as number),
    );
    const lengths = columns.map((x) => squareRoot(dot(x, x) * 2 ** (2 * lengthBits)));
    columns.forEach((column, c) => {
      if (attrs.statistics) for (const v of statisticsOf(column)) out[o++] = finish(v, ofStatistics);
      for (let k = 1; k <= compared; k++) {
        const d = (c + k) % channels;
        const v = cosine(column, columns[d] as Int32Array, lengths[c] as number, lengths[d] as number);
        out[o++] = finish(v, ofStatistics);
      }
      if (attrs.bands > 0) for (const v of bandLevels(column, attrs, z)) out[o++] = finish(v, ofLevels);
    });
  }
}
