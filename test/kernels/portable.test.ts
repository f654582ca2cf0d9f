import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/ir/graph.js";
import { averagePool2d } from "../../src/ops/average_pool2d/average_pool2d.js";
import { sampleChannels } from "../../src/ops/common/weighted.js";
import { conv2d } from "../../src/ops/conv2d/conv2d.js";
import { depthwiseConv2d } from "../../src/ops/depthwise_conv2d/depthwise_conv2d.js";
import { fullyConnected } from "../../src/ops/fully_connected/fully_connected.js";
import type { AnyOp } from "../../src/ops/index.js";
import { maxPool2d } from "../../src/ops/max_pool2d/max_pool2d.js";
import type { Sample, SampleTensor } from "../../src/ops/spec.js";
import { chosen, type KernelCase, kernelCases, kernelProblems } from "./cases.js";
import { convSamples, wideOf } from "./conv-samples.js";
import { deepSamples, denseSamples } from "./dense-samples.js";
import { depthwiseSample, depthwiseSamples, depthwiseShapes } from "./depthwise-samples.js";
import { poolSamples } from "./pool-samples.js";

type Samples = readonly Sample<object>[];

/** The weights of a sample, changed. */
const withWeights = (sample: Sample<object>, change: (weights: SampleTensor) => SampleTensor): Sample<object> => ({
  ...sample,
  inputs: sample.inputs.map((t, i) => (i === 1 && t !== null ? change(t) : t)),
});

/** The same with int4 weights. */
const narrowOf = (sample: Sample<object>): Sample<object> =>
  withWeights(sample, (weights) => ({ ...weights, dtype: "int4", range: [-7, 7] }));

/** Every sample with `groups` times the channels, in as many groups. */
const grouped = (samples: Samples, groups: number): Samples =>
  samples.slice(0, 160).map((sample): Sample<object> => {
    const [input, weights, bias] = sample.inputs as [SampleTensor, SampleTensor, SampleTensor | null];
    const outputs = (weights.shape[0] ?? 1) * groups;
    const wide = weights.quant?.scales.length === 1 ? {} : { quant: sampleChannels(outputs, 0.01) };
    return {
      ...sample,
      name: `${groups} groups of ${sample.name}`,
      inputs: [
        { ...input, shape: input.shape.with(3, (input.shape[3] ?? 1) * groups) },
        { ...weights, ...wide, shape: weights.shape.with(0, outputs) },
        bias && { ...bias, shape: [outputs] },
      ],
    };
  });

/** Weights with a zero point, where they are quantized per tensor. */
const shifted = (samples: Samples): Samples =>
  samples
    .filter(({ inputs }) => inputs[1]?.quant?.scales.length === 1)
    .map((sample) => withWeights(sample, (weights) => ({ ...weights, quant: perTensor(0.02, 9) })));

const cases = (op: unknown, samples: Samples): readonly KernelCase[] => kernelCases(op as AnyOp, samples, "portable");

/** The samples with int16 activations, with the sums of 64 and of 32 bits. */
const wide = (op: unknown, samples: Samples): readonly KernelCase[] =>
  (["int64", "int32"] as const).flatMap((bias) =>
    cases(
      op,
      samples.map((s) => wideOf(s, bias)),
    ),
  );

const narrow = (op: unknown, samples: Samples): readonly KernelCase[] => cases(op, samples.map(narrowOf));

const convs = convSamples() as Samples;
const dense = [...denseSamples(), ...deepSamples()] as Samples;
const depthwise = depthwiseSamples() as Samples;
/** So many taps that their products of int16 may leave 32 bits. */
const large = depthwiseShapes()
  .slice(0, 6)
  .map((s) => depthwiseSample({ ...s, kernel: [26, 20], size: [27, 21] })) as Samples;
const pools = poolSamples() as Samples;
const widePools = pools.map(
  (s): Sample<object> => ({
    ...s,
    inputs: s.inputs.map((t) => t && { ...t, dtype: "int16", quant: perTensor(0.0003) }),
    outputs: s.outputs.map((t) => ({ ...t, dtype: "int16", quant: perTensor(0.0003) })),
  }),
);

const grid: readonly (readonly [name: string, kernels: readonly string[], cases: () => readonly KernelCase[]])[] = [
  ["convolutions", ["portable s8"], () => cases(conv2d, [...convs, ...grouped(convs, 2), ...grouped(convs, 3)])],
  ["convolutions of int16", ["portable s16", "portable s16_b32"], () => wide(conv2d, convs)],
  ["convolutions with int4 weights", ["portable s8_w4"], () => narrow(conv2d, convs)],
  ["fully connected layers", ["portable s8"], () => cases(fullyConnected, [...dense, ...shifted(dense)])],
  ["fully connected layers of int16", ["portable s16", "portable s16_b32"], () => wide(fullyConnected, dense)],
  ["fully connected layers with int4 weights", ["portable s8_w4"], () => narrow(fullyConnected, dense)],
  ["depthwise convolutions", ["portable s8"], () => cases(depthwiseConv2d, depthwise)],
  [
    "depthwise convolutions of int16",
    ["portable s16", "portable s16_b32"],
    () => wide(depthwiseConv2d, [...depthwise, ...large]),
  ],
  ["depthwise convolutions with int4 weights", ["portable s8_w4"], () => narrow(depthwiseConv2d, depthwise)],
  [
    "pools",
    ["portable s8", "portable s16"],
    () => [averagePool2d, maxPool2d].flatMap((op) => cases(op, [...pools, ...widePools])),
  ],
];

describe.each(["host", "wasm", "cortex-m3"])("portable kernels give the interpreter's bits on %s", (target) => {
  it.each(grid)("%s", { timeout: 240_000 }, async (_, kernels, make) => {
    const made = make();
    expect(chosen(made)).toEqual(new Set(kernels));
    expect(await kernelProblems(target, made)).toEqual([]);
  });
});
