import type { NodeView } from "../../ir/graph.js";
import { quantizedActivationRange } from "./activation.js";
import { type LinearChannel, type LinearScales, linearScales } from "./linear-finish.js";
import { multiplierStep, quantizedFinish } from "./requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, zeroPointOf } from "./view.js";
import { multipliersOf, type Weighted } from "./weighted.js";

/** Output channels of sums of products, ready to be packed: input zero points are in the biases. */
export interface DspChannels {
  /** Weights [channels][depth]; those of a channel that never changes are zero. */
  readonly weights: Int8Array;
  readonly depth: number;
  readonly biases: Int32Array;
  readonly multipliers: Int32Array;
  /** Right shifts of the second rounding; negative: left shifts of the sum. */
  readonly rights: Int8Array;
  /**
   * 2 * output zero point + 1 where the finish in a few instructions gives the right bits, before they are limited to the
   * output's range: right shifts from 1 to 22. Else 0.
   */
  readonly zero2: number;
  /** The linear finish of th_pairs_s8.h, where there is one; takes a while. */
  readonly linear: () => LinearScales | null;
}

/** The shift of the linear finish: TH_PAIRS_BITS. */
const linearBits = 12;

const fits = (low: number, high: number, limit: number): boolean => low >= -limit && high < limit;

/** What is known of the sums of one channel, for any int8 input. */
interface ChannelSums {
  /** Of weights times stored values, without a bias. */
  readonly raw: readonly [low: number, high: number];
  /** Of weights times values less their zero point, with the bias. */
  readonly full: readonly [low: number, high: number];
  readonly folded: number;
}

function channelSums(weights: Int8Array, first: number, depth: number, bias: number, zero: number): ChannelSums {
  let [positive, negative] = [0, 0];
  for (let i = first; i < first + depth; i++) {
    const w = weights[i] as number;
    if (w > 0) positive += w;
    else negative -= w;
  }
  const raw = [-128 * positive - 127 * negative, 127 * positive + 128 * negative] as const;
  const folded = bias - zero * (positive - negative);
  return { raw, folded, full: [folded + raw[0], folded + raw[1]] };
}

/**
 * The channels of a node with constant int8 or int4 weights [channels][...] and int8 activations; null where 32 bits are not
 * enough for twice a sum. A channel whose output is the same for every input gets zero weights and a bias that
 * gives that output.
 */
export function dspChannels<A>(w: Weighted<A>, view: NodeView<A>): DspChannels | null {
  const [input, tensor, output] = [inputOf(view, w.index.input), inputOf(view, w.index.weights), outputOf(view, 0)];
  const bias = optionalInput(view, w.index.bias);
  if (tensor.data === null || (bias !== null && bias.data === null)) return null;
  const weights = Int8Array.from(tensor.data as Int8Array);
  const channels = tensor.shape[0] ?? 1;
  const depth = weights.length / channels;
  const given = asDoubles(bias?.data) ?? new Float64Array(channels);
  const m = multipliersOf(w, view);
  const [zero, outZero] = [zeroPointOf(input), zeroPointOf(output)];
  const range = quantizedActivationRange(w.activation(view.attrs), output);
  const finish = quantizedFinish(m, outZero, range, false);
  const result = {
    biases: new Int32Array(channels),
    multipliers: new Int32Array(channels),
    rights: new Int8Array(channels),
  };
  const sums: LinearChannel[] = [];
  let isFast = true;
  for (let c = 0; c < channels; c++) {
    const { full, folded } = channelSums(weights, c * depth, depth, given[c] as number, zero);
    if (!fits(...full, 2 ** 31)) return null;
    const shift = m.shifts[c * multiplierStep(m)] as number;
    const value = finish(full[0], c);
    if (shift <= 0 && value === finish(full[1], c)) {
      // Half of a fourth of four times the value: both roundings are exact.
      weights.fill(0, c * depth, (c + 1) * depth);
      result.biases[c] = 4 * (value - outZero);
      result.multipliers[c] = 2 ** 30;
      result.rights[c] = 1;
      const bias = (value - outZero) * 64;
      sums.push({ low: 0, high: 0, bias, finish: () => value, slope: 1 / 64, limits: range });
      continue;
    }
    if (!fits(...full, 2 ** 30)) return null;
    result.biases[c] = folded;
    result.multipliers[c] = m.multipliers[c * multiplierStep(m)] as number;
    result.rights[c] = -shift;
    isFast &&= shift <= -1 && shift >= -22;
    const slope = (result.multipliers[c] as number) * 2 ** (shift - 31);
    const [low, high] = [full[0] - folded, full[1] - folded];
    sums.push({ low, high, bias: folded, finish: (sum) => finish(sum, c), slope, limits: range });
  }
  const zero2 = isFast ? 2 * outZero + 1 : 0;
  return { weights, depth, ...result, zero2, linear: () => linearScales(sums, outZero, linearBits) };
}

