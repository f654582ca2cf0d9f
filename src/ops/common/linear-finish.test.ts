import { describe, expect, it } from "vitest";
import { requantize } from "../../base/fixedpoint.js";
import { seededRandom } from "../../base/random.js";
import { type LinearChannel, linearAdd, linearScale, linearScales } from "./linear-finish.js";

const limits = { min: -128, max: 127 };

/** A channel that rounds twice, as convolutions do. */
function channelOf(multiplier: number, right: number, outZero: number, half: number, bias: number): LinearChannel {
  const finish = (sum: number) => Math.min(Math.max(requantize(sum, multiplier, -right) + outZero, -128), 127);
  return { low: -half, high: half, bias, finish, slope: multiplier * 2 ** (-right - 31), limits };
}

/** What kernels compute. */
function linear(scale: { multiplier: number; bias: number }, sum: number, add: number, bits: number): number {
  const product = BigInt(256 * sum + scale.bias) * BigInt(scale.multiplier);
  const high = Number((product + 2n ** 31n) >> 32n);
  return Math.min(Math.max((high + add) >> bits, -128), 127);
}

describe("a requantization as one product and one shift", () => {
  it("gives the bits of two roundings for every sum where outputs begin at their zero point", () => {
    const random = seededRandom(3);
    let found = 0;
    for (let i = 0; i < 40; i++) {
      const [right, bias] = [random.integer(5, 9), random.integer(-3000, 3000)];
      const channel = channelOf(random.integer(2 ** 30, 2 ** 31 - 1), right, -128, 40_000, bias);
      const scale = linearScale(channel, -128, 12, 0);
      if (scale === null) continue;
      found++;
      const add = linearAdd(-128, 12, 0);
      for (let sum = -40_000; sum <= 40_000; sum += 1) {
        if (linear(scale, sum, add, 12) !== channel.finish(sum + bias)) throw new Error(`${i}: ${sum}`);
      }
    }
    expect(found).toBeGreaterThan(35);
  });

  it("is refused where outputs on both sides of the zero point are rounded away from it", () => {
    expect(linearScale(channelOf(1_777_777_777, 7, -3, 40_000, 17), -3, 12, 0)).toBe(null);
  });

  it("is refused where a multiplier or a sum would not fit", () => {
    expect(linearScale(channelOf(2 ** 30, 2, -128, 40_000, 0), -128, 12, 0)).toBe(null);
    expect(linearScale(channelOf(2 ** 30, 8, -128, 2 ** 22, 0), -128, 12, 0)).toBe(null);
  });

  it("shares what is added among channels", () => {
    const channels = [5, 6, 7, 8].map((right) => channelOf(1_234_567_891, right, -128, 30_000, 50 * right));
    const scales = linearScales(channels, -128, 12);
    expect(scales).not.toBe(null);
    expect(scales?.multipliers.length).toBe(4);
  });
});
