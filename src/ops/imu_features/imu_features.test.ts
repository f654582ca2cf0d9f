import { describe, expect, it } from "vitest";
import { seededRandom } from "../../base/random.js";
import { createSession } from "../../run/interpreter.js";
import { soundQuantization } from "../common/spectral-op.js";
import { sampleCase } from "../sample.js";
import { imuFeatures } from "./imu_features.js";
import type { ImuFeaturesAttrs } from "./reference.js";

/** Float features of rows of columns. */
function features(rows: readonly (readonly number[])[], attrs: Partial<ImuFeaturesAttrs> = {}): readonly number[] {
  const all: ImuFeaturesAttrs = {
    window: rows.length,
    hop: rows.length,
    statistics: true,
    similarities: false,
    bands: 0,
    lowDb: -80,
    highDb: 0,
    ...attrs,
  };
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

describe("cosines", () => {
  const cosines = (rows: readonly (readonly number[])[]): readonly number[] =>
    features(rows, { statistics: false, similarities: true });

  it("are those of the definition, whatever the force", () => {
    const random = seededRandom(7);
    for (const [n, force] of [
      [2, 9000],
      [119, 6000],
      [119, 300],
      [2000, 12000],
    ] as const) {
      const rows = Array.from({ length: n }, () => {
        const shared = random.normal();
        return [0, 1, 2, 3].map((c) =>
          Math.max(-32768, Math.min(32767, Math.round(force * (shared + c * random.normal())))),
        );
      });
      const found = cosines(rows);
      const column = (c: number): readonly number[] => rows.map((r) => r[c] ?? 0);
      const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * (b[i] ?? 0), 0);
      const wanted = [0, 1, 2, 3].flatMap((c) =>
        [1, 2].map((k) => {
          const [a, b] = [column(c), column((c + k) % 4)];
          return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
        }),
      );
      expect(found).toHaveLength(8);
      found.forEach((v, i) => {
        expect(v).toBeCloseTo(wanted[i] ?? 0, 3);
      });
    }
  });

  it("of a column with itself, its opposite and silence are 1, -1 and 0, at full scale too", () => {
    const rows = Array.from({ length: 2048 }, () => [-32768, -32768, 32767, 0, 0]);
    const found = cosines(rows);
    expect(found.slice(0, 2).map((v) => Math.round(v * 1e4) / 1e4)).toEqual([1, -1]);
    expect(found.slice(6)).toEqual([0, 0, 0, 0]);
  });
});

describe("bands", () => {
  it("of a sine of full scale have 0 dB where it is, whatever its mean", () => {
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
      const expected = 20 * Math.log10(amplitude / 32768);
      expect(decibels[2]).toBeCloseTo(expected, 1);
      decibels.forEach((d, b) => {
        if (b !== 2) expect(d).toBeLessThan(-70);
      });
    }
  });
});