/** Where the values of a word of weights stand in a channel's weights; -1 for none. */
export type WordOrder = readonly (readonly [low: number, high: number])[];

/**
 * The order of values that widening gives, run by run: of four bytes the first and the third make a word, then the other
 * two; of what is left of a run one word or two.
 */
export function widenedOrder(runs: number, length: number): WordOrder {
  const order: [number, number][] = [];
  for (let run = 0; run < runs; run++) {
    const [first, end] = [run * length, (run + 1) * length];
    let at = first;
    for (; at + 4 <= end; at += 4) order.push([at, at + 2], [at + 1, at + 3]);
    const left = end - at;
    if (left === 1) order.push([at, -1]);
    if (left === 2) order.push([at, at + 1]);
    if (left === 3) order.push([at, at + 2], [at + 1, -1]);
  }
  return order;
}

/**
 * Weights of channels 2i and 2i + 1 as halves 256 * odd + even, two to a word: one instruction multiplies both halves as they
 * are, another the even channel's alone, and the difference is 256 times the odd channel's sum. Null where a half or that
 * difference would not fit.
 */
function packPair({ weights, depth, biases }: DspChannels, even: number, order: WordOrder): readonly number[] | null {
  const odd = even + 1 < biases.length ? even + 1 : null;
  if (even >= biases.length) return order.map(() => 0);
  const weightAt = (channel: number | null, at: number): number =>
    channel === null || at < 0 ? 0 : (weights[channel * depth + at] as number);
  const oddWeights = order.flat().reduce((sum, at) => sum + Math.abs(weightAt(odd, at)), 0);
  if (128 * oddWeights >= 2 ** 23) return null;
  const words: number[] = [];
  for (const [low, high] of order) {
    const halves = [low, high].map((at) => 256 * weightAt(odd, at) + weightAt(even, at));
    const [a, b] = halves as [number, number];
    if (!fits(Math.min(a, b), Math.max(a, b), 2 ** 15)) return null;
    words.push((b << 16) | (a & 0xffff));
  }
  return words;
}

/** How sums of pairs become outputs: the enumeration of th_pairs_s8.h. */
export const pairFinishes = { sums: 0, rounded: 1, linear: 2 } as const;

/** What the finish of two channels needs: see th_pairs_s8.h. */
function tailOf(
  { biases, multipliers, rights }: DspChannels,
  linear: LinearScales | null,
  even: number,
): readonly number[] {
  const odd = even + 1;
  if (linear !== null) {
    const both = [linear.biases, linear.multipliers].map((of) => [of[even] as number, of[odd] ?? 0]);
    return both.flat();
  }
  const shifts = ((rights[even] as number) & 0xff) | (((rights[odd] ?? 1) & 0xff) << 8);
  return [
    2 * (biases[even] as number),
    2 * (biases[odd] ?? 0),
    multipliers[even] as number,
    multipliers[odd] ?? 0,
    shifts,
  ];
}

/** Pairs of channels as th_pairs_s8.h reads them. */
export interface PackedPairs {
  readonly stream: Int32Array;
  /** Words of a pixel's values, two to a word. */
  readonly words: number;
  /** th_pairs_sums, th_pairs_rounded or th_pairs_linear, and what it adds. */
  readonly finish: number;
  readonly add: number;
}

