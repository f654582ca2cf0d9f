import { seededRandom } from "../base/random.js";
import type { Tensor } from "../ir/graph.js";
import { plainRecurrent, type RecurrentAttrs } from "../ops/common/recurrent-layer.js";
import type { Graph, OpName } from "../ops/index.js";
import { type Draft, newDraft } from "./draft.js";
import { type Initializer, initialWeights } from "./weights.js";

/** A value of a network under construction: float32, batch 1 first, channels last. */
export type Value = Tensor;

/** What may follow a layer; each is an operator of its own, which fuses when the network is compiled. */
export const activations = {
  none: null,
  relu: "RELU",
  relu6: "RELU6",
  "leaky-relu": "LEAKY_RELU",
  elu: "ELU",
  "hard-swish": "HARD_SWISH",
  sigmoid: "LOGISTIC",
  tanh: "TANH",
  softmax: "SOFTMAX",
} as const satisfies Record<string, OpName | null>;

export type ActivationName = keyof typeof activations;

const activationAttrs: Partial<Record<ActivationName, object>> = { "leaky-relu": { alpha: 0.1 }, softmax: { beta: 1 } };

/** One number for height and width, or each. */
export type Size = number | readonly [height: number, width: number];

const pair = (size: Size): readonly [number, number] => (typeof size === "number" ? [size, size] : size);

export interface LayerOptions {
  readonly name?: string;
  /** Default relu (dense: none). */
  readonly activation?: ActivationName;
  /** "batch": batch normalisation between the sums and the activation, in place of a bias. Default batch (dense: none). */
  readonly norm?: "batch" | "none";
}

export interface ConvOptions extends LayerOptions {
  /** Default 3. */
  readonly kernel?: Size;
  readonly stride?: Size;
  readonly dilation?: Size;
  /** "same" keeps ceil(size / stride); "valid" pads nothing. */
  readonly padding?: "same" | "valid";
}

export interface PoolOptions {
  readonly size?: Size;
  /** Default the size. */
  readonly stride?: Size;
  readonly padding?: "same" | "valid";
}

export interface RecurrentOptions {
  readonly name?: string;
  /** "last": the state after the last step, [1, units] (default); "sequence": that of every step, [1, steps, units]. */
  readonly returns?: "last" | "sequence";
  /** "backward" goes from the last step to the first. */
  readonly direction?: "forward" | "backward";
}

/**
 * Builds a float32 network layer by layer, sizes inferred, weights initialised from a seed:
 *
 * ```ts
 * const net = new Network("digits");
 * let x = net.input([28, 28, 1]);
 * x = net.conv(x, 16, { stride: 2 });
 * x = net.residual(x, (y) => net.conv(y, 16));
 * const graph = net.graph([net.dense(net.globalPool(x), 10)]);
 * ```
 *
 * Layers take and give values of batch 1; training makes the batch larger. Throws the operators' own diagnostics where
 * sizes do not go together.
 */
export class Network {
  private readonly draft: Draft = newDraft();
  private readonly random;
  private readonly counts = new Map<string, number>();

  constructor(
    readonly name: string,
    options: { readonly seed?: number } = {},
  ) {
    this.random = seededRandom(options.seed ?? 1);
  }

  /** An input of that shape, without the batch. */
  input(shape: readonly number[], name = "input"): Value {
    return this.draft.input(name, [1, ...shape]);
  }

  /** Convolution of [height, width, channels]. */
  conv(x: Value, filters: number, options: ConvOptions = {}): Value {
    const [kh, kw] = pair(options.kernel ?? 3);
    const channels = lastOf(x);
    const name = this.named(options.name ?? "conv");
    const fan = { in: kh * kw * channels, out: kh * kw * filters };
    const weights = this.weights(`${name}/weights`, [filters, kh, kw, channels], "he", fan);
    return this.layer(x, name, "CONV_2D", weights, filters, this.windowAttrs(options), options, "relu", "batch");
  }

  /** Convolution of 1x1. */
  pointwise(x: Value, filters: number, options: LayerOptions & { readonly stride?: Size } = {}): Value {
    return this.conv(x, filters, { ...options, name: options.name ?? "pointwise", kernel: 1 });
  }

  /** Each channel convolved by itself; `multiplier` outputs for each. */
  depthwise(x: Value, options: ConvOptions & { readonly multiplier?: number } = {}): Value {
    const [kh, kw] = pair(options.kernel ?? 3);
    const multiplier = options.multiplier ?? 1;
    const channels = lastOf(x) * multiplier;
    const name = this.named(options.name ?? "depthwise");
    const weights = this.weights(`${name}/weights`, [1, kh, kw, channels], "he", { in: kh * kw, out: kh * kw });
    const attrs = { ...this.windowAttrs(options), depthMultiplier: multiplier };
    return this.layer(x, name, "DEPTHWISE_CONV_2D", weights, channels, attrs, options, "relu", "batch");
  }

