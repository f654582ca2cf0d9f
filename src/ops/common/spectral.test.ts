import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../base/random.js";
import { decodeWav } from "../../data/wav.js";
import { createSession } from "../../run/interpreter.js";
import { findOp } from "../index.js";
import { sampleCase } from "../sample.js";
import type { Sample } from "../spec.js";
import { frames, type MelAttrs, type SpectralAttrs } from "./spectral.js";

/** The definition in doubles, by the transform's sum. */
function powers(samples: ArrayLike<number>, from: number, { window, fft }: SpectralAttrs): readonly number[] {
  const hann = Array.from({ length: window }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window));
  const norm = 2 / hann.reduce((a, b) => a + b, 0) / 32768;
  return Array.from({ length: fft / 2 + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    hann.forEach((h, n) => {
      const angle = (2 * Math.PI * ((k * n) % fft)) / fft;
      re += h * (samples[from + n] as number) * Math.cos(angle);
      im -= h * (samples[from + n] as number) * Math.sin(angle);
    });
    return (re * norm) ** 2 + (im * norm) ** 2;
  });
}

const mel = {
  htk: (f: number) => 2595 * Math.log10(1 + f / 700),
  slaney: (f: number) => (f < 1000 ? f / (200 / 3) : 15 + Math.log(f / 1000) / (Math.log(6.4) / 27)),
};

function melPowers(power: readonly number[], attrs: MelAttrs): readonly number[] {
  const m = mel[attrs.scale];
  const [low, high] = [m(attrs.lowHz), m(attrs.highHz)];
  const center = (i: number): number => low + ((high - low) * i) / (attrs.mels + 1);
  return Array.from({ length: attrs.mels }, (_, i) =>
    power.reduce((sum, p, k) => {
      const at = m((k * attrs.sampleRate) / attrs.fft);
      const [a, b, c] = [center(i), center(i + 1), center(i + 2)];
      const weight = at <= a || at >= c ? 0 : at <= b ? (at - a) / (b - a) : (c - at) / (c - b);
      return sum + weight * p;
    }, 0),
  );
}

const leveled = (power: number, { lowDb, highDb }: SpectralAttrs): number =>
  ((Math.max(10 * Math.log10(power), lowDb) - lowDb) / (highDb - lowDb)) * 2 - 1;

const cepstrum = (levels: readonly number[], count: number): readonly number[] =>
  Array.from({ length: count }, (_, j) =>
    levels.reduce(
      (sum, v, m) =>
        sum + Math.sqrt((j === 0 ? 1 : 2) / levels.length) * v * Math.cos((Math.PI * j * (m + 0.5)) / levels.length),
      0,
    ),
  );

/** The operator's float output for a sound, and the definition's. */
function both(op: "LOG_MEL" | "MFCC" | "SPECTROGRAM", attrs: SpectralAttrs & Partial<MelAttrs>, sound: Int16Array) {
  const spec = findOp(op);
  if (spec === undefined) throw new RangeError(op);
  const { unit, count } = frames(attrs, Math.floor(sound.length / frames(attrs, 0).unit));
  const units = Math.floor(sound.length / unit);
  const sample: Sample<object> = {
    name: op,
    attrs,
    inputs: [{ shape: [1, units, 1, unit], dtype: "int16", quant: { scales: [1 / 32768], zeroPoints: [0], axis: 0 } }],
    outputs: [{ dtype: "float32" }],
  };
  const { graph } = sampleCase(spec, sample);
  const [found] = createSession({ main: graph, subgraphs: [] }).invoke([sound.slice(0, units * unit)]);
  const wanted = Array.from({ length: count }, (_, f) => {
    const power = powers(sound, f * attrs.hop, attrs);
    if (op === "SPECTROGRAM") return power.map((p) => leveled(p, attrs));
    const levels = melPowers(power, attrs as MelAttrs).map((p) => leveled(p, attrs));
    return op === "MFCC" ? cepstrum(levels, (attrs as { coefficients?: number }).coefficients ?? 0) : levels;
  });
  return { found: [...(found as Float32Array)], wanted: wanted.flat() };
}

// Below -85 dB of full scale, what a window of 15 bits leaks of a constant or a square is heard.
const wide: MelAttrs = {
  sampleRate: 16000,
  window: 480,
  hop: 320,
  fft: 512,
  mels: 40,
  lowHz: 20,
  highHz: 7600,
  scale: "htk",
  lowDb: -85,
  highDb: 0,
};
const telephone: MelAttrs = { ...wide, sampleRate: 8000, window: 256, hop: 160, fft: 256, highHz: 4000, mels: 32 };

