import { describe, expect, it } from "vitest";
import { verify } from "../../src/app/api.js";
import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { Network } from "../../src/nets/network.js";
import { averagePool2d } from "../../src/ops/average_pool2d/average_pool2d.js";
import { depthwiseConv2d } from "../../src/ops/depthwise_conv2d/depthwise_conv2d.js";
import type { Model } from "../../src/ops/index.js";
import { logistic } from "../../src/ops/logistic/logistic.js";
import { maxPool2d } from "../../src/ops/max_pool2d/max_pool2d.js";
import { mean } from "../../src/ops/mean/mean.js";
import { mul } from "../../src/ops/mul/mul.js";
import { quantize } from "../../src/ops/quantize/quantize.js";
import { softmax } from "../../src/ops/softmax/softmax.js";
import type { Sample } from "../../src/ops/spec.js";
import { sub } from "../../src/ops/sub/sub.js";
import { sum } from "../../src/ops/sum/sum.js";
import { unidirectionalSequenceLstm } from "../../src/ops/unidirectional_sequence_lstm/unidirectional_sequence_lstm.js";
import { quantizeModel } from "../../src/quantize/quantize.js";
import { findTarget } from "../../src/verify/targets.js";
import { addNode, addTensor, newDraft, toGraph } from "../graphs.js";
import { planForms, runForms } from "../plan-checks.js";
import { chosen, kernelCases, kernelProblems } from "./cases.js";
import { pick, wideOf } from "./conv-samples.js";
import { depthwiseSamples } from "./depthwise-samples.js";
import { lstmSamples } from "./lstm-samples.js";
import { poolSamples } from "./pool-samples.js";
import { sumSamples } from "./sum-samples.js";

/** Pools of the grid, and some whose windows hold more elements than a sum in 16 bits may have. */
const pools = (): readonly Sample<object>[] => [
  ...poolSamples(),
  ...[
    [20, 15],
    [2, 300],
    [257, 1],
  ].flatMap((kernel, i) =>
    [4, 5, 13].map((channels) => ({
      name: `pool ${kernel} of ${channels}`,
      attrs: { padding: "VALID", stride: kernel, kernel, activation: "NONE" },
      inputs: [
        {
          shape: [1, ...kernel, channels],
          dtype: "int8" as const,
          quant: perTensor(0.04, 3),
          range: [-128, i - 100] as const,
        },
      ],
      outputs: [{ dtype: "int8" as const, quant: perTensor(0.04, 3) }],
    })),
  ),
];

/** Means and sums over height and width, of few and many elements. */
function reductions(): readonly Sample<object>[] {
  const random = seededRandom(17);
  return Array.from({ length: 40 }, (_, i) => ({
    name: `reduction ${i}`,
    attrs: { keepDims: false },
    inputs: [
      {
        shape: [1 + (i % 2), random.integer(1, 20), random.integer(1, 30), 4 + (i % 21)],
        dtype: "int8" as const,
        quant: perTensor(0.05, pick(random, [-128, 0, 127])),
      },
      { shape: [2], dtype: "int32" as const, constant: [1, 2] },
    ],
    outputs: [{ dtype: "int8" as const, quant: perTensor(pick(random, [0.02, 0.05, 0.3]), 5) }],
  }));
}

function softmaxes(): readonly Sample<object>[] {
  const random = seededRandom(19);
  return Array.from({ length: 60 }, (_, i) => ({
    name: `softmax ${i}`,
    attrs: { beta: pick(random, [1, 0.5, 2]) },
    inputs: [
      {
        shape: [2, i + 1],
        dtype: "int8" as const,
        quant: perTensor(pick(random, [0.003, 0.02, 0.1, 0.4]), 7),
        ...(i % 3 === 0 ? { range: [-128, -120] as const } : {}),
      },
    ],
    outputs: [{ dtype: "int8" as const, quant: perTensor(1 / 256, -128) }],
  }));
}

