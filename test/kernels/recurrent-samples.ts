import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { plainRecurrent, type RecurrentAttrs } from "../../src/ops/common/recurrent-layer.js";
import { hiddenQuantization } from "../../src/ops/common/recurrent-scales.js";
import { sampleChannels } from "../../src/ops/common/weighted.js";
import type { Sample, SampleTensor } from "../../src/ops/spec.js";
import { pick } from "./conv-samples.js";

/** Layers of 1 to 21 units over a few steps: scales that saturate gates, zero points at the ends of their range. */
export function recurrentSamples(gates: number, dtype: "int8" | "int16"): readonly Sample<RecurrentAttrs>[] {
  const random = seededRandom(41);
  return Array.from({ length: 42 }, (_, i) => {
    const [units, inputs, batch] = [(i % 21) + 1, random.integer(1, 24), 1 + (i % 2)];
    const rows = gates * units;
    const timeMajor = i % 3 === 0;
    const matrix = (columns: number): SampleTensor => {
      const step = pick(random, [0.0005, 0.004, 0.03]);
      const quant = i % 4 === 0 ? perTensor(step) : sampleChannels(rows, step);
      // Weights of -128 do not pack.
      const least = i % 8 === 5 ? -128 : -127;
      return { shape: [rows, columns], dtype: "int8", quant, constant: "random", range: [least, 127] };
    };
    const [wide, reach] = dtype === "int8" ? (["int32", 20_000] as const) : (["int64", 5_000_000] as const);
    const bias: SampleTensor = { shape: [rows], dtype: wide, constant: "random", range: [-reach, reach] };
    const scale = pick(random, [0.002, 0.02, 0.2]);
    return {
      name: `${inputs} to ${units}`,
      attrs: {
        ...plainRecurrent,
        timeMajor,
        reverse: i % 5 === 0,
        clip: i % 7 === 0 ? 0.8 : 0,
        returns: i % 2 === 0 ? "sequence" : "hidden",
        linearBeforeReset: i % 3 !== 1,
      },
      inputs: [
        {
          shape: timeMajor ? [5, batch, inputs] : [batch, 5, inputs],
          dtype,
          quant: dtype === "int8" ? perTensor(scale, pick(random, [-128, 127, 0, -7])) : perTensor(scale / 256),
        },
        matrix(inputs),
        matrix(units),
        ...(i % 6 === 0 ? [] : i % 6 === 1 ? [null, bias] : [bias, bias]),
      ],
      outputs: [{ dtype, quant: hiddenQuantization[dtype] }],
    } satisfies Sample<RecurrentAttrs>;
  });
}
