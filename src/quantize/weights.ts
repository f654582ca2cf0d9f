import { clamp, roundAway } from "../base/fixedpoint.js";
import type { Tensor } from "../ir/graph.js";

export type WeightBits = 4 | 8;

/** The largest weight of so many bits; the smallest is its negative, so that products are symmetric. */
export const largestWeight = (bits: WeightBits): number => 2 ** (bits - 1) - 1;

/** Where the weights of channel c lie in [.., channels, ..]: element (outer * channels + c) * inner + i. */
export function channelLayout(shape: readonly number[], axis: number) {
  const channels = shape[axis] ?? 1;
  const inner = shape.slice(axis + 1).reduce((n, size) => n * size, 1);
  return { channels, channelOf: (index: number): number => Math.floor(index / inner) % channels };
}

/** Shares of the largest weight that scales are tried at. */
const shares = Array.from({ length: 41 }, (_, i) => 1 - i / 50);

/** The scale of one channel: of the largest weight, or (4 bits) of the least squared error. */
function channelScale(weights: readonly number[], bits: WeightBits): number {
  const most = weights.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
  const levels = largestWeight(bits);
  if (bits === 8 || most === 0) return most / levels;
  let [best, least] = [most / levels, Infinity];
  for (const share of shares) {
    const scale = (most * share) / levels;
    const error = weights.reduce((sum, w) => sum + (w - clamp(roundAway(w / scale), -levels, levels) * scale) ** 2, 0);
    if (error < least) [best, least] = [scale, error];
  }
  return best;
}

/**
 * Scales of weights, one for each output channel.
 * @param leastScale for each channel, below which its bias would not fit 32 bits.
 */
export function weightScales(
  weights: Tensor,
  axis: number,
  bits: WeightBits,
  leastScale: (channel: number) => number,
): readonly number[] {
  const { channels, channelOf } = channelLayout(weights.shape, axis);
  const values: number[][] = Array.from({ length: channels }, () => []);
  const data = weights.data as Float32Array;
  for (let i = 0; i < data.length; i++) values[channelOf(i)]?.push(data[i] as number);
  return values.map((of, c) => Math.fround(Math.max(channelScale(of, bits), leastScale(c), 1e-12)));
}

/** How weights over their scales become integers from -most to most. */
export type Rounding = (scaled: Float64Array, most: number) => Int8Array;

/** Half away from zero. */
const roundNearest: Rounding = (scaled, most) => Int8Array.from(scaled, (v) => clamp(roundAway(v), -most, most));

/** Weights as integers of their channels' scales. */
export function quantizeWeights(
  weights: Tensor,
  axis: number,
  bits: WeightBits,
  scales: readonly number[],
  round: Rounding = roundNearest,
): Int8Array {
  const { channelOf } = channelLayout(weights.shape, axis);
  const scaled = Float64Array.from(weights.data as Float32Array, (w, i) => w / (scales[channelOf(i)] as number));
  return round(scaled, largestWeight(bits));
}