/** Products of tensors of one shape, with a value for each channel, and with one value. */
function products(): readonly Sample<object>[] {
  const random = seededRandom(23);
  return Array.from({ length: 60 }, (_, i) => {
    const shape = [1, 3, random.integer(1, 4), (i % 20) + 1];
    const other = pick(random, [shape, [1, 1, 1, (i % 20) + 1], [1], [1, 3, 1, 1]]);
    const zeros = [-128, 0, 127, 5];
    return {
      name: `product ${i}`,
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

/** Operators that are tables, of up to nine elements. */
const maps = (): readonly Sample<object>[] =>
  Array.from({ length: 9 }, (_, i) => ({
    name: `map ${i}`,
    attrs: {},
    inputs: [{ shape: [i + 1], dtype: "int8" as const, quant: perTensor(0.1, 5) }],
    outputs: [{ dtype: "int8" as const, quant: perTensor(1 / 256, -128) }],
  }));

/** A network whose mean takes rows as a convolution gives them. */
function quantizedMean(channels: number): Model {
  const net = new Network("mean");
  const graph = net.graph([net.dense(net.globalPool(net.pointwise(net.input([13, 16, 4]), channels)), 10)]);
  const model = { name: "mean", sha256: "", format: "memory", fileBytes: 0, main: graph, subgraphs: [] } as const;
  const waves = new Float32Array(13 * 16 * 4).map((_, i) => Math.sin(i));
  return { ...model, main: quantizeModel(model, [[waves]]).graph };
}

const dsp = (spec: unknown, samples: readonly unknown[]) => kernelCases(spec as never, samples as never, "dsp");

describe("kernels for the DSP instructions of other operators", () => {
  it("are chosen", () => {
    expect(chosen(dsp(maxPool2d, poolSamples()))).toEqual(new Set(["portable s8", "dsp s8"]));
    expect(chosen(dsp(mean, reductions()))).toEqual(new Set(["dsp s8"]));
    expect(chosen(dsp(softmax, softmaxes()))).toEqual(new Set(["dsp s8"]));
    expect(chosen(dsp(mul, products()))).toContain("dsp s8");
    expect(chosen(dsp(sub, sumSamples()))).toContain("dsp s8");
    const wide = depthwiseSamples().map((s) => wideOf(s, "int64"));
    expect(chosen(dsp(depthwiseConv2d, wide))).toEqual(new Set(["dsp s16", "portable s16"]));
    expect(chosen(dsp(unidirectionalSequenceLstm, lstmSamples()))).toEqual(new Set(["dsp s8"]));
    expect(chosen(dsp(logistic, maps()))).toEqual(new Set(["dsp table s8"]));
  });

  it.each(["host", "cortex-m4"])("give the interpreter's bits on %s", { timeout: 240_000 }, async (target) => {
    const cases = [
      dsp(averagePool2d, pools()),
      dsp(maxPool2d, pools()),
      dsp(mean, reductions()),
      dsp(sum, reductions()),
      dsp(softmax, softmaxes()),
      dsp(mul, products()),
      dsp(sub, sumSamples()),
      dsp(logistic, maps()),
      dsp(quantize, maps()),
      dsp(unidirectionalSequenceLstm, lstmSamples()),
      ...(["int32", "int64"] as const).map((bias) =>
        dsp(
          depthwiseConv2d,
          depthwiseSamples().map((s) => wideOf(s, bias)),
        ),
      ),
    ];
    expect(await kernelProblems(target, cases.flat())).toEqual([]);
  });

  it.each(["host", "cortex-m4"])("give them row by row on %s", { timeout: 240_000 }, async (target) => {
    const pooled = (op: "AVERAGE_POOL_2D" | "MAX_POOL_2D" | "MEAN", channels: number, width: number) => {
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
    const planned = [4, 6, 9, 16].flatMap((channels) =>
      (["AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN"] as const).map((op, i) =>
        planForms(pooled(op, channels, 3 + i + channels), "dsp"),
      ),
    );
    expect((await runForms(findTarget(target), planned)).flat()).toEqual([]);
  });

  it("compile with their sizes known, as steps that have their kernel to themselves", { timeout: 60_000 }, async () => {
    for (const channels of [8, 18, 64]) {
      const { targets } = await verify(quantizedMean(channels), ["cortex-m4", "cortex-m55"], { optimize: "memory" });
      expect(targets.map((t) => t.identical)).toEqual([true, true]);
    }
  });
});