  /** Fully connected over the last axis of [.., depth]; [1, height, width, channels] is flattened first. */
  dense(x: Value, units: number, options: LayerOptions = {}): Value {
    const flat = x.shape.length > 2 ? this.flatten(x) : x;
    const depth = lastOf(flat);
    const name = this.named(options.name ?? "dense");
    const begin = (options.activation ?? "none") === "relu" ? "he" : "glorot";
    const weights = this.weights(`${name}/weights`, [units, depth], begin, { in: depth, out: units });
    return this.layer(flat, name, "FULLY_CONNECTED", weights, units, { keepNumDims: false }, options, "none", "none");
  }

  /**
   * Gated recurrent unit over [steps, features], or the rows of [height, width, channels], from a state of zeros. The reset
   * gate scales the candidate's recurrent sum, as in Keras and cuDNN (Cho et al. 2014).
   */
  gru(x: Value, units: number, options: RecurrentOptions = {}): Value {
    return this.recurrent("GRU", x, units, 3, options);
  }

  /** Long short-term memory, as {@link gru} (Hochreiter and Schmidhuber 1997; forget gates as Gers et al. 2000). */
  lstm(x: Value, units: number, options: RecurrentOptions = {}): Value {
    return this.recurrent("LSTM", x, units, 4, options);
  }

  /** Batch normalisation over all but the last axis (Ioffe and Szegedy 2015). */
  batchNorm(x: Value, name = this.named("norm")): Value {
    const channels = lastOf(x);
    const value = (part: string, initializer: Initializer): Value =>
      this.weights(`${name}/${part}`, [channels], initializer, { in: 1, out: 1 });
    const inputs = [
      x,
      value("gamma", "ones"),
      value("beta", "zeros"),
      value("mean", "zeros"),
      value("variance", "ones"),
    ];
    return this.draft.node("BATCH_NORMALIZATION", name, inputs, { epsilon: 1e-3 });
  }

  activation(x: Value, kind: ActivationName, name = this.named(kind)): Value {
    const op = activations[kind];
    return op === null ? x : this.draft.node(op, name, [x], activationAttrs[kind] ?? {});
  }

  /** Values set to zero at random while training; nothing at inference. */
  dropout(x: Value, rate: number): Value {
    return this.draft.node("DROPOUT", this.named("dropout"), [x], { rate });
  }

  maxPool(x: Value, options: PoolOptions = {}): Value {
    return this.pool("MAX_POOL_2D", "max-pool", x, options);
  }

  averagePool(x: Value, options: PoolOptions = {}): Value {
    return this.pool("AVERAGE_POOL_2D", "average-pool", x, options);
  }

  /** Mean over height and width: [1, height, width, channels] -> [1, channels]. */
  globalPool(x: Value): Value {
    return this.mean(x, [1, 2], "drop", "global-pool");
  }

  /** Element by element. */
  add(a: Value, b: Value, activation: ActivationName = "none"): Value {
    return this.activation(this.draft.node("ADD", this.named("add"), [a, b], { activation: "NONE" }), activation);
  }

  /** Element by element, sizes of 1 repeated. */
  multiply(a: Value, b: Value): Value {
    return this.draft.node("MUL", this.named("multiply"), [a, b], { activation: "NONE" });
  }

  /** x + body(x); a 1x1 convolution brings x to the body's shape where it changes (He et al. 2016). */
  residual(x: Value, body: (x: Value) => Value, activation: ActivationName = "none"): Value {
    const y = body(x);
    const isSame = y.shape.every((n, i) => n === x.shape[i]);
    const [height, width] = [1, 2].map((axis) => Math.round((x.shape[axis] ?? 1) / (y.shape[axis] ?? 1)));
    const stride = [height ?? 1, width ?? 1] as const;
    const shortcut = isSame ? x : this.pointwise(x, lastOf(y), { stride, activation: "none", name: "shortcut" });
    return this.add(y, shortcut, activation);
  }

  /** Joined along the last axis. */
  concat(values: readonly Value[]): Value {
    const axis = (values[0]?.shape.length ?? 1) - 1;
    return this.draft.node("CONCATENATION", this.named("concat"), values, { axis, activation: "NONE" });
  }

  reshape(x: Value, shape: readonly number[]): Value {
    return this.draft.node("RESHAPE", this.named("reshape"), [x], { shape: [1, ...shape] });
  }

  flatten(x: Value): Value {
    return this.reshape(x, [x.shape.slice(1).reduce((n, size) => n * size, 1)]);
  }

  /** Channels weighed by what the whole image says of them (Hu et al. 2018); `units` of the layer between. */
  squeezeExcite(x: Value, units: number): Value {
    const mean = this.mean(x, [1, 2], "keep", "squeeze");
    const inner = this.pointwise(mean, units, { norm: "none", activation: "relu" });
    const weights = this.pointwise(inner, lastOf(x), { norm: "none", activation: "none" });
    return this.multiply(x, this.activation(weights, "sigmoid"));
  }

