/** Layers of usual sizes, to measure kernels on. */
import { perTensor } from "../src/ir/graph.js";
import { sampleChannels } from "../src/ops/common/weighted.js";
import type { Sample, SampleTensor } from "../src/ops/spec.js";

/** A layer: its operator and what it is applied to. */
export interface Layer {
  readonly op: string;
  readonly sample: Sample<object>;
}

const image = (height: number, width: number, channels: number): SampleTensor => ({
  shape: [1, height, width, channels],
  dtype: "int8",
  quant: perTensor(0.05, -128),
});

const weights = (shape: readonly number[], outputs: number, axis: number): readonly SampleTensor[] => [
  { shape, dtype: "int8", quant: sampleChannels(outputs, 0.01, axis), constant: "random", range: [-60, 60] },
  { shape: [outputs], dtype: "int32", constant: "random", range: [-3000, 3000] },
];

const outputs = [{ dtype: "int8", quant: perTensor(0.5, -128) }] as const;
const windowed = { padding: "SAME", dilation: [1, 1], activation: "RELU" } as const;

/** A convolution along time: the height. */
const series = (rows: number, from: number, to: number, taps: number, stride = 1): Layer => ({
  op: "CONV_2D",
  sample: {
    name: `series ${rows}x${from} -> ${to}, ${taps} taps`,
    attrs: { ...windowed, padding: "VALID", stride: [stride, 1] },
    inputs: [image(rows, 1, from), ...weights([to, taps, 1, from], to, 0)],
    outputs,
  },
});

const conv = (size: number, from: number, to: number, kernel: number, stride: number): Layer => ({
  op: "CONV_2D",
  sample: {
    name: `conv ${size}x${size}x${from} -> ${to}, ${kernel}x${kernel} stride ${stride}`,
    attrs: { ...windowed, stride: [stride, stride] },
    inputs: [image(size, size, from), ...weights([to, kernel, kernel, from], to, 0)],
    outputs,
  },
});

const depthwise = (size: number, channels: number, kernel: number, stride: number, multiplier = 1): Layer => ({
  op: "DEPTHWISE_CONV_2D",
  sample: {
    name: `depthwise ${size}x${size}x${channels}, ${kernel}x${kernel} stride ${stride}`,
    attrs: { ...windowed, stride: [stride, stride], depthMultiplier: multiplier },
    inputs: [
      image(size, size, channels),
      ...weights([1, kernel, kernel, channels * multiplier], channels * multiplier, 3),
    ],
    outputs,
  },
});

/** A depthwise convolution along time. */
const depthwiseSeries = (rows: number, channels: number, taps: number): Layer => ({
  op: "DEPTHWISE_CONV_2D",
  sample: {
    name: `depthwise series ${rows}x${channels}, ${taps} taps`,
    attrs: { ...windowed, padding: "VALID", stride: [1, 1], depthMultiplier: 1 },
    inputs: [image(rows, 1, channels), ...weights([1, taps, 1, channels], channels, 3)],
    outputs,
  },
});

const dense = (from: number, to: number): Layer => ({
  op: "FULLY_CONNECTED",
  sample: {
    name: `dense ${from} -> ${to}`,
    attrs: { activation: "NONE", keepNumDims: false },
    inputs: [
      { shape: [1, from], dtype: "int8", quant: perTensor(0.05, -128) },
      { shape: [to, from], dtype: "int8", quant: perTensor(0.01), constant: "random", range: [-60, 60] },
      { shape: [to], dtype: "int32", constant: "random", range: [-3000, 3000] },
    ],
    outputs,
  },
});

const pool = (op: string, size: number, channels: number, window: number): Layer => ({
  op,
  sample: {
    name: `${op} ${size}x${size}x${channels}, ${window}x${window}`,
    attrs: { padding: "VALID", stride: [window, window], kernel: [window, window], activation: "NONE" },
    inputs: [{ ...image(size, size, channels), quant: perTensor(0.5, -128) }],
    outputs,
  },
});

const sum = (size: number, channels: number): Layer => ({
  op: "ADD",
  sample: {
    name: `sum ${size}x${size}x${channels}`,
    attrs: { activation: "NONE", potScaleInt16: false },
    inputs: [image(size, size, channels), { ...image(size, size, channels), quant: perTensor(0.04, 3) }],
    outputs: [{ dtype: "int8", quant: perTensor(0.08, -5) }],
  },
});

