import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { sampleChannels } from "../../src/ops/common/weighted.js";
import type { Conv2dAttrs } from "../../src/ops/conv2d/geometry.js";
import type { Sample } from "../../src/ops/spec.js";

/** What a convolution of the grid is. */
export interface ConvShape {
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

export const convAttrs: Conv2dAttrs = { padding: "SAME", stride: [1, 1], dilation: [1, 1], activation: "NONE" };

export function convSample(s: ConvShape): Sample<Conv2dAttrs> {
  const { inputs: c, outputs: n, kernel, size } = s;
  const a = { ...convAttrs, ...s.attrs };
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

export const pointwise: ConvShape = {
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

type Random = ReturnType<typeof seededRandom>;

/** One of several values. */
export const pick = <T>(random: Random, of: readonly T[]): T => of[random.integer(0, of.length - 1)] as T;

/** All channel counts, kernels and so on by turns, the rest of each shape at random. */
function shapes(): readonly ConvShape[] {
  const random = seededRandom(7);
  const any = (): ConvShape => {
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
    ...counts.map((n): ConvShape => ({ ...pointwise, inputs: n, outputs: 3 + (n % 2), size: [3, 1 + (n % 7)] })),
    ...counts.map(
      (n): ConvShape => ({ ...pointwise, inputs: 5, outputs: n, attrs: { activation: "RELU6" }, scale: 0.05 }),
    ),
    ...counts.map(
      (n): ConvShape => ({ ...any(), inputs: n, kernel: [3, 3], size: [4, 7], attrs: { padding: "SAME" } }),
    ),
    ...Array.from({ length: 11 }, (_, i): ConvShape => ({ ...any(), kernel: [i + 1, 1], size: [12, 5], attrs: {} })),
    ...Array.from({ length: 11 }, (_, i): ConvShape => ({ ...any(), kernel: [2, i + 1], size: [3, 13], attrs: {} })),
    ...Array.from({ length: 120 }, any),
  ];
}

/** Convolutions of all those shapes. */
export const convSamples = (): readonly Sample<Conv2dAttrs>[] => shapes().map(convSample);

/** A sample of int8 with int16 activations, and a bias of one of both types. */
export function wideOf<A>(sample: Sample<A>, bias: "int32" | "int64"): Sample<A> {
  const inputs = sample.inputs.map((t, i) => {
    if (t === null || i === 1) return t;
    return i === 0 ? { ...t, dtype: "int16" as const, quant: perTensor(0.0003) } : { ...t, dtype: bias };
  });
  const outputs = sample.outputs.map((o) => ({ ...o, dtype: "int16" as const, quant: perTensor(0.0005) }));
  return { ...sample, inputs, outputs };
}

/** A sample of int8 with int4 weights. */
export function narrowOf<A>(sample: Sample<A>): Sample<A> {
  const inputs = sample.inputs.map((t, i) =>
    t === null || i !== 1 ? t : { ...t, dtype: "int4" as const, range: [-8, 7] as const },
  );
  const outputs = sample.outputs.map((o) => ({
    ...o,
    quant: perTensor(0.3 * (o.quant?.scales[0] ?? 1), o.quant?.zeroPoints[0] ?? 0),
  }));
  return { ...sample, inputs, outputs };
}
