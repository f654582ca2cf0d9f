import { expect, test } from "vitest";
import { expOnNegativeValues, fixedLog, oneOverOnePlusX, reciprocal } from "./fixed-exp.js";
import { lookup16, lut16 } from "./lut16.js";

/** The largest error of `f` against `exact` at the given arguments. */
const worst = (arguments_: readonly number[], f: (x: number) => number, exact: (x: number) => number): number =>
  Math.max(...arguments_.map((x) => Math.abs(f(x) - exact(x))));

const steps = (from: number, to: number, n: number): readonly number[] =>
  Array.from({ length: n }, (_, i) => Math.floor(from + ((to - from) * i) / n));

test("fixed-point functions are close to the real ones", () => {
  expect(
    worst(
      steps(-(2 ** 31), 0, 997),
      (a) => expOnNegativeValues(a) / 2 ** 31,
      (a) => Math.exp(a / 2 ** 26),
    ),
  ).toBeLessThan(3e-7);
  expect(
    worst(
      steps(0, 2 ** 31, 997),
      (a) => oneOverOnePlusX(a) / 2 ** 31,
      (a) => 1 / (1 + a / 2 ** 31),
    ),
  ).toBeLessThan(1e-8);
  expect(
    worst(
      steps(2 ** 19, 2 ** 31, 997),
      (x) => fixedLog(x) / 2 ** 26,
      (x) => Math.log(x / 2 ** 19),
    ),
  ).toBeLessThan(1e-7);
  const inverse = (x: number): number => {
    const { scale, bitsOverUnit } = reciprocal(x, 12);
    return scale / 2 ** (31 + bitsOverUnit);
  };
  expect(worst(steps(2 ** 19, 2 ** 31, 997), inverse, (x) => 2 ** 19 / x)).toBeLessThan(1e-8);
});

test("exact places of the fixed-point functions", () => {
  expect(expOnNegativeValues(0)).toBe(2 ** 31 - 1);
  expect(oneOverOnePlusX(0)).toBe(2 ** 31 - 1);
  expect(Math.abs(fixedLog(2 ** 19))).toBeLessThanOrEqual(8);
});

test("a table follows its function between its entries", () => {
  const table = lut16(Math.exp, [-10, 0], [-1, 1]);
  const at = (x: number): number => lookup16(table, x) / 32768;
  expect(worst(steps(-32768, 32768, 1009), at, (x) => Math.exp((x - 32768) * (10 / 65536)))).toBeLessThan(1e-4);
});

test("half of the error in the middle of a piece is taken off its entry", () => {
  // One step per integer, entries i^2. In the middle the chord is at i^2 + i + 1/2, the curve at i^2 + i + 1/4: rounded
  // they are one apart, and half of that, rounded away from zero, is one again. The last entry closes the last piece.
  const squares = lut16((x) => (x * x) / 32768, [0, 512], [-1, 1]);
  expect(Array.from(squares.slice(0, 4))).toEqual([-1, 0, 3, 8]);
  expect(squares[100]).toBe(9999);
  expect(squares[512]).toBe(32767);
});