const lstm = (steps: number, inputs: number, units: number): Layer => {
  const matrix = (columns: number): SampleTensor => ({
    shape: [units, columns],
    dtype: "int8",
    quant: perTensor(0.01),
    constant: "random",
    range: [-60, 60],
  });
  const bias: SampleTensor = { shape: [units], dtype: "int32", constant: "random", range: [-2000, 2000] };
  const hidden = perTensor(0.008, 3);
  const four = <T>(value: T): readonly T[] => [value, value, value, value];
  return {
    op: "UNIDIRECTIONAL_SEQUENCE_LSTM",
    sample: {
      name: `lstm ${steps}x${inputs} -> ${units}`,
      attrs: { timeMajor: false, cellClip: 0 },
      inputs: [
        { shape: [1, steps, inputs], dtype: "int8", quant: perTensor(0.02, -7) },
        ...[...four(matrix(inputs)), ...four(matrix(units))],
        ...[null, null, null, ...four(bias), null, null],
        { shape: [1, units], dtype: "int8", quant: hidden, variable: true },
        { shape: [1, units], dtype: "int16", quant: perTensor(2 ** -11), variable: true },
        ...four(null),
      ],
      outputs: [{ dtype: "int8", quant: hidden }],
    },
  };
};

/** The same layer before a sum: without an activation, its zero point not at the end of the range. */
const linear = ({ op, sample }: Layer): Layer => ({
  op,
  sample: {
    ...sample,
    name: `${sample.name}, linear`,
    attrs: { ...sample.attrs, activation: "NONE" },
    outputs: [{ dtype: "int8", quant: perTensor(0.437, -5) }],
  },
});

/** Layers that end a residual block, or a bottleneck. */
const linearLayers = (): readonly Layer[] =>
  [
    ...[8, 16, 32].flatMap((c) => [9, 16].map((size) => conv(size, c, c, 3, 1))),
    ...[conv(12, 96, 16, 1, 1), conv(9, 48, 24, 1, 1), conv(4, 128, 64, 1, 1), conv(16, 16, 8, 1, 1)],
    ...[depthwise(12, 24, 3, 1), depthwise(5, 64, 3, 1), depthwise(10, 48, 5, 1), depthwise(12, 40, 3, 2)],
    ...[3, 5, 10].flatMap((taps) => [40, 128].map((c) => depthwiseSeries(26, c, taps))),
    ...[series(28, 40, 128, 1), series(24, 128, 64, 1), series(20, 32, 32, 3)],
  ].map(linear);

/** Layers that cover what small networks have. */
export const usualLayers = (): readonly Layer[] => [
  ...linearLayers(),
  ...[8, 16, 32, 64, 128].flatMap((c) => [4, 9].map((size) => conv(size, c, c, 1, 1))),
  ...[conv(12, 16, 96, 1, 1), conv(12, 96, 16, 1, 1), conv(5, 48, 13, 1, 1), conv(7, 7, 31, 1, 1)],
  ...[conv(11, 24, 48, 1, 2), conv(3, 256, 64, 1, 1), conv(24, 8, 8, 1, 1)],
  ...[conv(24, 3, 8, 3, 2), conv(24, 3, 16, 3, 1), conv(24, 1, 8, 3, 2), conv(20, 1, 32, 5, 2)],
  ...[8, 16, 32].flatMap((c) => [1, 2].flatMap((stride) => [9, 16].map((size) => conv(size, c, c, 3, stride)))),
  ...[series(30, 40, 64, 3), series(28, 32, 32, 1), series(20, 64, 96, 5), series(25, 10, 16, 3, 2)],
  ...[series(24, 16, 32, 9), series(40, 3, 24, 7)],
  ...[conv(6, 16, 16, 5, 1), conv(14, 4, 12, 3, 1), conv(8, 10, 20, 3, 1)],
  ...[8, 24, 64, 100].flatMap((c) => [1, 2].flatMap((s) => [5, 12].map((size) => depthwise(size, c, 3, s)))),
  ...[3, 5, 10, 15].flatMap((taps) => [40, 96].map((c) => depthwiseSeries(26, c, taps))),
  ...[16, 48].flatMap((c) => [5, 7].flatMap((k) => [1, 2].map((s) => depthwise(10, c, k, s)))),
  ...[
    depthwise(20, 1, 8, 2, 8),
    depthwise(40, 1, 10, 2, 8),
    depthwise(16, 1, 4, 1, 8),
    depthwise(24, 1, 6, 2, 8),
    depthwise(12, 4, 3, 1, 2),
    depthwise(9, 3, 3, 1),
    depthwise(16, 8, 1, 1),
  ],
  ...[
    dense(640, 128),
    dense(128, 128),
    dense(128, 8),
    dense(64, 12),
    dense(1000, 10),
    dense(30, 30),
    dense(4000, 4),
    dense(784, 32),
  ],
  ...["AVERAGE_POOL_2D", "MAX_POOL_2D"].flatMap((op) => [pool(op, 12, 16, 2), pool(op, 8, 64, 8), pool(op, 15, 5, 3)]),
  ...[sum(8, 16), sum(16, 32), sum(5, 7), sum(12, 64)],
  ...[
    lstm(8, 10, 8),
    lstm(8, 40, 8),
    lstm(6, 13, 20),
    lstm(10, 16, 16),
    lstm(4, 40, 32),
    lstm(4, 64, 64),
    lstm(8, 8, 32),
  ],
];
