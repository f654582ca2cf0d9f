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
  /** Bands of equal width, without the constant part, whose levels are features; 0 for none. */
  readonly bands: number;
  /** Levels in decibels of full scale that become -1 and 1. */
  readonly lowDb: number;
  readonly highDb: number;
}

/** Mean, standard deviation, root mean square, least, most, crossings of the mean as a part of all steps. */
export const statistics = 6;

/** Bits after the point of statistics, of which full scale is 1. */
const statisticBits = 23;

export const rowsOf = (view: NodeView<ImuFeaturesAttrs>): number => sizeAt(inputOf(view, 0).shape, 1);
export const channelsOf = (view: NodeView<ImuFeaturesAttrs>): number => sizeAt(inputOf(view, 0).shape, 3);

/** Points of the transform: the least power of two that holds the window. */
export const fftOf = ({ window }: ImuFeaturesAttrs): number => Math.max(16, 2 ** Math.ceil(Math.log2(window)));

const known = new WeakMap<ImuFeaturesAttrs, SpectralTables>();

export function tablesOf(attrs: ImuFeaturesAttrs): SpectralTables {
  const { window, hop, lowDb, highDb } = attrs;
  const tables = known.get(attrs) ?? spectralTables({ sampleRate: 1, window, hop, fft: fftOf(attrs), lowDb, highDb });
  known.set(attrs, tables);
  return tables;
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

/** Our own definition, in integers; [1, windows, columns, 6 + bands]. */
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
  const count = sizeAt(output.shape, 1);
  for (let w = 0, o = 0; w < count; w++) {
    for (let c = 0; c < channels; c++) {
      const column = Int32Array.from(
        { length: attrs.window },
        (_, i) => samples[(w * attrs.hop + i) * channels + c] as number,
      );
      for (const v of statisticsOf(column)) out[o++] = finish(v, ofStatistics);
      if (attrs.bands === 0) continue;
      for (const v of bandLevels(column, attrs, z)) out[o++] = finish(v, ofLevels);
    }
  }
}
