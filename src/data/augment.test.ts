import { describe, expect, it } from "vitest";
import { seededRandom } from "../base/random.js";
import { type Augmentation, type AugmentContext, augment, beta, checkAugmentation } from "./augment.js";

const image: AugmentContext = { shape: [5, 4, 1], fullScale: 255, sampleRate: null, background: [] };
const sound: AugmentContext = {
  shape: [400],
  fullScale: 32768,
  sampleRate: 1000,
  background: [new Int16Array(900).fill(100)],
};
const series: AugmentContext = { shape: [50, 6], fullScale: 1, sampleRate: 50, background: [] };
const features: AugmentContext = { shape: [10, 8, 1], fullScale: 1, sampleRate: null, background: [] };

/** Results of a step for several seeds, of values 1, 2, 3 ... unless given. */
function results(
  step: Augmentation[number],
  context: AugmentContext,
  values = Float32Array.from({ length: context.shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
): readonly Float32Array[] {
  const steps = checkAugmentation([step]) as Parameters<typeof augment>[1];
  return Array.from({ length: 40 }, (_, seed) => augment(values.slice(), steps, seededRandom(seed), context));
}

const distinct = (all: readonly Float32Array[]): number => new Set(all.map((a) => a.join())).size;

describe("of images", () => {
  it("shift moves whole pixels, and fills", () => {
    const all = results({ kind: "shift", pixels: 1, fill: -1 }, image);
    expect(distinct(all)).toBe(9);
    for (const moved of all) {
      const [dy, dx] = [-1, 0, 1]
        .flatMap((y) => [-1, 0, 1].map((x) => [y, x] as const))
        .find(([y, x]) =>
          moved.every((v, i) => {
            const [sy, sx] = [Math.floor(i / 4) - y, (i % 4) - x];
            return v === (sy < 0 || sx < 0 || sy >= 5 || sx >= 4 ? -1 : sy * 4 + sx + 1);
          }),
        ) ?? [NaN, NaN];
      expect(Math.abs(dy) + Math.abs(dx)).toBeLessThanOrEqual(2);
    }
  });

  it("flip mirrors columns, or rows, or neither", () => {
    const rows = [...Array(5).keys()].map((y) => [1, 2, 3, 4].map((x) => y * 4 + x));
    const found = (axis: "horizontal" | "vertical") =>
      new Set(results({ kind: "flip", axis }, image).map((a) => a.join()));
    expect(found("horizontal")).toEqual(new Set([rows.join(), rows.map((r) => r.toReversed()).join()]));
    expect(found("vertical")).toEqual(new Set([rows.join(), rows.toReversed().join()]));
  });

  it("cutout fills one square", () => {
    for (const a of results({ kind: "cutout", pixels: 2, fill: 0 }, image)) {
      const holes = [...a.keys()].filter((i) => a[i] === 0);
      expect([1, 2, 4]).toContain(holes.length);
      expect(a.filter((v, i) => v !== 0 && v !== i + 1).length).toBe(0);
    }
  });

  it("crop keeps values within those there were, brightness and contrast within the scale", () => {
    const steps: Augmentation = [
      { kind: "crop", area: 0.5 },
      { kind: "brightness", level: 0.9 },
      { kind: "contrast", amount: 0.9 },
    ];
    for (const step of steps) {
      const all = results(step, image);
      expect(distinct(all)).toBeGreaterThan(15);
      for (const a of all) expect(a.every((v) => v >= 0 && v <= 255)).toBe(true);
    }
    for (const a of results({ kind: "crop", area: 0.5 }, image)) {
      expect(Math.min(...a)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...a)).toBeLessThanOrEqual(20);
    }
  });
});

describe("of sound", () => {
  it("a shift in time moves by at most so many milliseconds, and leaves silence", () => {
    for (const a of results({ kind: "timeShift", milliseconds: 30 }, sound)) {
      const first = a.findIndex((v) => v !== 0);
      const shift = first > 0 ? first : 1 - (a[0] ?? 0);
      expect(Math.abs(shift)).toBeLessThanOrEqual(30);
      expect(a.every((v, i) => v === (i - shift < 0 || i - shift >= 400 ? 0 : i - shift + 1))).toBe(true);
    }
  });

  it("gain, background and noise change as much as they say", () => {
    for (const a of results({ kind: "gain", decibels: 6 }, sound)) {
      expect(Math.abs(20 * Math.log10(a[9] ?? 0) - 20)).toBeLessThanOrEqual(6.001);
    }
    for (const a of results({ kind: "background", volume: 0.5, probability: 1 }, sound)) {
      const added = a.map((v, i) => v - i - 1);
      expect(Math.max(...added)).toBeLessThanOrEqual(50.01);
      expect(Math.max(...added) - Math.min(...added)).toBeLessThan(0.001);
    }
    const silence = new Float32Array(400);
    const deviations = results({ kind: "noise", level: 0.01 }, sound, silence).map((a) =>
      Math.sqrt(a.reduce((s, v) => s + v * v, 0) / 400),
    );
    expect(Math.max(...deviations)).toBeLessThan(0.012 * 32768);
    expect(Math.max(...deviations)).toBeGreaterThan(0.008 * 32768);
  });

  it("a warp of time keeps the order of what is heard", () => {
    for (const a of results({ kind: "timeWarp", amount: 0.5 }, sound)) {
      expect(a.every((v, i) => i === 0 || v >= (a[i - 1] ?? 0) - 1e-3)).toBe(true);
    }
  });

  it("a probability is one", () => {
    const all = results({ kind: "gain", decibels: 6, probability: 0.5 }, sound);
    const same = all.filter((a) => a[9] === 10).length;
    expect(same).toBeGreaterThan(10);
    expect(same).toBeLessThan(30);
  });
});

describe("of series", () => {
  it("a rotation keeps the length of each three columns, and turns both by the same", () => {
    for (const a of results({ kind: "rotation", degrees: 90 }, series)) {
      for (let row = 0; row < 50; row++) {
        for (const c of [0, 3]) {
          const at = row * 6 + c;
          expect(Math.hypot(...a.slice(at, at + 3))).toBeCloseTo(Math.hypot(at + 1, at + 2, at + 3), 2);
        }
      }
    }
  });

  it("scaling multiplies a column by one factor", () => {
    for (const a of results({ kind: "scaling", amount: 0.2 }, series)) {
      for (let c = 0; c < 6; c++) {
        const factor = (a[c] ?? 0) / (c + 1);
        expect(Math.abs(factor - 1)).toBeLessThanOrEqual(0.2001);
        expect((a[294 + c] ?? 0) / (295 + c)).toBeCloseTo(factor, 5);
      }
    }
  });
});

describe("of features", () => {
  it("SpecAugment fills whole frames and whole bands, no wider than it says", () => {
    const all = results({ kind: "specAugment", timeWidth: 3, bandWidth: 2 }, features);
    for (const a of all) {
      const isFilled = (y: number, x: number): boolean => a[y * 8 + x] === 0;
      const rows = [...Array(10).keys()].filter((y) => [...Array(8).keys()].every((x) => isFilled(y, x)));
      const bands = [...Array(8).keys()].filter((x) => [...Array(10).keys()].every((y) => isFilled(y, x)));
      expect(rows.length).toBeLessThanOrEqual(3);
      expect(bands.length).toBeLessThanOrEqual(2);
      expect(a.filter((v) => v === 0).length).toBe(80 - (10 - rows.length) * (8 - bands.length));
    }
    expect(distinct(all)).toBeGreaterThan(20);
  });
});

describe("mixing", () => {
  it("draws from a beta distribution", () => {
    for (const alpha of [0.2, 1, 4]) {
      const random = seededRandom(8);
      const draws = Array.from({ length: 20000 }, () => beta(alpha, random));
      const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
      const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
      expect(mean).toBeCloseTo(0.5, 1);
      // Of Beta(a, a): 1 / (4 (2a + 1)).
      expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 1);
    }
  });
});
