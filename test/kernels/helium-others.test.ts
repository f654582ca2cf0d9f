import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { conv2d } from "../../src/ops/conv2d/conv2d.js";
import { depthwiseConv2d } from "../../src/ops/depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../../src/ops/fully_connected/fully_connected.js";
import { maxPool2d } from "../../src/ops/max_pool2d/max_pool2d.js";
import { mean } from "../../src/ops/mean/mean.js";
import { mul } from "../../src/ops/mul/mul.js";
import type { Sample } from "../../src/ops/spec.js";
import { sub } from "../../src/ops/sub/sub.js";
import { sum } from "../../src/ops/sum/sum.js";
import { unidirectionalSequenceLstm } from "../../src/ops/unidirectional_sequence_lstm/unidirectional_sequence_lstm.js";
import { findTarget } from "../../src/verify/targets.js";
import { addNode, addTensor, newDraft, toGraph } from "../graphs.js";
import { planForms, runForms } from "../plan-checks.js";
import { chosen, kernelCases, kernelProblems } from "./cases.js";
import { convSamples, narrowOf, pick, wideOf } from "./conv-samples.js";
import { denseSamples } from "./dense-samples.js";
import { depthwiseSamples } from "./depthwise-samples.js";
import { lstmSamples } from "./lstm-samples.js";
import { poolSamples } from "./pool-samples.js";
import { sumSamples } from "./sum-samples.js";

const zeros = [-128, 0, 127, 5] as const;

/** Means and sums over height and width, of few elements and of more than 16 bits hold. */
function reductions(): readonly Sample<object>[] {
  const random = seededRandom(29);
  return Array.from({ length: 40 }, (_, i) => ({
    name: `reduction ${i}`,
    attrs: { keepDims: false },
    inputs: [
      {
        shape: [1 + (i % 2), random.integer(1, 20), random.integer(1, 30), 1 + (i % 21)],
        dtype: "int8" as const,
        quant: perTensor(0.05, pick(random, zeros)),
      },
      { shape: [2], dtype: "int32" as const, constant: [1, 2] },
    ],
    outputs: [{ dtype: "int8" as const, quant: perTensor(pick(random, [0.02, 0.05, 0.3, 4]), 5) }],
  }));
}

/** Products of tensors of one shape, and with values that repeat. */
function products(): readonly Sample<object>[] {
  const random = seededRandom(31);
  return Array.from({ length: 80 }, (_, i) => {
    const [width, channels] = [random.integer(1, 4), (i % 20) + 1];
    const shape = [1, 3, width, channels];
    const others = [shape, [1, 1, 1, channels], [channels], [1], [1, 3, 1, 1], [1, 1, width, channels]];
    const other = pick(random, others);
    return {
      name: `product ${i} of ${shape} and ${other}`,
      attrs: { activation: pick(random, ["NONE", "RELU", "RELU6"] as const) },
      inputs: (i % 2 === 0 ? [shape, other] : [other, shape]).map((s) => ({
        shape: s,
        dtype: "int8" as const,
        quant: perTensor(pick(random, [0.05, 0.1, 0.013]), pick(random, zeros)),
      })),
      outputs: [
        { dtype: "int8" as const, quant: perTensor(pick(random, [0.02, 0.1, 0.3, 0.0001]), pick(random, zeros)) },
      ],
    };
  });
}

const helium = (spec: unknown, samples: readonly unknown[]) => kernelCases(spec as never, samples as never, "helium");

describe("kernels for Helium of other operators", () => {
  it("are chosen", () => {
    expect(chosen(helium(maxPool2d, poolSamples()))).toEqual(new Set(["helium s8"]));
    expect(chosen(helium(mean, reductions()))).toEqual(new Set(["helium s8"]));
    expect(chosen(helium(sum, reductions()))).toContain("helium s8");
    expect(helium(mul, products()).filter(({ kernel }) => kernel === "helium s8").length).toBeGreaterThan(30);
    expect(chosen(helium(unidirectionalSequenceLstm, lstmSamples()))).toEqual(new Set(["helium s8"]));
    const differences = helium(sub, sumSamples());
    expect(differences.filter(({ kernel }) => kernel === "helium s8").length).toBeGreaterThan(40);
  });

  it.each(["host", "cortex-m55"])("give the interpreter's bits on %s", { timeout: 240_000 }, async (target) => {
    const cases = [
      helium(maxPool2d, poolSamples()),
      helium(mean, reductions()),
      helium(sum, reductions()),
      helium(mul, products()),
      helium(sub, sumSamples()),
      helium(unidirectionalSequenceLstm, lstmSamples()),
    ];
    expect(await kernelProblems(target, cases.flat())).toEqual([]);
  });

  it.each(["host", "cortex-m55"])("give them row by row on %s", { timeout: 240_000 }, async (target) => {
    const pooled = (op: "MAX_POOL_2D" | "MEAN", channels: number, width: number) => {
      const d = newDraft();
      const quant = perTensor(0.1, 3);
      const input = addTensor(d, "input", [1, 9, width, channels], { quant });
      const small = addTensor(d, "small", [1, 9, width, channels], { quant });
      const pooling = { padding: "SAME", stride: [1, 1], kernel: [2, 2], activation: "NONE" };
      addNode(d, "MAX_POOL_2D", [input], [small], pooling as never);
      const output = addTensor(d, "output", op === "MEAN" ? [1, channels] : [1, 1, 1, channels], { quant });
      if (op === "MEAN") {
        const axes = addTensor(d, "axes", [2], { dtype: "int32", data: Int32Array.of(1, 2) } as never);
        addNode(d, "MEAN", [small, axes], [output], { keepDims: false });
      } else {
        const whole = { padding: "VALID", stride: [1, 1], kernel: [9, width], activation: "NONE" };
        addNode(d, op, [small], [output], whole as never);
      }
      return toGraph(d, [input], [output]);
    };
    const planned = [1, 3, 6, 8, 9, 17].flatMap((channels) =>
      (["MAX_POOL_2D", "MEAN"] as const).map((op, i) => planForms(pooled(op, channels, 3 + i + channels), "helium")),
    );
    expect((await runForms(findTarget(target), planned)).flat()).toEqual([]);
  });
});

describe("kernels for Helium, optimized for size and for speed", () => {
  /** Every eighth sample. */
  const some = <T>(samples: readonly T[]): readonly T[] => samples.filter((_, i) => i % 8 === 0);
  const kinds = [
    <A>(s: Sample<A>) => s,
    <A>(s: Sample<A>) => narrowOf(s),
    <A>(s: Sample<A>) => wideOf(s, "int32"),
    <A>(s: Sample<A>) => wideOf(s, "int64"),
  ];

  it.each(["-Os", "-O3"] as const)(
    "give the interpreter's bits with %s",
    { timeout: 240_000 },
    async (optimization) => {
      const cases = kinds.flatMap((kind) => [
        ...helium(conv2d, some(convSamples()).map(kind)),
        ...helium(fullyConnected, some(denseSamples()).map(kind)),
        ...helium(depthwiseConv2d, some(depthwiseSamples()).map(kind)),
      ]);
      const others = [
        helium(mean, some(reductions())),
        helium(mul, some(products())),
        helium(sub, some(sumSamples())),
        helium(unidirectionalSequenceLstm, some(lstmSamples())),
      ];
      expect(await kernelProblems("cortex-m55", [...cases, ...others.flat()], { optimization })).toEqual([]);
    },
  );
});
