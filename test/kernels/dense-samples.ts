import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { sampleChannels } from "../../src/ops/common/weighted.js";
import type { FullyConnectedAttrs } from "../../src/ops/fully_connected/fully_connected.js";
import type { Sample } from "../../src/ops/spec.js";
import { pick } from "./conv-samples.js";

/** A layer of `depth` inputs and `units` outputs. */
export const denseSample = (units: number, depth: number, batch: number, seed: number): Sample<FullyConnectedAttrs> => {
  const random = seededRandom(seed);
  // Small weights and right shifts, so that every rounding shows.
  const fine = random.integer(0, 1) === 1;
  return {
    name: `${batch}x${depth} -> ${units}, seed ${seed}`,
    attrs: { activation: pick(random, ["NONE", "RELU6"] as const), keepNumDims: false },
    inputs: [
      { shape: [batch, depth], dtype: "int8", quant: perTensor(0.05, pick(random, [-128, 0, 127])) },
      {
        shape: [units, depth],
        dtype: "int8",
        quant: random.integer(0, 1) === 1 ? sampleChannels(units, 0.01) : perTensor(0.02),
        constant: "random",
        range: fine ? [-1, 1] : [-127, 127],
      },
      random.integer(0, 2) > 0
        ? { shape: [units], dtype: "int32", constant: "random", range: fine ? [-99, 99] : [-3000, 3000] }
        : null,
    ],
    outputs: [
      {
        dtype: "int8",
        quant: perTensor(
          fine ? pick(random, [0.0015, 0.003]) : pick(random, [0.02, 0.5, 4, 0.0004]),
          pick(random, [-128, 0, 127, -3]),
        ),
      },
    ],
  };
};

/** Units where padding to four is taken, all depths up to 40 and larger ones. */
export const denseSamples = (): readonly Sample<FullyConnectedAttrs>[] =>
  [...Array.from({ length: 40 }, (_, i) => i + 1), 64, 96, 250].flatMap((n) => [
    denseSample(12, n, 1 + (n % 2), n),
    denseSample(n + 2, 8 + (n % 5), 1, n),
  ]);

/** Layers so deep that sums are cut into segments, in two and in more. */
export const deepSamples = (): readonly Sample<FullyConnectedAttrs>[] =>
  [1200, 2400, 4000].flatMap((n) => [3, 4, 9].map((units) => denseSample(units, n, 1, n + units)));