const sound = (length: number, at: (n: number) => number): Int16Array => Int16Array.from({ length }, (_, n) => at(n));
const noise = (amplitude: number, seed = 1): Int16Array => {
  const random = seededRandom(seed);
  return sound(2200, () => Math.max(-32768, Math.min(32767, Math.round(amplitude * random.normal()))));
};

const recordings = join(
  process.env["THIMBLE_DATA"] ?? join(import.meta.dirname, "../../../../shared/datasets"),
  "spoken-digits",
);
const someSpeech = existsSync(recordings)
  ? readdirSync(recordings)
      .filter((_, i) => i % 300 === 7)
      .map((f): readonly [string, Int16Array] => [
        f,
        decodeWav(readFileSync(join(recordings, f)), f).data.slice(0, 3000),
      ])
  : [];

/** The largest difference and its mean, in decibels for a range of 100 of them. */
function differences({ found, wanted }: { found: readonly number[]; wanted: readonly number[] }, attrs: SpectralAttrs) {
  expect(found.length).toBe(wanted.length);
  const errors = found.map((v, i) => (Math.abs(v - (wanted[i] ?? Number.NaN)) / 2) * (attrs.highDb - attrs.lowDb));
  return { most: Math.max(...errors), mean: errors.reduce((a, b) => a + b, 0) / errors.length };
}

describe("levels against the definition in doubles", () => {
  const sounds: readonly (readonly [string, Int16Array])[] = [
    ["loud noise", noise(8000)],
    ["faint noise", noise(5)],
    ["one bit of noise", noise(0.5)],
    ["a click", sound(1000, (n) => (n === 300 ? 32767 : 0))],
    ["full scale, square", sound(2000, (n) => (n % 40 < 20 ? 32767 : -32768))],
    ["a constant", sound(1000, () => -32768)],
    ["silence", new Int16Array(1000)],
    ...someSpeech,
  ];
  it.each(sounds)("of %s, in mel bands", (name, samples) => {
    for (const attrs of [wide, telephone, { ...telephone, scale: "slaney", lowHz: 0 } as const]) {
      const { most, mean } = differences(both("LOG_MEL", attrs, samples), attrs);
      // The most is that of a band one bin wide at its foot, whose weight is rounded to 15 bits, or, far below a
      // constant, of the window's rounding to 15 bits.
      const isConstant = name === "a constant" || name.startsWith("full scale");
      expect(most).toBeLessThan(isConstant ? 0.3 : 0.1);
      expect(mean).toBeLessThan(isConstant ? 0.02 : 0.002);
    }
  });

  it.each(sounds)("of %s, as coefficients", (_, samples) => {
    const attrs = { ...telephone, coefficients: 13 };
    expect(differences(both("MFCC", attrs, samples), attrs).most).toBeLessThan(0.1);
  });

  it("of a sine of full scale are 0 dB at its bin, and far lower a few bins away", () => {
    const attrs: SpectralAttrs = { sampleRate: 8000, window: 256, hop: 256, fft: 256, lowDb: -150, highDb: 0 };
    const sine = sound(256, (n) => 32767 * Math.sin((2 * Math.PI * 20 * n) / 256));
    const { found } = both("SPECTROGRAM", attrs, sine);
    const decibels = found.map((v) => ((v + 1) / 2) * 150 - 150);
    expect(decibels[20]).toBeCloseTo(0, 2);
    expect(decibels[19]).toBeCloseTo(-6.02, 1);
    expect(Math.max(...decibels.filter((_, k) => Math.abs(k - 20) > 3))).toBeLessThan(-95);
  });

  it.each([16, 32, 64, 128, 256, 512, 1024, 2048])("of each bin, of a transform of %i points", (fft) => {
    const attrs: SpectralAttrs = { sampleRate: 8000, window: fft - 3, hop: 50, fft, lowDb: -60, highDb: 40 };
    const { most } = differences(both("SPECTROGRAM", attrs, noise(3000, fft).slice(0, fft + 100)), attrs);
    expect(most).toBeLessThan(0.05);
  });
});

describe("attributes that make no sense", () => {
  const bad: readonly (readonly [string, Partial<MelAttrs>])[] = [
    ["a transform that is no power of two", { fft: 500 }],
    ["a window longer than the transform", { window: 600 }],
    ["no hop", { hop: 0 }],
    ["bands that hear nothing", { mels: 200 }],
    ["frequencies above half the rate", { highHz: 9000 }],
    ["an empty range", { lowDb: 0, highDb: 0 }],
  ];
  it.each(bad)("%s", (_, change) => {
    expect(() => both("LOG_MEL", { ...wide, ...change }, noise(100))).toThrow(/TH2007/);
  });
  it("a sound shorter than a frame", () => {
    expect(() => both("LOG_MEL", wide, new Int16Array(320))).toThrow(/TH2005/);
  });
});
