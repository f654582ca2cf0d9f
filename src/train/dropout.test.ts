import { expect, test } from "vitest";
import { fillDropoutMask } from "./dropout.js";

const maskOf = (length: number, rate: number, seed: number): Float32Array => {
  const mask = new Float32Array(length).fill(Number.NaN);
  fillDropoutMask(mask, rate, seed);
  return mask;
};

test("a dropout mask drops its share, keeps the mean, and depends on its seed alone", () => {
  for (const rate of [0, 0.1, 0.2, 0.5, 0.9]) {
    const mask = maskOf(200_001, rate, 7);
    const dropped = mask.filter((v) => v === 0).length / mask.length;
    // Five standard deviations of a binomial share.
    expect(Math.abs(dropped - rate)).toBeLessThanOrEqual(5 * Math.sqrt((rate * (1 - rate)) / mask.length) + 1e-5);
    expect(new Set(mask).size).toBe(rate === 0 ? 1 : 2);
    const mean = mask.reduce((sum, v) => sum + v, 0) / mask.length;
    expect(Math.abs(mean - 1)).toBeLessThan(0.04);
  }
  expect(maskOf(101, 0.3, 5)).toEqual(maskOf(101, 0.3, 5));
  expect(maskOf(101, 0.3, 5)).not.toEqual(maskOf(101, 0.3, 6));
});

test("neighbours of a dropout mask, and masks of neighbouring seeds, are dropped independently", () => {
  const [rate, length] = [0.5, 100_000];
  const mask = maskOf(length, rate, 11);
  const other = maskOf(length, rate, 12);
  const both = (a: Float32Array, b: Float32Array, shift: number): number => {
    let count = 0;
    for (let i = 0; i + shift < length; i++) if (a[i] === 0 && b[i + shift] === 0) count++;
    return count / (length - shift);
  };
  for (const shift of [1, 2, 3, 64]) expect(Math.abs(both(mask, mask, shift) - 0.25)).toBeLessThan(0.01);
  expect(Math.abs(both(mask, other, 0) - 0.25)).toBeLessThan(0.01);
});
