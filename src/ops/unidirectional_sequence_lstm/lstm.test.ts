import { expect, test } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { runSteps } from "../common/stateful-testing.js";
import type { Sample, SampleTensor } from "../spec.js";
import type { LstmAttrs } from "./size.js";
import { unidirectionalSequenceLstm } from "./unidirectional_sequence_lstm.js";

const [inputs, units] = [2, 3];
/** Integers in [-100, 100] that look random. */
const noise = (n: number, seed: number): readonly number[] =>
  Array.from({ length: n }, (_, i) => ((i * 7919 + seed * 104729) % 201) - 100);
const weights = [1, 2, 3, 4].map((g) => noise(units * inputs, g));
const recurrent = [5, 6, 7, 8].map((g) => noise(units * units, g));
const bias = [9, 10, 11, 12].map((g) => noise(units, g));

/** The quantization of the int8 form; the float form uses the same real values. */
const scale = { input: 1 / 64, weights: 1 / 100, hidden: 1 / 128, cell: 2 ** -12 };

function sample(dtype: "int8" | "float32", cellClip: number): Sample<LstmAttrs> {
  const isFloat = dtype === "float32";
  const q = (s: number, zero = 0) => (isFloat ? {} : { quant: perTensor(s, zero) });
  const constant = (shape: readonly number[], values: readonly number[], s: number): SampleTensor => ({
    shape,
    dtype: isFloat ? dtype : "int8",
    ...q(s),
    constant: values.map((v) => (isFloat ? v * s : v)),
  });
  const biasScale = scale.input * scale.weights;
  const biasOf = (values: readonly number[]): SampleTensor => ({
    ...constant([units], values, biasScale),
    dtype: isFloat ? dtype : "int32",
  });
  return {
    name: "test",
    attrs: { timeMajor: false, cellClip },
    inputs: [
      { shape: [1, 3, inputs], dtype, ...q(scale.input, -20) },
      ...weights.map((w) => constant([units, inputs], w, scale.weights)),
      ...recurrent.map((w) => constant([units, units], w, scale.weights)),
      null,
      null,
      null,
      ...bias.map(biasOf),
      null,
      null,
      { shape: [1, units], dtype, ...q(scale.hidden), variable: true },
      { shape: [1, units], dtype: isFloat ? dtype : "int16", ...q(scale.cell), variable: true },
      null,
      null,
      null,
      null,
    ],
    outputs: [{ dtype, ...q(scale.hidden) }],
  };
}

const real = noise(2 * 3 * inputs, 13).map((v) => v / 64);
const halves = [real.slice(0, 3 * inputs), real.slice(3 * inputs)];

/** A textbook LSTM over all steps of `real`. */
function textbook(clip: number): readonly number[] {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  let h: readonly number[] = new Array<number>(units).fill(0);
  let c: readonly number[] = h;
  const out: number[] = [];
  for (let step = 0; step < 6; step++) {
    const x = real.slice(step * inputs, (step + 1) * inputs);
    const before = h;
    const gate = (g: number, u: number): number =>
      (bias[g]?.[u] ?? 0) * scale.input * scale.weights +
      x.reduce((s, v, i) => s + v * (weights[g]?.[u * inputs + i] ?? 0) * scale.weights, 0) +
      before.reduce((s, v, i) => s + v * (recurrent[g]?.[u * units + i] ?? 0) * scale.weights, 0);
    c = c.map((old, u) => {
      const next = sigmoid(gate(1, u)) * old + sigmoid(gate(0, u)) * Math.tanh(gate(2, u));
      return clip > 0 ? Math.min(Math.max(next, -clip), clip) : next;
    });
    h = c.map((cell, u) => sigmoid(gate(3, u)) * Math.tanh(cell));
    out.push(...h);
  }
  return out;
}

test.each([0, 0.25])("float agrees with a textbook LSTM over two invocations (clip %f)", (clip) => {
  const out = runSteps(unidirectionalSequenceLstm, sample("float32", clip), halves).flat();
  textbook(clip).forEach((want, i) => {
    expect(out[i]).toBeCloseTo(want, 5);
  });
});

test.each([0, 0.25])("int8 stays within two units of the textbook (clip %f)", (clip) => {
  const quantized = halves.map((h) => h.map((v) => v * 64 - 20));
  const out = runSteps(unidirectionalSequenceLstm, sample("int8", clip), quantized).flat();
  textbook(clip).forEach((want, i) => {
    expect(Math.abs((out[i] ?? 0) - want / scale.hidden)).toBeLessThanOrEqual(2);
  });
});
