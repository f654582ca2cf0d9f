import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { plainRecurrent, type RecurrentAttrs } from "../../src/ops/common/recurrent-layer.js";
import { hiddenQuantization } from "../../src/ops/common/recurrent-scales.js";
import { sampleChannels } from "../../src/ops/common/weighted.js";
import type { Sample, SampleTensor } from "../../src/ops/spec.js";
import { pick } from "./conv-samples.js";

/** int8 layers of 1 to 21 units over a few steps: scales that saturate gates, zero points at the ends of their range. */
export function recurrentSamples(gates: number): readonly Sample<RecurrentAttrs>[] {
  const random = seededRandom(41);
  return Array.from({ length: 42 }, (_, i) => {
    const [units, inputs, batch] = [(i % 21) + 1, random.integer(1, 24), 1 + (i % 2)];
    const rows = gates * units;
    const timeMajor = i % 3 === 0;
    const matrix = (columns: number): SampleTensor => {
      const scale = pick(random, [0.0005, 0.004, 0.03]);
      const quant = i % 4 === 0 ? perTensor(scale) : sampleChannels(rows, scale);
      return { shape: [rows, columns], dtype: "int8", quant, constant: "random" };
    };
    const bias: SampleTensor = { shape: [rows], dtype: "int32", constant: "random", range: [-20000, 20000] };
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
          dtype: "int8",
          quant: perTensor(pick(random, [0.002, 0.02, 0.2]), pick(random, [-128, 127, 0, -7])),
        },
        matrix(inputs),
        matrix(units),
        ...(i % 6 === 0 ? [] : i % 6 === 1 ? [null, bias] : [bias, bias]),
      ],
      outputs: [{ dtype: "int8", quant: hiddenQuantization.int8 }],
    } satisfies Sample<RecurrentAttrs>;
  });
}
