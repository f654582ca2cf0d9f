import { clamp } from "../../base/fixedpoint.js";

/**
 * A requantization to int8 as one product and one shift: a sum x becomes
 * ssat8((floor(((256 * x + bias) * multiplier + 2^31) / 2^32) + add) >> bits).
 * Rounding twice has steps at certain sums only; these numbers are chosen so that the steps are at the same sums.
 */
export interface LinearScale {
  readonly multiplier: number;
  /** 256 times the bias, and what moves the steps to their places. */
  readonly bias: number;
}

/** What `add` is for an output zero point: that, and a half, in units of 2^-bits, and a little more or less. */
export const linearAdd = (outZero: number, bits: number, nudge: number): number =>
  outZero * 2 ** bits + 2 ** (bits - 1) + nudge;

/** A channel's sums without the bias, from the least to the largest, and how its outputs come of them with it. */
export interface LinearChannel {
  readonly low: number;
  readonly high: number;
  readonly bias: number;
  /** A sum with the bias to an output; never falls. */
  readonly finish: (sum: number) => number;
  /** Outputs per sum: multiplier * 2^(shift - 31). */
  readonly slope: number;
  /** Of the outputs; kernels limit to int8, and to less where this is less. */
  readonly limits: { readonly min: number; readonly max: number };
}

/** The sums (with the bias) where the output steps up to a value; steps to above or from below int8 do not show. */
function stepsOf({ low, high, bias, finish, slope }: LinearChannel, outZero: number): readonly [number, number][] {
  const [first, last] = [low + bias, high + bias];
  const steps: [number, number][] = [];
  const from = Math.max(finish(first) + 1, -127);
  const to = Math.min(finish(last), 127);
  for (let value = from; value <= to; value++) {
    let sum = Math.min(Math.max(Math.ceil((value - outZero - 0.5) / slope), first + 1), last);
    while (sum > first + 1 && finish(sum - 1) >= value) sum--;
    while (finish(sum) < value) sum++;
    steps.push([value, sum]);
  }
  return steps;
}

/** Multipliers that are tried on either side of the true slope, up to a 64th of a sum away after 256 outputs. */
const [reach, tries] = [2 ** -14, 32];

/** The scale that gives a channel's outputs for every sum; null if none was found. */
export function linearScale(channel: LinearChannel, outZero: number, bits: number, nudge: number): LinearScale | null {
  const { low, high, bias, slope } = channel;
  const exact = slope * 2 ** (24 + bits);
  if (exact >= 2 ** 31 || Math.max(Math.abs(low + bias), Math.abs(high + bias)) >= 2 ** 22) return null;
  const steps = stepsOf(channel, outZero);
  const spread = Math.max(1, Math.floor((exact * slope * reach) / tries));
  for (let i = 0; i < 2 * tries; i++) {
    const multiplier = Math.round(exact) + spread * (i % 2 === 0 ? -i / 2 : (i + 1) / 2);
    let [least, most] = [-Infinity, Infinity];
    for (const [value, sum] of steps) {
      // Below 2^53 both, so that only the division rounds.
      const product = (value * 2 ** bits - linearAdd(outZero, bits, nudge)) * 2 ** 32 - 2 ** 31;
      const offset = product / multiplier - 256 * sum;
      least = Math.max(least, offset);
      most = Math.min(most, offset);
    }
    const moved = steps.length === 0 ? 0 : Math.ceil(least);
    if (steps.length > 0 && moved >= most + 256) continue;
    const found = { multiplier, bias: 256 * bias + moved };
    if (givesSteps(found, channel, steps, outZero, bits, nudge)) return found;
  }
  return null;
}

/** The output of a scale for a sum without the bias, exactly. */
function outputOf(s: LinearScale, sum: number, add: number, bits: number): number {
  const product = BigInt(256 * sum + s.bias) * BigInt(s.multiplier) + (1n << 31n);
  return (Number(product >> 32n) + add) >> bits;
}

/** True if the outputs on both sides of every step, and at both ends, are the channel's; between them both are constant. */
function givesSteps(
  s: LinearScale,
  channel: LinearChannel,
  steps: readonly (readonly [number, number])[],
  outZero: number,
  bits: number,
  nudge: number,
): boolean {
  const add = linearAdd(outZero, bits, nudge);
  const { min, max } = channel.limits;
  const isRight = (sum: number): boolean =>
    clamp(outputOf(s, sum - channel.bias, add, bits), min, max) === channel.finish(sum);
  return (
    Math.abs(256 * channel.low + s.bias) < 2 ** 31 &&
    Math.abs(256 * channel.high + s.bias) < 2 ** 31 &&
    isRight(channel.low + channel.bias) &&
    isRight(channel.high + channel.bias) &&
    steps.every(([, sum]) => isRight(sum) && isRight(sum - 1))
  );
}

/** Scales of all channels that share an `add`. */
export interface LinearScales {
  readonly multipliers: Int32Array;
  readonly biases: Int32Array;
  readonly add: number;
}

/** Values of `add` that are tried. */
const nudges = [0, 1, -1, 2, -2, 3, -3, 4];

/** Scales of channels; null where some has none. */
export function linearScales(channels: readonly LinearChannel[], outZero: number, bits: number): LinearScales | null {
  for (const nudge of nudges) {
    const scales: LinearScale[] = [];
    for (const channel of channels) {
      const scale = linearScale(channel, outZero, bits, nudge);
      if (scale === null) break;
      scales.push(scale);
    }
    if (scales.length < channels.length) continue;
    return {
      multipliers: Int32Array.from(scales, (s) => s.multiplier),
      biases: Int32Array.from(scales, (s) => s.bias),
      add: linearAdd(outZero, bits, nudge),
    };
  }
  return null;
}
