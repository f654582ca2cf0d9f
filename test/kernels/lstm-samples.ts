import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import type { Sample, SampleTensor } from "../../src/ops/spec.js";
import { pick } from "./conv-samples.js";

/** int8 LSTMs of 1 to 21 units over a few steps, zero points at the ends of their range among them. */
export function lstmSamples(): readonly Sample<object>[] {
  const random = seededRandom(37);
  return Array.from({ length: 42 }, (_, i) => {
    const [units, inputs, batch] = [(i % 21) + 1, random.integer(1, 24), 1 + (i % 2)];
    const [zero, hiddenZero] = [pick(random, [-128, 127, 0, -7]), pick(random, [-128, 127, 0, 3])];
    const matrix = (columns: number, scale: number): SampleTensor => ({
      shape: [units, columns],
      dtype: "int8",
      quant: perTensor(scale),
      constant: "random",
    });
    const bias: SampleTensor = { shape: [units], dtype: "int32", constant: "random", range: [-2000, 2000] };
    const hidden = perTensor(0.008, hiddenZero);
    return {
      name: `LSTM ${inputs} to ${units}`,
      attrs: { timeMajor: i % 3 === 0, cellClip: i % 4 === 0 ? 2 : 0 },
      inputs: [
        { shape: i % 3 === 0 ? [3, batch, inputs] : [batch, 3, inputs], dtype: "int8", quant: perTensor(0.02, zero) },
        ...[0.01, 0.012, 0.008, 0.011].map((s) => matrix(inputs, s)),
        ...[0.012, 0.009, 0.01, 0.008].map((s) => matrix(units, s)),
        ...[null, null, null],
        ...[bias, bias, bias, bias],
        ...[null, null],
        { shape: [batch, units], dtype: "int8", quant: hidden, variable: true },
        { shape: [batch, units], dtype: "int16", quant: perTensor(2 ** -11), variable: true },
        ...[null, null, null, null],
      ],
      outputs: [{ dtype: "int8", quant: hidden }],
    } satisfies Sample<object>;
  });
}
