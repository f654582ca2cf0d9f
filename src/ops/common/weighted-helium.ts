import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "./activation.js";
import { outputOf, zeroPointOf } from "./view.js";
import type { Weighted } from "./weighted.js";
import { type DspChannels, dspChannels, sharedMultiplier } from "./weighted-dsp.js";

/** Output channels of sums of products, ready to be packed. */
export type HeliumChannels = Pick<DspChannels, "weights" | "depth" | "biases" | "multipliers" | "rights">;

/** The channels of a node whose sums the finish of th_helium.h is right for: right shifts from 1; else null. */
export function heliumChannels<A>(w: Weighted<A>, view: NodeView<A>): DspChannels | null {
  const channels = dspChannels(w, view);
  return channels?.rights.every((right) => right >= 1) ? channels : null;
}

/** Outputs are limited to the zero point and more, so that halves of negative sums may be rounded either way. */
export function isRelu<A>(w: Weighted<A>, view: NodeView<A>): boolean {
  const output = outputOf(view, 0);
  return quantizedActivationRange(w.activation(view.attrs), output).min >= zeroPointOf(output);
}

/** Bytes of a little-endian stream, in words. */
export class Stream {
  readonly #bytes: number[] = [];

  bytes(values: Iterable<number>): void {
    for (const value of values) this.#bytes.push(value & 0xff);
  }

  words(values: Iterable<number>): void {
    for (const value of values) this.bytes([value, value >> 8, value >> 16, value >> 24]);
  }

  /** Zeros up to a multiple of four bytes. */
  align(): void {
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The words of all that was written. */
  toWords(): Int32Array {
    this.align();
    return new Int32Array(Uint8Array.from(this.#bytes).buffer);
  }
}

/** How weights of four channels lie: `step` of a run at a time, then what is left of it. */
interface Steps {
  readonly step: number;
  readonly run: number;
}

/** Weights of four channels as th_helium_dots.h reads them, run by run of a depth. */
function weightsOfFour({ weights, depth }: HeliumChannels, first: number, { step, run }: Steps, stream: Stream): void {
  for (let start = 0; start < depth; start += run) {
    for (let k = start; k < start + run; k += step) {
      for (let c = first; c < first + 4; c++)
        stream.bytes(weights.subarray(c * depth + k, c * depth + Math.min(k + step, start + run)));
    }
  }
}

/** What follows the weights of channels: biases, multipliers and negated right shifts, or what there is of it. */
export type Scales = "in the stream" | "no shifts" | "apart";

/** The scales of channels. */
export function packScalesOf(
  { biases, multipliers, rights }: HeliumChannels,
  first: number,
  end: number,
  scales: Scales,
  stream: Stream,
): void {
  stream.words(biases.subarray(first, end));
  if (scales === "apart") return;
  stream.words(multipliers.subarray(first, end));
  if (scales === "no shifts") return;
  stream.bytes(rights.subarray(first, end).map((right) => -right));
  stream.align();
}

/**
 * The stream of channels that th_helium_dots.h reads; scales that are apart follow in an array of their own.
 * @param run values that are multiplied at a time: those of a depth, or of a part of it
 */
export function packFours(channels: HeliumChannels, scales: Scales, step = 16, run = channels.depth): Int32Array {
  const { weights, depth, biases } = channels;
  const count = biases.length;
  const stream = new Stream();
  for (let first = 0; first < count; first += 4) {
    const end = Math.min(first + 4, count);
    if (end === first + 4) weightsOfFour(channels, first, { step, run }, stream);
    else stream.bytes(weights.subarray(first * depth, end * depth));
    stream.align();
    packScalesOf(channels, first, end, scales, stream);
  }
  return stream.toWords();
}

/** Multipliers and shifts of channels: in an array, four of each for every four channels, or one for all. */
export interface PackedScales {
  readonly scales: Int32Array | null;
  /** 0 where there is an array. */
  readonly multiplier: number;
  readonly right: number;
}

/** How channels are scaled. */
export function packScales({ multipliers, rights, biases }: DspChannels): PackedScales {
  const multiplier = sharedMultiplier({ multipliers, rights });
  if (multiplier !== 0) return { scales: null, multiplier, right: rights[0] as number };
  const stream = new Stream();
  for (let first = 0; first < biases.length; first += 4) {
    const from = [0, 1, 2, 3].map((i) => (first + i < biases.length ? first + i : first));
    stream.words(from.map((c) => multipliers[c] as number));
    stream.bytes(from.map((c) => -(rights[c] as number)));
  }
  return { scales: stream.toWords(), multiplier: 0, right: 0 };
}
