import type { DspChannels } from "./weighted-dsp.js";

/** Pixels of a block, at most: TH_LANES_PIXELS. */
export const lanesPixels = 6;

/** Words that hold a value of each of n pixels: th_lanes_words. */
export const lanesWords = (pixels: number): number => (pixels < 3 ? pixels : pixels === 3 ? 2 : pixels === 4 ? 3 : 4);

/** Sums may be as far from 0 as this while they share words. */
const laneLimit = 2 ** 20;
/** Sums may be as far from 0 as this in the finish with three pieces of a multiplier, and in that with four. */
const [threePieces, fourPieces] = [2 ** 20, 2 ** 22];
/** Bits of a bias in the stream, beside a shift. */
const biasLimit = 2 ** 26;

/** Channels as th_lanes_s8.h reads them. */
export interface PackedLanes {
  readonly stream: Int32Array;
  /** Values of a window, a multiple of 4. */
  readonly padded: number;
  /** Bytes of weights that are summed up before sums are taken apart. */
  readonly runBytes: number;
  readonly pieces: 3 | 4;
}

/** How far the sums of any run of `length` weights are from 0 at most, for any int8 values. */
function largestRun({ weights, depth, biases }: DspChannels, length: number): number {
  let largest = 0;
  for (let c = 0; c < biases.length; c++) {
    for (let first = 0; first < depth; first += length) {
      const end = Math.min(first + length, depth);
      let sum = 0;
      for (let k = first; k < end; k++) sum += Math.abs(weights[c * depth + k] as number);
      largest = Math.max(largest, 128 * sum);
    }
  }
  return largest;
}

/** What the finish looks at. */
type Finished = Pick<DspChannels, "weights" | "depth" | "biases" | "rights">;

/** The right shifts that the finish takes. */
export const isFinishShift = (right: number): boolean => right >= 1 && right <= 22;

/** How a sum of any channel is finished, or null where it may be too large or a shift is not one to the right. */
export function finishPieces({ weights, depth, biases, rights }: Finished): 3 | 4 | null {
  if (!rights.every(isFinishShift)) return null;
  let largest = 0;
  for (const [c, bias] of biases.entries()) {
    let sum = 0;
    for (let k = c * depth; k < (c + 1) * depth; k++) sum += Math.abs(weights[k] as number);
    largest = Math.max(largest, Math.abs(bias) + 128 * sum);
  }
  return largest < threePieces ? 3 : largest < fourPieces ? 4 : null;
}

/** For each channel its multiplier, bias and shift, and weights; null where sums or scales are out of reach. */
export function packLanes(channels: DspChannels): PackedLanes | null {
  const { weights, depth, biases, multipliers, rights } = channels;
  const pieces = finishPieces(channels);
  if (pieces === null || depth === 0) return null;
  const words = Math.ceil(depth / 4);
  let runs = 1;
  while (largestRun(channels, 4 * Math.ceil(words / runs)) >= laneLimit) runs++;
  const runBytes = 4 * Math.ceil(words / runs);
  const offset = Math.ceil((4 * words) / runBytes) * laneLimit;
  const stream = new Int32Array(biases.length * (2 + words));
  const bytes = new Int8Array(stream.buffer);
  for (const [c, bias] of biases.entries()) {
    const at = c * (2 + words);
    const start = bias - offset;
    if (Math.abs(start) >= biasLimit) return null;
    stream[at] = multipliers[c] as number;
    stream[at + 1] = start * 32 + (rights[c] as number);
    bytes.set(weights.subarray(c * depth, (c + 1) * depth), 4 * (at + 2));
  }
  return { stream, padded: 4 * words, runBytes, pieces };
}