/** For each pair the words of both channels, then what `tailOf` says. Null where weights do not pack. */
export function packPairs(channels: DspChannels, order: WordOrder): PackedPairs | null {
  const linear = channels.linear();
  const stream: number[] = [];
  for (let even = 0; even < channels.biases.length; even += 2) {
    const words = packPair(channels, even, order);
    if (words === null) return null;
    stream.push(...words, ...tailOf(channels, linear, even));
  }
  const { zero2 } = channels;
  const finish = linear !== null ? pairFinishes.linear : zero2 !== 0 ? pairFinishes.rounded : pairFinishes.sums;
  return { stream: Int32Array.from(stream), words: order.length, finish, add: linear?.add ?? zero2 };
}

/**
 * int4 weights of channels 2i and 2i + 1 as th_pairs_w4.h reads them, four of each to a word; values of an even number of
 * words, the last of which may have none.
 */
export function packPairs4(channels: DspChannels, order: WordOrder): PackedPairs {
  const linear = channels.linear();
  const { weights, depth, biases, zero2 } = channels;
  const even = order.length % 2 === 0 ? order : [...order, [-1, -1] as const];
  const stream: number[] = [];
  for (let c = 0; c < biases.length; c += 2) {
    const weightAt = (channel: number, at: number): number =>
      channel >= biases.length || at < 0 ? 0 : (weights[channel * depth + at] as number);
    const byteAt = (at: number): number => ((weightAt(c + 1, at) & 15) << 4) | (weightAt(c, at) + 8);
    for (let k = 0; k < even.length; k += 2) {
      const [first, second] = [even[k], even[k + 1]] as [WordOrder[number], WordOrder[number]];
      const bytes = [first[0], second[0], first[1], second[1]].map(byteAt);
      stream.push(bytes.reduce((word, byte, i) => word | (byte << (8 * i)), 0));
    }
    stream.push(...tailOf(channels, linear, c));
  }
  const finish = linear !== null ? pairFinishes.linear : zero2 !== 0 ? pairFinishes.rounded : pairFinishes.sums;
  return { stream: Int32Array.from(stream), words: even.length, finish, add: linear?.add ?? zero2 };
}

/** Groups of four channels as fully_connected_s8_dsp.h reads them. */
export interface PackedQuads {
  readonly stream: Int32Array;
  /** Four multipliers and a word of four right shifts for each group; null where all are the same. */
  readonly scales: Int32Array | null;
  /** The multiplier of all, or 0; the word of four right shifts of all. */
  readonly multiplier: number;
  readonly rights: number;
  /** Channels at the end that are stored as they are. */
  readonly plain: number;
  readonly segments: number;
  readonly zero2: number;
}

/** The most segments that the inputs of a fully connected layer are cut into. */
const mostSegments = 8;

/** What is known of a fully connected layer that is packed. */
export interface QuadsOptions {
  readonly bits: 8 | 4;
  /** So many channels at the end are stored as they are; a multiple of four come before them. */
  readonly plain?: number;
  /** So many rows of the depth are to divide into segments. */
  readonly rows?: number;
}

/** Channels of depth weights, four at a time, in as few segments as will do. Null where weights do not pack. */
export function packQuads(channels: DspChannels, options: QuadsOptions): PackedQuads | null {
  const { bits, plain = 0, rows = null } = options;
  const packWords = bits === 8 ? quadWords : quadWords4;
  const count = channels.biases.length - plain;
  for (let segments = 1; segments <= mostSegments; segments++) {
    if (segments > 1 && channels.depth % (4 * segments) !== 0) continue;
    if (rows !== null && rows % segments !== 0) continue;
    const stream = quadStream({ ...channels, biases: channels.biases.slice(0, count) }, segments, packWords);
    if (stream === null) continue;
    const zero2 = segments > 1 ? 0 : channels.zero2;
    const words = Int32Array.from([...stream, ...plainWords(channels, count)]);
    return { stream: words, ...quadScales(channels), plain, segments, zero2 };
  }
  return null;
}

