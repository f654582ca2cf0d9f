import { describe, expect, it } from "vitest";
import { seededRandom } from "../src/base/random.js";
import { perTensor } from "../src/ir/graph.js";
import { sampleChannels } from "../src/ops/common/weighted.js";
import { conv2d } from "../src/ops/conv2d/conv2d.js";
import type { Conv2dAttrs } from "../src/ops/conv2d/geometry.js";
import { type FullyConnectedAttrs, fullyConnected } from "../src/ops/fully_connected/fully_connected.js";
import type { Graph } from "../src/ops/index.js";
import { randomData } from "../src/ops/sample.js";
import type { Sample, SampleTensor } from "../src/ops/spec.js";
import { findTarget } from "../src/verify/targets.js";
import { type DspCase, dspCase, dspProblems } from "./dsp-cases.js";
import { addNode, addTensor, newDraft, toGraph } from "./graphs.js";
import { planForms, runForms } from "./plan-checks.js";

/** What a convolution of the grid is. */
interface Shape {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: readonly [number, number];
  readonly size: readonly [number, number];
  readonly attrs: Partial<Conv2dAttrs>;
  readonly zero: number;
  readonly outZero: number;
  /** Output scale: below 0.001 sums shift to the left, below 0.005 weights are small, so that every rounding shows. */
  readonly scale: number;
  readonly channelwise: boolean;
  readonly bias: boolean;
  readonly batch: number;
}

const base: Conv2dAttrs = { padding: "SAME", stride: [1, 1], dilation: [1, 1], activation: "NONE" };

function sampleOf(s: Shape): Sample<Conv2dAttrs> {
  const { inputs: c, outputs: n, kernel, size } = s;
  const a = { ...base, ...s.attrs };
  return {
    name: `${size.join("x")}x${c} -> ${n}, ${kernel.join("x")} ${JSON.stringify(s)}`,
    attrs: a,
    inputs: [
      { shape: [s.batch, ...size, c], dtype: "int8", quant: perTensor(0.05, s.zero) },
      {
        shape: [n, ...kernel, c],
        dtype: "int8",
        quant: s.channelwise ? sampleChannels(n, 0.01) : perTensor(0.02),
        constant: "random",
        range: s.scale < 0.005 && s.scale > 0.001 ? [-1, 1] : [-127, 127],
      },
      s.bias ? { shape: [n], dtype: "int32", constant: "random", range: [-3000, 3000] } : null,
    ],
    outputs: [{ dtype: "int8", quant: perTensor(s.scale, s.outZero) }],
  };
}

const one: Shape = {
  inputs: 8,
  outputs: 8,
  kernel: [1, 1],
  size: [3, 5],
  attrs: {},
  zero: -128,
  outZero: -128,
  scale: 0.5,
  channelwise: true,
  bias: true,
  batch: 1,
};

const pick = <T>(random: { integer(low: number, high: number): number }, of: readonly T[]): T =>
  of[random.integer(0, of.length - 1)] as T;

/** All channel counts, kernels and so on by turns, the rest of each shape at random. */
function shapes(): readonly Shape[] {
  const random = seededRandom(7);
  const any = (): Shape => {
    const kernel = [random.integer(1, 5), random.integer(1, 5)] as const;
    const dilation = [pick(random, [1, 1, 2]), pick(random, [1, 1, 3])] as const;
    const least = kernel.map((k, i) => (k - 1) * (dilation[i] as number) + 1) as [number, number];
    return {
      inputs: random.integer(1, 9),
      outputs: random.integer(1, 9),
      kernel,
      size: [least[0] + random.integer(0, 3), least[1] + random.integer(0, 8)],
      attrs: {
        padding: pick(random, ["SAME", "VALID", [0, 2, 1, 3], [1, 0, 2, 1]] as const),
        stride: [random.integer(1, 3), random.integer(1, 3)],
        dilation,
        activation: pick(random, ["NONE", "RELU", "RELU6"] as const),
      },
      zero: pick(random, [-128, 0, 127, 5]),
      outZero: pick(random, [-128, 0, 127, -3]),
      scale: pick(random, [0.02, 0.1, 0.5, 4, 0.0004, 0.0015, 0.003]),
      channelwise: random.integer(0, 1) === 1,
      bias: random.integer(0, 3) > 0,
      batch: random.integer(1, 8) === 1 ? 2 : 1,
    };
  };
  const counts = [...Array.from({ length: 40 }, (_, i) => i + 1), 64, 96];
  return [
    ...counts.map((n): Shape => ({ ...one, inputs: n, outputs: 3 + (n % 2), size: [3, 1 + (n % 7)] })),
    ...counts.map((n): Shape => ({ ...one, inputs: 5, outputs: n, attrs: { activation: "RELU6" }, scale: 0.05 })),
    ...counts.map((n): Shape => ({ ...any(), inputs: n, kernel: [3, 3], size: [4, 7], attrs: { padding: "SAME" } })),
    ...Array.from({ length: 11 }, (_, i): Shape => ({ ...any(), kernel: [i + 1, 1], size: [12, 5], attrs: {} })),
    ...Array.from({ length: 11 }, (_, i): Shape => ({ ...any(), kernel: [2, i + 1], size: [3, 13], attrs: {} })),
    ...Array.from({ length: 120 }, any),
  ];
}

const cases = (): readonly DspCase[] => shapes().map((s, i) => dspCase(conv2d as never, sampleOf(s) as never, i + 1));

