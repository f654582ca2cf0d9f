import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  frexp,
  quantizeMultiplier,
  requantize,
  requantize64,
  roundAway,
  roundingDivideByPowerOfTwo,
  roundingDoublingHighMul,
} from "./fixedpoint.js";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const multiplier = fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 });

describe("fixed point against exact integers", () => {
  it("the doubling high multiplication rounds a * b / 2^31 to nearest, ties up", () => {
    fc.assert(
      fc.property(int32, int32, (a, b) => {
        const exact = (BigInt(a) * BigInt(b) + (1n << 30n)) >> 31n;
        const saturated = exact > 2147483647n ? 2147483647n : exact;
        expect(BigInt(roundingDoublingHighMul(a, b))).toBe(saturated);
      }),
      { numRuns: 2000 },
    );
  });

  it("the division by a power of two rounds to nearest, ties away from zero", () => {
    fc.assert(
      fc.property(int32, fc.integer({ min: 0, max: 30 }), (x, exponent) => {
        const exact = x / 2 ** exponent;
        const floor = Math.floor(Math.abs(exact));
        const nearest = floor + (Math.abs(exact) - floor >= 0.5 ? 1 : 0);
        expect(roundingDivideByPowerOfTwo(x, exponent)).toBe(x < 0 ? -nearest || 0 : nearest);
      }),
      { numRuns: 2000 },
    );
  });

  it("requantize64 equals its definition on integers", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(1n << 46n), max: 1n << 46n }),
        multiplier,
        fc.integer({ min: -30, max: -20 }),
        (x, m, shift) => {
          const reduced = BigInt(m < 0x7fff0000 ? (m + 0x8000) >> 16 : 0x7fff);
          const total = BigInt(15 - shift);
          expect(BigInt(requantize64(Number(x), m, shift))).toBe((x * reduced + (1n << (total - 1n))) >> total);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("known values of gemmlowp's tests", () => {
    expect(roundingDoublingHighMul(-(2 ** 31), -(2 ** 31))).toBe(2 ** 31 - 1);
    expect(roundingDoublingHighMul(2 ** 30, 2 ** 30)).toBe(2 ** 29);
    expect(roundingDivideByPowerOfTwo(-3, 1)).toBe(-2);
    expect(roundingDivideByPowerOfTwo(3, 1)).toBe(2);
    expect(requantize(1000, 2 ** 30, 1)).toBe(1000);
    expect(requantize(1000, 2 ** 30, 0)).toBe(500);
    expect(requantize(-5, 2 ** 30, -1)).toBe(-1);
  });
});

describe("multipliers", () => {
  it("represent factors to 31 bits", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-8, max: 1e8, noNaN: true }), (factor) => {
        const q = quantizeMultiplier(factor);
        expect(q.multiplier).toBeGreaterThanOrEqual(2 ** 30);
        expect(q.multiplier).toBeLessThan(2 ** 31);
        expect(Math.abs((q.multiplier * 2 ** (q.shift - 31)) / factor - 1)).toBeLessThan(2 ** -30);
      }),
      { numRuns: 1000 },
    );
  });

  it("are TFLite's at the edges", () => {
    expect(quantizeMultiplier(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantizeMultiplier(1)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    expect(quantizeMultiplier(2 ** -40)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantizeMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 2 ** 30, shift: 1 });
  });

  it("frexp splits every double", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const { fraction, exponent } = frexp(x);
        if (x !== 0) expect(Math.abs(fraction)).toSatisfy((f: number) => f >= 0.5 && f < 1);
        // In two steps, since 2^1024 and 2^-1075 are no doubles.
        const half = Math.trunc(exponent / 2);
        expect(fraction * 2 ** half * 2 ** (exponent - half)).toBe(x);
      }),
    );
  });

  it("rounding goes away from zero at halves", () => {
    expect([0.5, 1.5, -0.5, -1.5, 2.4, -2.4].map(roundAway)).toEqual([1, 2, -1, -2, 2, -2]);
  });
});
