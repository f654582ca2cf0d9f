import { describe, expect, it } from "vitest";
import { seededRandom } from "../../base/random.js";
import { createSession } from "../../run/interpreter.js";
import { soundQuantization } from "../common/spectral-op.js";
import { sampleCase } from "../sample.js";
import { imuFeatures } from "./imu_features.js";
import type { ImuFeaturesAttrs } from "./reference.js";

/** Float features of rows of columns. */
function features(rows: readonly (readonly number[])[], attrs: Partial<ImuFeaturesAttrs> = {}): readonly number[] {
  const all: ImuFeaturesAttrs = { window: rows.length, hop: rows.length, bands: 0, lowDb: -80, highDb: 0, ...attrs };
  const { graph } = sampleCase(imuFeatures as never, {
    name: "test",
    attrs: all,
    inputs: [{ shape: [1, rows.length, 1, rows[0]?.length ?? 0], dtype: "int16", quant: soundQuantization }],
    outputs: [{ dtype: "float32" }],
  });
  const [found] = createSession({ main: graph, subgraphs: [] }).invoke([Int16Array.from(rows.flat())]);
  return [...(found as Float32Array)];
}

describe("statistics", () => {
  it("are those of the definition", () => {
    const random = seededRandom(4);
    for (const n of [2, 3, 50, 1000]) {
      const columns = [0, 1, 2].map((c) =>
        Array.from({ length: n }, () => Math.round(3000 * c + (c + 1) * 2000 * random.normal())).map((v) =>
          Math.max(-32768, Math.min(32767, v)),
        ),
      );
      const found = features(Array.from({ length: n }, (_, i) => columns.map((column) => column[i] ?? 0)));
      columns.forEach((x, c) => {
        const mean = x.reduce((a, b) => a + b, 0) / n;
        const of = (f: (v: number) => number): number => x.reduce((a, v) => a + f(v), 0) / n;
        const crossings = x.filter((v, i) => i > 0 && v < mean !== (x[i - 1] ?? 0) < mean).length;
        const wanted = [mean, Math.sqrt(of((v) => (v - mean) ** 2)), Math.sqrt(of((v) => v * v))];
        const got = found.slice(c * 6, c * 6 + 6);
        wanted.forEach((v, i) => {
          expect(Math.abs((got[i] ?? 0) * 32768 - v)).toBeLessThan(0.01 + 1 / n);
        });
        expect(got[3]).toBe(Math.min(...x) / 32768);
        expect(got[4]).toBe(Math.max(...x) / 32768);
        expect(got[5]).toBeCloseTo(crossings / (n - 1), 6);
      });
    }
  });

  it("of a constant have no deviation and no crossings", () => {
    const found = features(Array.from({ length: 9 }, () => [-32768]));
    expect(found).toEqual([-1, 0, 1, -1, -1, 0]);
  });
});

describe("bands", () => {
  it("of a sine of full scale have 0 dB where it is, wherever its mean", () => {
    for (const [amplitude, mean] of [
      [32767, 0],
      [16000, 16000],
    ] as const) {
      // Bin 10 of 64: the third of eight bands of four bins.
      const rows = Array.from({ length: 64 }, (_, i) => [
        Math.round(mean + amplitude * Math.sin((2 * Math.PI * 10 * i) / 64)),
      ]);
      const levels = features(rows, { bands: 8 }).slice(6);
      const decibels = levels.map((v) => ((v + 1) / 2) * 80 - 80);
      // The window spreads a sine over three bins, whose powers are 1/4, 1 and 1/4.
      const expected = 20 * Math.log10(amplitude / 32768) + 10 * Math.log10(1.5);
      expect(decibels[2]).toBeCloseTo(expected, 1);
      decibels.forEach((d, b) => {
        if (b !== 2) expect(d).toBeLessThan(-70);
      });
    }
  });
});