/** Weights of the channels from `first` on as they are, then their biases. */
function plainWords({ weights, depth, biases }: DspChannels, first: number): readonly number[] {
  const own = weights.subarray(first * depth);
  const bytes = new Int8Array(4 * Math.ceil(own.length / 4));
  bytes.set(own);
  return [...new Int32Array(bytes.buffer), ...biases.subarray(first)];
}

/** The words of four channels' weights, in an order of the inputs; null where they do not pack. */
type PackWords = (channels: DspChannels, first: number, order: WordOrder) => readonly number[] | null;

const quadWords: PackWords = (channels, c, order) => {
  const [first, second] = [packPair(channels, c, order), packPair(channels, c + 2, order)];
  // Zeros for outputs that are not there would double the weights of the last pair.
  if (c + 2 >= channels.biases.length) return first;
  return first === null || second === null ? null : first.flatMap((word, i) => [word, second[i] as number]);
};

/** int4 weights: two of each channel to a word, as fully_connected_s8_w4_dsp.h reads them. */
const quadWords4: PackWords = ({ weights, depth, biases }, c, order) => {
  const weightAt = (channel: number, at: number): number =>
    channel >= biases.length || at < 0 ? 0 : (weights[channel * depth + at] as number);
  const last = order.flat().reduce((sum, at) => sum + Math.abs(weightAt(c + 3, at)), 0);
  // 4096 times the last sum, and 256 times the third, of weights up to 15.
  if (128 * last >= 2 ** 19 || 15 * 128 * 2 * order.length >= 2 ** 23) return null;
  const halfAt = (at: number): number =>
    ((weightAt(c + 3, at) & 15) << 12) |
    [0, 1, 2].reduce((half, i) => half | ((weightAt(c + i, at) + 8) << (4 * i)), 0);
  return order.map(([low, high]) => (halfAt(high) << 16) | halfAt(low));
};

function quadStream(channels: DspChannels, segments: number, packWords: PackWords): readonly number[] | null {
  const { biases, depth } = channels;
  const stream: number[] = [];
  for (let c = 0; c < biases.length; c += 4) {
    for (let segment = 0; segment < segments; segment++) {
      const words = packWords(channels, c, quadOrder((segment * depth) / segments, ((segment + 1) * depth) / segments));
      if (words === null) return null;
      for (const word of words) stream.push(word);
      stream.push(...[0, 2, 1, 3].map((i) => (segment === 0 ? 2 * (biases[c + i] ?? 0) : 0)));
    }
  }
  return stream;
}

/** The multiplier that all channels have, where they have one shift too; else 0. */
export function sharedMultiplier({ multipliers, rights }: Pick<DspChannels, "multipliers" | "rights">): number {
  const isShared = multipliers.every((v) => v === multipliers[0]) && rights.every((v) => v === rights[0]);
  return isShared ? (multipliers[0] ?? 0) : 0;
}

function quadScales({ biases, multipliers, rights }: DspChannels) {
  const shiftsOf = (four: readonly number[]): number =>
    four.reduce((all, from, i) => all | (((rights[from] as number) & 0xff) << (8 * i)), 0);
  const multiplier = sharedMultiplier({ multipliers, rights });
  if (multiplier !== 0) return { scales: null, multiplier, rights: shiftsOf([0, 0, 0, 0]) };
  const scales: number[] = [];
  for (let c = 0; c < biases.length; c += 4) {
    // Channels that are not there are scaled like the first.
    const four = [0, 1, 2, 3].map((i) => (c + i < biases.length ? c + i : 0));
    scales.push(...four.map((from) => multipliers[from] as number), shiftsOf(four));
  }
  return { scales: Int32Array.from(scales), multiplier: 0, rights: 0 };
}

/** The order of a run's values when its last four are widened like all others, zeros standing for what is missing. */
function quadOrder(first: number, end: number): WordOrder {
  const at = (i: number): number => (i < end ? i : -1);
  const order: [number, number][] = [];
  for (let i = first; i < end; i += 4) order.push([i, at(i + 2)], [at(i + 1), at(i + 3)]);
  return order;
}
