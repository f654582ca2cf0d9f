import { fail } from "../base/diagnostics.js";
import type { Graph } from "../ops/index.js";
import { Network, type Value } from "./network.js";

/** What the caller chooses of a network of the zoo. */
export interface ZooOptions {
  /** Input shape without the batch, channels last. */
  readonly input?: readonly number[];
  /** Outputs: one for each class (autoencoder: none, its outputs are its inputs). */
  readonly classes?: number;
  /** Multiplies channels; results are rounded to multiples of 8 where the network has at least 8. */
  readonly width?: number;
  readonly seed?: number;
}

/** A network of the zoo. */
export interface ZooEntry {
  readonly summary: string;
  readonly source: string;
  readonly input: readonly number[];
  readonly classes: number;
  /** What the network gives: values of classes or targets (default), or its inputs, to be compared with them. */
  readonly gives?: "inputs";
  readonly build: (net: Network, x: Value, options: { readonly classes: number; readonly width: number }) => Value;
}

/** Channels times width, to a multiple of 8 that is not more than 10% below (as MobileNet's authors round). */
function scaled(channels: number, width: number): number {
  const wanted = channels * width;
  if (wanted < 8) return Math.max(1, Math.round(wanted));
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

/** A block of MobileNetV2: expansion, depthwise, projection; a residual where sizes stay. */
interface InvertedResidual {
  readonly expansion: number;
  readonly channels: number;
  readonly stride: 1 | 2;
  readonly kernel: number;
}

function invertedResidual(net: Network, x: Value, block: InvertedResidual, width: number): Value {
  const channels = x.shape[3] ?? 1;
  const out = scaled(block.channels, width);
  const body = (y: Value): Value => {
    const hidden = Math.round(channels * block.expansion);
    const wide = block.expansion === 1 ? y : net.pointwise(y, hidden, { activation: "relu6" });
    const deep = net.depthwise(wide, { kernel: block.kernel, stride: block.stride, activation: "relu6" });
    return net.pointwise(deep, out, { activation: "none" });
  };
  return block.stride === 1 && channels === out ? net.residual(x, body) : body(x);
}

/** Rows of [expansion, channels, stride of the first, kernels...]: one block for each kernel. */
const blocks = (rows: readonly (readonly number[])[]): readonly InvertedResidual[] =>
  rows.flatMap(([expansion = 1, channels = 8, stride = 1, ...kernels]) =>
    kernels.map((kernel, i) => ({ expansion, channels, kernel, stride: i === 0 && stride === 2 ? 2 : 1 })),
  );

const mobilenetV2Blocks = blocks([
  [1, 16, 1, 3],
  [6, 24, 2, 3, 3],
  [6, 32, 2, 3, 3, 3],
  [6, 64, 2, 3, 3, 3, 3],
  [6, 96, 1, 3, 3, 3],
  [6, 160, 2, 3, 3, 3],
  [6, 320, 1, 3],
]);

const mcunetBlocks = blocks([
  [1, 8, 1, 3],
  [6, 16, 2, 5],
  [3, 16, 1, 5, 5],
  [3, 24, 2, 7],
  [5, 24, 1, 3, 5],
  [5, 40, 2, 7],
  [5, 40, 1, 7],
  [5, 48, 1, 3],
  [4, 48, 1, 3],
  [5, 96, 2, 5],
  [4, 96, 1, 3, 3],
  [3, 160, 1, 7],
]);

/** A convolution, then blocks, then the mean and a dense layer. */
function inverted(stem: number, rows: readonly InvertedResidual[], head: number): ZooEntry["build"] {
  return (net, input, { classes, width }) => {
    let x = net.conv(input, scaled(stem, width), { stride: 2, activation: "relu6" });
    for (const block of rows) x = invertedResidual(net, x, block, width);
    if (head > 0) x = net.pointwise(x, Math.max(head, scaled(head, width)), { activation: "relu6" });
    return net.dense(net.globalPool(x), classes);
  };
}

/** Channels and strides of MobileNetV1's depthwise separable blocks. */
const mobilenetV1Blocks = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** Every network, by name. Outputs are logits: the loss has the softmax. */
export const zoo: Readonly<Record<string, ZooEntry>> = {
  "ds-cnn": {
    summary: "depthwise separable CNN for keyword spotting",
    source: "Zhang et al. 2017, Hello Edge; as in MLPerf Tiny",
    input: [49, 10, 1],
    classes: 12,
    build: (net, input, { classes, width }) => {
      const filters = scaled(64, width);
      // A kernel of 10x4 frames and coefficients; smaller inputs take what they have.
      const [height = 1, columns = 1] = input.shape.slice(1);
      let x = net.conv(input, filters, { kernel: [Math.min(10, height), Math.min(4, columns)], stride: 2 });
      x = net.dropout(x, 0.2);
      for (let i = 0; i < 4; i++) x = net.pointwise(net.depthwise(x), filters);
      return net.dense(net.globalPool(net.dropout(x, 0.4)), classes);
    },
  },
  "gru-kws": {
    summary: "one GRU over feature frames, for keyword spotting; also for series [time, channels]",
    source: "Zhang et al. 2017, Hello Edge: the small GRU, units rounded to a multiple of 8",
    input: [49, 10, 1],
    classes: 12,
    build: (net, input, { classes, width }) => net.dense(net.dropout(net.gru(input, scaled(154, width)), 0.2), classes),
  },
  "mobilenet-v1": {
    summary: "depthwise separable blocks for images",
    source: "Howard et al. 2017; width 0.25 at 96x96 is MLPerf Tiny's visual wake words",
    input: [96, 96, 3],
    classes: 2,
    build: (net, input, { classes, width }) => {
      let x = net.conv(input, scaled(32, width), { stride: 2 });
      for (const [channels, stride] of mobilenetV1Blocks)
        x = net.pointwise(net.depthwise(x, { stride }), scaled(channels, width));
      return net.dense(net.globalPool(x), classes);
    },
  },
  "mobilenet-v2": {
    summary: "inverted residuals for images",
    source: "Sandler et al. 2018",
    input: [96, 96, 3],
    classes: 10,
    build: inverted(32, mobilenetV2Blocks, 1280),
  },
  mcunet: {
    summary: "inverted residuals with kernels of several sizes, found by search for 320 kB of SRAM",
    source: "Lin et al. 2020, MCUNet (the visual wake words network's shape)",
    input: [80, 80, 3],
    classes: 2,
    build: inverted(16, mcunetBlocks, 0),
  },
  "resnet-8": {
    summary: "residual network for small images",
    source: "Banbury et al. 2021, MLPerf Tiny's image classification",
    input: [32, 32, 3],
    classes: 10,
    build: (net, input, { classes, width }) => {
      let x = net.conv(input, scaled(16, width));
      for (const [i, channels] of [16, 32, 64].entries()) {
        const filters = scaled(channels, width);
        const body = (y: Value): Value =>
          net.conv(net.conv(y, filters, { stride: i === 0 ? 1 : 2 }), filters, { activation: "none" });
        x = net.residual(x, body, "relu");
      }
      return net.dense(net.globalPool(x), classes);
    },
  },
  tcn: {
    summary: "dilated residual convolutions over time; input [time, 1, channels]",
    source: "Bai et al. 2018, padded on both sides",
    input: [128, 1, 6],
    classes: 5,
    build: (net, input, { classes, width }) => {
      const filters = scaled(32, width);
      let x = net.conv(input, filters, { kernel: [3, 1] });
      for (const dilation of [1, 2, 4, 8]) {
        const options = { kernel: [3, 1], dilation: [dilation, 1] } as const;
        x = net.residual(
          x,
          (y) => net.conv(net.conv(y, filters, options), filters, { ...options, activation: "none" }),
          "relu",
        );
      }
      return net.dense(net.globalPool(x), classes);
    },
  },
  autoencoder: {
    summary: "dense autoencoder for anomalies; its outputs are its inputs",
    source: "Koizumi et al. 2019; as in MLPerf Tiny's anomaly detection",
    input: [640],
    classes: 0,
    gives: "inputs",
    build: (net, input, { width }) => {
      const layer = { activation: "relu", norm: "batch" } as const;
      const units = scaled(128, width);
      let x = input;
      for (const n of [units, units, units, units, 8, units, units, units, units]) x = net.dense(x, n, layer);
      return net.dense(x, input.shape[1] ?? 1);
    },
  },
  mlp: {
    summary: "three dense layers",
    source: "",
    input: [64],
    classes: 10,
    build: (net, input, { classes, width }) => {
      const units = scaled(64, width);
      return net.dense(
        net.dense(net.dense(input, units, { activation: "relu" }), units, { activation: "relu" }),
        classes,
      );
    },
  },
};

/** Wider ones would hold memory for weights by the gigabyte. */
const maxWidth = 16;

/** A network of the zoo by its name. Throws TH7001 for a name that is not there. */
export function zooEntry(name: string): ZooEntry {
  const entry = Object.hasOwn(zoo, name) ? zoo[name] : undefined;
  return (
    entry ?? fail("TH7001", { found: name, expected: Object.keys(zoo).join(", "), fix: "name one of these networks" })
  );
}

/**
 * Builds a network of the zoo: float32, batch 1, weights initialised from the seed (default 1).
 * Throws TH7001 for a name that is not there, TH6003 for a width that is none, and the operators' diagnostics where an
 * input is too small.
 */
export function zooNetwork(name: string, options: ZooOptions = {}): Graph {
  const entry = zooEntry(name);
  const { classes = entry.classes, width = 1 } = options;
  if (!(width > 0 && width <= maxWidth))
    fail("TH6003", {
      where: [name, "width"],
      found: String(width),
      expected: `more than 0, at most ${maxWidth}`,
      fix: "choose a width that a microcontroller could hold",
    });
  const net = new Network(name, options.seed === undefined ? {} : { seed: options.seed });
  const x = net.input(options.input ?? entry.input);
  return net.graph([entry.build(net, x, { classes, width })]);
}