const dense = (units: number, depth: number, batch: number, seed: number): Sample<FullyConnectedAttrs> => {
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
const denseCases = (): readonly DspCase[] =>
  [...Array.from({ length: 40 }, (_, i) => i + 1), 64, 96, 250].flatMap((n) => [
    dspCase(fullyConnected as never, dense(12, n, 1 + (n % 2), n) as never, n),
    dspCase(fullyConnected as never, dense(n + 2, 8 + (n % 5), 1, n) as never, n),
  ]);

/** Layers so deep that sums are cut into segments, in two and in more. */
const deepCases = (): readonly DspCase[] =>
  [1200, 2400, 4000].flatMap((n) =>
    [3, 4, 9].map((units) => dspCase(fullyConnected as never, dense(units, n, 1, n + units) as never, n)),
  );

describe("fully connected layers for the DSP instructions", () => {
  it("are chosen for every shape of the grid", () => {
    expect(new Set([...denseCases(), ...deepCases()].map(({ kernel }) => kernel))).toEqual(new Set(["dsp s8"]));
  });

  it.each(["host", "cortex-m4"])("give the interpreter's bits on %s", { timeout: 240_000 }, async (target) => {
    expect(await dspProblems(target, [...denseCases(), ...deepCases()])).toEqual([]);
  });
});

describe("weights that do not pack", () => {
  const [input, weights, bias] = sampleOf({ ...one, channelwise: false }).inputs as readonly SampleTensor[];
  const kernelOf = (
    change: Partial<SampleTensor>,
    biases: Partial<SampleTensor> = {},
    groups = 1,
    scale = 1,
  ): string => {
    const inputs = [
      { ...(input as SampleTensor), shape: [1, 3, 5, 8 * groups] },
      { ...(weights as SampleTensor), ...change },
      { ...(bias as SampleTensor), ...biases },
    ];
    const sample = { ...sampleOf({ ...one, scale }), inputs } as Sample<Conv2dAttrs>;
    return dspCase(conv2d as never, sample as never, 1).kernel;
  };
  const filled = (even: number, odd: number) => Array.from({ length: 64 }, (_, i) => ((i >> 3) % 2 === 0 ? even : odd));

  it("are left to the portable kernel", () => {
    expect(kernelOf({ constant: filled(127, -127) })).toBe("dsp s8, by pixels");
    expect(kernelOf({ constant: filled(-1, -127) })).toBe("dsp s8, by pixels");
    expect(kernelOf({ constant: filled(0, -128) })).toBe("dsp s8, by pixels");
    expect(kernelOf({ constant: filled(-1, -128) }), "a half below -2^15").toBe("portable s8");
    const large = { constant: new Array<number>(8).fill(2 ** 30) };
    expect(kernelOf({}, large), "outputs that never change").toBe("dsp s8, by pixels");
    const between = (0.001 * 2 ** 30) / 100.5;
    expect(kernelOf({}, large, 1, between), "sums beyond 30 bits").toBe("portable s8");
    expect(kernelOf({}, {}, 2), "groups").toBe("portable s8");
  });
});

describe("convolutions for the DSP instructions", () => {
  it("are chosen for every shape of the grid", () => {
    const kernels = cases().map(({ kernel }) => kernel);
    expect(kernels.filter((k) => !k.startsWith("dsp "))).toEqual([]);
    expect(new Set(kernels)).toEqual(new Set(["dsp s8", "dsp s8, by pixels"]));
  });

  it.each(["host", "cortex-m4"])("give the interpreter's bits on %s", { timeout: 240_000 }, async (target) => {
    expect(await dspProblems(target, cases())).toEqual([]);
  });
});

describe("planned by rows", () => {
  /** A 3x3 convolution, a 1x1 one, a 3x3 one with stride 2 whose channels are odd, a 1x1 one with stride 2. */
  function chain(width: number): Graph {
    const d = newDraft();
    const random = seededRandom(width);
    let x = addTensor(d, "input", [1, 9, width, 3], { quant: perTensor(0.1, 3) });
    const input = x;
    const layers = [
      [8, 3, 1],
      [13, 1, 1],
      [5, 3, 2],
      [6, 1, 2],
    ] as const;
    for (const [channels, size, stride] of layers) {
      const [, h = 1, w = 1, c = 1] = d.tensors.get(x)?.shape ?? [];
      const shape = [channels, size, size, c];
      const data = randomData({ shape, dtype: "int8", range: [-127, 127] }, random);
      const filter = addTensor(d, `w${d.tensors.size}`, shape, { quant: perTensor(0.01), data });
      const after = [1, Math.ceil(h / stride), Math.ceil(w / stride), channels];
      const out = addTensor(d, `t${d.tensors.size}`, after, { quant: perTensor(0.2, -5) });
      addNode(d, "CONV_2D", [x, filter, null], [out], { ...base, stride: [stride, stride] });
      x = out;
    }
    return toGraph(d, [input], [x]);
  }

  it.each(["host", "cortex-m4"])("convolutions give the interpreter's bits on %s", async (target) => {
    const planned = [1, 5, 6, 16].map((width) => planForms(chain(width), "dsp"));
    for (const { nodes } of planned) for (const n of nodes) expect(n.kernel.isa).toBe("dsp");
    expect((await runForms(findTarget(target), planned)).flat()).toEqual([]);
  });
});
