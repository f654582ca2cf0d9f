import { seededRandom } from "../../src/base/random.js";
import { perTensor } from "../../src/ir/graph.js";
import { sampleChannels } from "../../src/ops/common/weighted.js";
import type { DepthwiseConv2dAttrs } from "../../src/ops/depthwise_conv2d/geometry.js";
import type { Sample } from "../../src/ops/spec.js";

/** What a depthwise convolution of the grid is. */
export interface DepthwiseShape {
  readonly channels: number;
  readonly multiplier: number;
  readonly kernel: readonly [number, number];
  readonly size: readonly [number, number];
  readonly attrs: Partial<DepthwiseConv2dAttrs>;
  readonly zero: number;
  readonly outZero: number;
  /** Output scale; small ones saturate. */
  readonly scale: number;
  readonly channelwise: boolean;
  readonly bias: boolean;
  readonly batch: number;
}

export const depthwiseAttrs: DepthwiseConv2dAttrs = {
  padding: "SAME",
  stride: [1, 1],
  dilation: [1, 1],
  depthMultiplier: 1,
  activation: "NONE",
};

export function depthwiseSample(s: DepthwiseShape): Sample<DepthwiseConv2dAttrs> {
  const outputs = s.channels * s.multiplier;
  return {
    name: JSON.stringify(s),
    attrs: { ...depthwiseAttrs, ...s.attrs, depthMultiplier: s.multiplier },
    inputs: [
      { shape: [s.batch, ...s.size, s.channels], dtype: "int8", quant: perTensor(0.05, s.zero) },
      {
        shape: [1, ...s.kernel, outputs],
        dtype: "int8",
        quant: s.channelwise ? sampleChannels(outputs, 0.01, 3) : perTensor(0.02),
        constant: "random",
        range: [-127, 127],
      },
      s.bias ? { shape: [outputs], dtype: "int32", constant: "random", range: [-3000, 3000] } : null,
    ],
    outputs: [{ dtype: "int8", quant: perTensor(s.scale, s.outZero) }],
  };
}

const one: DepthwiseShape = {
  channels: 8,
  multiplier: 1,
  kernel: [3, 3],
  size: [4, 7],
  attrs: {},
  zero: -128,
  outZero: -128,
  scale: 0.5,
  channelwise: false,
  bias: true,
  batch: 1,
};

/** All channel counts, kernels and widths by turns, the rest of each shape at random. */
export function depthwiseShapes(): readonly DepthwiseShape[] {
  const random = seededRandom(11);
  const pick = <T>(of: readonly T[]): T => of[random.integer(0, of.length - 1)] as T;
  const any = (fixed: Partial<DepthwiseShape> = {}): DepthwiseShape => {
    const kernel = fixed.kernel ?? ([random.integer(1, 5), random.integer(1, 5)] as const);
    const dilation = [pick([1, 1, 2]), pick([1, 1, 1, 3])] as const;
    const least = kernel.map((k, i) => (k - 1) * (dilation[i] as number) + 1) as [number, number];
    return {
      channels: random.integer(1, 9),
      multiplier: pick([1, 1, 1, 2, 3]),
      kernel,
      size: [least[0] + random.integer(0, 3), least[1] + random.integer(0, 12)],
      attrs: {
        padding: pick(["SAME", "VALID", [0, 2, 1, 3], [1, 0, 2, 1], [4, 4, 3, 3]] as const),
        stride: [random.integer(1, 3), pick([1, 1, 2, 2, 3])],
        dilation,
        activation: pick(["NONE", "RELU", "RELU6"] as const),
      },
      zero: pick([-128, 0, 127, 5]),
      outZero: pick([-128, 0, 127, -3]),
      scale: pick([0.02, 0.1, 0.5, 4]),
      channelwise: random.integer(0, 1) === 1,
      bias: random.integer(0, 3) > 0,
      batch: random.integer(1, 8) === 1 ? 2 : 1,
      ...fixed,
    };
  };
  const counts = [...Array.from({ length: 40 }, (_, i) => i + 1), 64, 96];
  const to = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);
  const strided = (stride: number) => ({ padding: "SAME", stride: [stride, stride], activation: "RELU6" }) as const;
  return [
    ...counts.map(
      (n): DepthwiseShape => ({ ...one, channels: n, zero: pick([-128, 0, 127]), scale: pick([0.05, 0.5]) }),
    ),
    ...counts.map((n): DepthwiseShape => any({ channels: n, multiplier: 1, kernel: [3, 3] })),
    // Outputs on both sides of their zero point are rounded twice.
    ...counts.map((n): DepthwiseShape => {
      const attrs = { padding: "SAME", stride: [1, 1 + (n % 2)] } as const;
      return { ...one, channels: n, kernel: [3, n % 3 === 0 ? 5 : 3], size: [4, 6], attrs, outZero: -3, scale: 0.0437 };
    }),
    ...to(40).map(
      (width): DepthwiseShape => ({ ...one, channels: 5, size: [3, width], attrs: strided(1 + (width % 2)) }),
    ),
    ...to(40).map(
      (w): DepthwiseShape => any({ channels: 4, kernel: [5, 5], size: [3, w], attrs: strided(1 + (w % 2)) }),
    ),
    ...to(11).map(
      (k): DepthwiseShape => any({ kernel: [k, 1], size: [12, 5], attrs: {}, channels: k + 3, multiplier: 1 }),
    ),
    ...to(11).map(
      (k): DepthwiseShape => any({ kernel: [k, 1], size: [12, 1], attrs: {}, channels: k + 3, multiplier: 1 }),
    ),
    ...to(11).flatMap((k) => [1, 2].map((s) => any({ kernel: [2, k], size: [3, 13], attrs: strided(s) }))),
    ...to(11).flatMap((k) => [1, 2].map((s) => any({ kernel: [k, k], size: [5, 9], attrs: strided(s) }))),
    ...to(11).flatMap((k) =>
      [1, 2].map((s) => any({ channels: 1, multiplier: 8, kernel: [4, k], size: [7, 21], attrs: strided(s) })),
    ),
    ...Array.from({ length: 120 }, () => any()),
  ];
}

/** Depthwise convolutions of all those shapes. */
export const depthwiseSamples = (): readonly Sample<DepthwiseConv2dAttrs>[] => depthwiseShapes().map(depthwiseSample);