  /** Nearest pixels repeated. */
  upsample(x: Value, factor: Size): Value {
    const [fh, fw] = pair(factor);
    const name = this.named("upsample");
    const size = this.integers(`${name}/size`, [(x.shape[1] ?? 1) * fh, (x.shape[2] ?? 1) * fw]);
    return this.draft.node("RESIZE_NEAREST_NEIGHBOR", name, [x, size], {
      alignCorners: false,
      halfPixelCenters: false,
    });
  }

  softmax(x: Value): Value {
    return this.activation(x, "softmax");
  }

  /** The network as a graph. */
  graph(outputs: readonly Value[]): Graph {
    return this.draft.graph(this.name, outputs);
  }

  private named(kind: string): string {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    return count === 1 ? kind : `${kind}_${count}`;
  }

  private weights(
    name: string,
    shape: readonly number[],
    initializer: Initializer,
    fan: { readonly in: number; readonly out: number },
  ): Value {
    const elements = shape.reduce((n, size) => n * size, 1);
    return this.draft.constant(name, shape, initialWeights(initializer, elements, fan, this.random));
  }

  private recurrent(
    op: "GRU" | "LSTM",
    x: Value,
    units: number,
    gates: number,
    { name: given, returns = "last", direction = "forward" }: RecurrentOptions,
  ): Value {
    const name = this.named(given ?? op.toLowerCase());
    const [, steps = 1, ...rest] = x.shape;
    const depth = rest.reduce((n, size) => n * size, 1);
    const data = x.shape.length === 3 ? x : this.reshape(x, [steps, depth]);
    const rows = gates * units;
    const vector = (part: string): Value => this.weights(`${name}/${part}`, [rows], "zeros", { in: 1, out: 1 });
    const inputs = [
      data,
      this.weights(`${name}/weights`, [rows, depth], "glorot", { in: depth, out: units }),
      this.weights(`${name}/recurrent`, [rows, units], "orthogonal", { in: units, out: units }),
      op === "LSTM" ? this.forgetBias(`${name}/bias`, units) : vector("bias"),
      vector("recurrent-bias"),
    ];
    const attrs: RecurrentAttrs = {
      ...plainRecurrent,
      reverse: direction === "backward",
      returns: returns === "last" ? "hidden" : "sequence",
      linearBeforeReset: op === "GRU",
    };
    return this.draft.node(op, name, inputs, attrs);
  }

  /** An LSTM's biases: it remembers at first (Jozefowicz et al. 2015). Gates: input, output, forget, cell. */
  private forgetBias(name: string, units: number): Value {
    return this.draft.constant(name, [4 * units], new Float32Array(4 * units).fill(1, 2 * units, 3 * units));
  }

  private integers(name: string, values: readonly number[]): Value {
    return this.draft.constant(name, [values.length], Int32Array.from(values), "int32");
  }

  private windowAttrs(options: ConvOptions) {
    return {
      padding: options.padding === "valid" ? "VALID" : "SAME",
      stride: pair(options.stride ?? 1),
      dilation: pair(options.dilation ?? 1),
    };
  }

  private mean(x: Value, axes: readonly number[], sizes: "keep" | "drop", kind: string): Value {
    const name = this.named(kind);
    return this.draft.node("MEAN", name, [x, this.integers(`${name}/axes`, axes)], { keepDims: sizes === "keep" });
  }

  private pool(op: "MAX_POOL_2D" | "AVERAGE_POOL_2D", kind: string, x: Value, options: PoolOptions): Value {
    const kernel = pair(options.size ?? 2);
    const padding = options.padding === "same" ? "SAME" : "VALID";
    const stride = pair(options.stride ?? kernel);
    return this.draft.node(op, this.named(kind), [x], { padding, stride, kernel, activation: "NONE" });
  }

  /** An operator with weights, and what follows it. */
  private layer(
    x: Value,
    name: string,
    op: OpName,
    weights: Value,
    channels: number,
    attrs: object,
    options: LayerOptions,
    activation: ActivationName,
    norm: "batch" | "none",
  ): Value {
    const isNormed = (options.norm ?? norm) === "batch";
    const bias = isNormed ? null : this.weights(`${name}/bias`, [channels], "zeros", { in: 1, out: 1 });
    const sums = this.draft.node(op, name, [x, weights, bias], { ...attrs, activation: "NONE" });
    const normed = isNormed ? this.batchNorm(sums, `${name}/norm`) : sums;
    return this.activation(normed, options.activation ?? activation, `${name}/${options.activation ?? activation}`);
  }
}

const lastOf = (x: Value): number => x.shape[x.shape.length - 1] ?? 1;
