import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import type { Pool2dAttrs } from "../../src/ops/common/pool2d.js";
import type { Sample } from "../../src/ops/spec.js";
import { pick } from "./conv-samples.js";

/** Pools of 1 to 40 channels, windows inside the image and over its ends, and of all of it. */
export function poolSamples(): readonly Sample<Pool2dAttrs>[] {
  const random = seededRandom(3);
  return Array.from({ length: 80 }, (_, i) => {
    const channels = (i % 40) + 1;
    const size = [random.integer(3, 7), random.integer(3, 9)] as const;
    const isGlobal = i % 4 === 0;
    const shape = [random.integer(1, 6) === 1 ? 2 : 1, ...size, channels];
    const quant = perTensor(0.04, pick(random, [-128, 0, 127, 5]));
    return {
      name: `pool ${i} of ${shape}`,
      attrs: {
        padding: isGlobal ? "VALID" : pick(random, ["SAME", "VALID"] as const),
        stride: [random.integer(1, 2), random.integer(1, 2)],
        kernel: isGlobal ? size : [random.integer(1, 3), random.integer(1, 3)],
        activation: pick(random, ["NONE", "RELU", "RELU6"] as const),
      },
      inputs: [{ shape, dtype: "int8", quant }],
      outputs: [{ dtype: "int8", quant }],
    };
  });
}
