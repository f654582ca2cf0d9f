import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import type { SumAttrs } from "../../src/ops/common/sum.js";
import type { Sample } from "../../src/ops/spec.js";

/** Sums of all sizes and pairs of scales, equal ones among them. */
export function sumSamples(): readonly Sample<SumAttrs>[] {
  const random = seededRandom(5);
  const pick = <T>(of: readonly T[]): T => of[random.integer(0, of.length - 1)] as T;
  const scales = [0.05, 0.05, 0.0499, 0.1, 0.025, 0.013, 0.0001, 1.7];
  const zeros = [-128, 0, 127, 5];
  return Array.from({ length: 120 }, (_, i) => {
    const shape = [1, 3, random.integer(1, 4), (i % 40) + 1];
    return {
      name: `sum ${i}`,
      attrs: { activation: pick(["NONE", "RELU", "RELU6"] as const), potScaleInt16: false },
      inputs: [0, 1].map(() => ({ shape, dtype: "int8" as const, quant: perTensor(pick(scales), pick(zeros)) })),
      outputs: [{ dtype: "int8" as const, quant: perTensor(pick([0.05, 0.02, 0.1, 0.3]), pick(zeros)) }],
    };
  });
}
