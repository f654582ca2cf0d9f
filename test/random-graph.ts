import fc from "fast-check";
import { elementsOf } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { perTensor, viewOf } from "../src/ir/graph.js";
import { inferOutputs } from "../src/ops/check.js";
import { type Graph, type Node, type OpName, specOf } from "../src/ops/index.js";
import { addNode, addTensor, newDraft, toGraph } from "./graphs.js";
import { biases, clamped, type Draft, indices, weights } from "./random-constants.js";

const quant = perTensor(0.1, 3);

/** Small enough that hundreds of graphs compile in seconds, and tall enough that rings go round. */
const most = { height: 14, width: 8, channels: 16 };

/** Choices of one step; an operator takes from them what it has. */
interface Choice {
  readonly kind: number;
  readonly left: number;
  readonly right: number;
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: "SAME" | "VALID" | readonly [number, number, number, number];
  readonly channels: number;
}

/** One more operator, or block of them, on tensors of the pool: its output, or null if it does not fit their shapes. */
type Grow = (d: Draft, left: TensorId, right: TensorId, c: Choice) => TensorId | null;

const shapeOf = (d: Draft, id: TensorId): readonly number[] => d.tensors.get(id)?.shape ?? [];
const isImage = (d: Draft, id: TensorId): boolean => shapeOf(d, id).length === 4;
const channelsOf = (d: Draft, id: TensorId): number => shapeOf(d, id).at(-1) ?? 1;

/** Adds a node whose output is what inference says; null, and nothing added, if it says no or too much. */
function apply(d: Draft, op: OpName, inputs: readonly (TensorId | null)[], attrs: object = {}): TensorId | null {
  const out = addTensor(d, `t${d.tensors.size}`, [], { quant });
  addNode(d, op, inputs, [out], attrs);
  const node = d.nodes.at(-1) as Node;
  let complaints = 0;
  const report = (): void => {
    complaints++;
  };
  const [type] = inferOutputs(specOf(node), viewOf(toGraph(d, [], []), node) as never, report) ?? [];
  const [, height = 1, width = 1] = type?.shape.length === 4 ? type.shape : [];
  const fits =
    height <= most.height && width <= most.width && (type?.shape.length !== 4 || (type.shape[3] ?? 1) <= most.channels);
  if (type === undefined || complaints > 0 || !fits || elementsOf(type.shape) === 0) {
    d.nodes.pop();
    d.tensors.delete(out);
    return null;
  }
  const { shape, dtype } = type;
  const tensor = d.tensors.get(out);
  if (tensor) d.tensors.set(out, { ...tensor, shape, dtype, quant: type.quant === "free" ? quant : type.quant });
  return out;
}

type Window = Pick<Choice, "kernel" | "stride" | "dilation" | "padding">;

const pointwise: Window = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: "SAME" };

function conv(
  d: Draft,
  x: TensorId,
  channels: number,
  { kernel, stride, dilation, padding }: Window,
  activation = "NONE",
) {
  if (!isImage(d, x)) return null;
  const depth = channelsOf(d, x);
  const taps = kernel[0] * kernel[1] * depth;
  const w = weights(d, [channels, ...kernel, depth], taps);
  const inputs = [x, w, biases(d, channels, taps)];
  return apply(d, "CONV_2D", inputs, { padding, stride, dilation, activation: clamped(d, activation) });
}

function depthwise(d: Draft, x: TensorId, multiplier: number, { kernel, stride, dilation, padding }: Window) {
  if (!isImage(d, x)) return null;
  const [taps, channels] = [kernel[0] * kernel[1], channelsOf(d, x) * multiplier];
  const w = weights(d, [1, ...kernel, channels], taps);
  const attrs = { padding, stride, dilation, depthMultiplier: multiplier, activation: clamped(d, "RELU") };
  return apply(d, "DEPTHWISE_CONV_2D", [x, w, biases(d, channels, taps)], attrs);
}

const relu: Grow = (d, left) => apply(d, "RELU", [left]);
const leaky: Grow = (d, left) => apply(d, "LEAKY_RELU", [left], { alpha: 0.5 });
const sameShape = (d: Draft, a: TensorId, b: TensorId): boolean => shapeOf(d, a).join() === shapeOf(d, b).join();

const add: Grow = (d, left, right) =>
  sameShape(d, left, right) ? apply(d, "ADD", [left, right], { activation: "NONE", potScaleInt16: false }) : null;

/** Inputs may differ in channels. */
const concat: Grow = (d, left, right) => {
  const alike = shapeOf(d, left).slice(0, -1).join() === shapeOf(d, right).slice(0, -1).join();
  return alike && isImage(d, left) ? apply(d, "CONCATENATION", [left, right], { axis: -1, activation: "NONE" }) : null;
};

/** Flattens an image, or makes one of a vector. */
const reshape: Grow = (d, left) => {
  const count = elementsOf(shapeOf(d, left));
  const to = isImage(d, left)
    ? [count]
    : count % 6 === 0 && count <= 6 * most.channels
      ? [1, 2, 3, count / 6]
      : [1, count];
  return apply(d, "RESHAPE", [left], { shape: to });
};

const pool =
  (op: "MAX_POOL_2D" | "AVERAGE_POOL_2D"): Grow =>
  (d, left, _, { kernel, stride, padding }) => {
    if (!isImage(d, left)) return null;
    const attrs = { padding: typeof padding === "string" ? padding : "SAME", stride, kernel, activation: "NONE" };
    return apply(d, op, [left], attrs);
  };

const globalPool =
  (op: "MAX_POOL_2D" | "AVERAGE_POOL_2D"): Grow =>
  (d, left) => {
    const [, height = 1, width = 1] = shapeOf(d, left);
    if (!isImage(d, left)) return null;
    return apply(d, op, [left], { padding: "VALID", stride: [1, 1], kernel: [height, width], activation: "NONE" });
  };

const convolution: Grow = (d, left, _, c) => conv(d, left, c.channels, c, "RELU");
const depthwiseConvolution: Grow = (d, left, _, c) => depthwise(d, left, c.channels > 4 ? 2 : 1, c);

const pad: Grow = (d, left, _, { kernel, stride }) =>
  isImage(d, left)
    ? apply(d, "PAD", [
        left,
        indices(d, [0, 0, kernel[0] - 1, stride[0] - 1, kernel[1] - 1, stride[1] - 1, 0, 0], [4, 2]),
      ])
    : null;

const resize: Grow = (d, left, _, { stride, kernel }) => {
  const [, height = 1, width = 1] = shapeOf(d, left);
  if (!isImage(d, left)) return null;
  const size = indices(d, [Math.max(height * stride[0] - kernel[0] + 1, 1), width * stride[1]]);
  return apply(d, "RESIZE_NEAREST_NEIGHBOR", [left, size], { alignCorners: false, halfPixelCenters: kernel[1] === 2 });
};

/** Mean over some axes of an image. */
const mean: Grow = (d, left, _, { kernel }) => {
  const axes = [[1, 2], [2], [1]][kernel[1] - 1] ?? [1, 2];
  return isImage(d, left) ? apply(d, "MEAN", [left, indices(d, axes)], { keepDims: true }) : null;
};

/** Two windowed steps beside each other, joined by a sum. */
const residual: Grow = (d, left, _, { kernel, dilation }) => {
  const body = conv(d, left, channelsOf(d, left), { ...pointwise, kernel, dilation }, "RELU");
  return body === null ? null : add(d, body, left, {} as Choice);
};

/** Expand, depthwise, project; with a sum where the shape stays. */
const invertedResidual: Grow = (d, left, _, { kernel, stride }) => {
  const channels = channelsOf(d, left);
  const wide = conv(d, left, Math.min(3 * channels, most.channels), pointwise, "RELU");
  const deep = wide === null ? null : depthwise(d, wide, 1, { ...pointwise, kernel, stride });
  const narrow = deep === null ? null : conv(d, deep, channels, pointwise);
  return narrow === null ? null : (add(d, narrow, left, {} as Choice) ?? narrow);
};

/** Two ways from one tensor, of different heights of window, joined by their channels. */
const branches: Grow = (d, left, _, c) => {
  const window: Window = { ...c, padding: "SAME" };
  const tall = conv(d, left, c.channels, window);
  const flat = conv(d, left, 2, { ...window, kernel: [1, 1] });
  return tall === null || flat === null ? null : concat(d, tall, flat, c);
};

/** Squeeze and excite: an image scaled by what its mean says. */
const excite: Grow = (d, left, _, { kernel }) => {
  const squeezed = isImage(d, left) ? apply(d, "MEAN", [left, indices(d, [1, 2])], { keepDims: true }) : null;
  const weighed = squeezed === null ? null : conv(d, squeezed, channelsOf(d, left), pointwise, "RELU");
  const gate = weighed === null ? null : kernel[0] > 2 ? apply(d, "LOGISTIC", [weighed]) : weighed;
  return gate === null ? null : apply(d, "MUL", [left, gate], { activation: "NONE" });
};

const growths: readonly Grow[] = [
  relu,
  leaky,
  add,
  add,
  concat,
  reshape,
  convolution,
  convolution,
  depthwiseConvolution,
  pool("MAX_POOL_2D"),
  pool("AVERAGE_POOL_2D"),
  globalPool("MAX_POOL_2D"),
  pad,
  resize,
  mean,
  residual,
  invertedResidual,
  branches,
  excite,
];

function fullyConnected(d: Draft, x: TensorId): TensorId | null {
  const depth = elementsOf(shapeOf(d, x));
  const attrs = { activation: "NONE", keepNumDims: false };
  return apply(d, "FULLY_CONNECTED", [x, weights(d, [3, depth], depth), null], attrs);
}

/** What stands at the end of a network. */
const heads: Readonly<Record<string, (d: Draft, x: TensorId) => TensorId | null>> = {
  none: () => null,
  connected: fullyConnected,
  pooled: (d, x) => {
    const pooled = globalPool("AVERAGE_POOL_2D")(d, x, x, {} as Choice);
    const flat = pooled === null ? null : reshape(d, pooled, pooled, {} as Choice);
    return flat === null ? null : fullyConnected(d, flat);
  },
  meant: (d, x) => {
    const flat = isImage(d, x) ? apply(d, "MEAN", [x, indices(d, [1, 2])], { keepDims: false }) : null;
    return flat === null ? null : fullyConnected(d, flat);
  },
};

const pair = (height: number, width: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min: 1, max: height }), fc.integer({ min: 1, max: width }));

const choice: fc.Arbitrary<Choice> = fc.record({
  kind: fc.nat(growths.length - 1),
  left: fc.nat(255),
  right: fc.nat(255),
  kernel: pair(4, 3),
  stride: pair(3, 2),
  dilation: fc.constantFrom([1, 1], [1, 1], [2, 1], [1, 2], [3, 1]),
  padding: fc.constantFrom("SAME", "SAME", "VALID", [1, 0, 0, 1], [0, 2, 1, 1], [2, 3, 0, 0]),
  channels: fc.integer({ min: 1, max: 8 }),
}) as fc.Arbitrary<Choice>;

interface Recipe {
  readonly steps: readonly Choice[];
  readonly image: readonly [height: number, width: number, channels: number];
  readonly head: string;
  readonly twoInputs: boolean;
  /** Which tensors in the middle are outputs too. */
  readonly alsoOutputs: readonly number[];
}

function graphOf({ steps, image, head, twoInputs, alsoOutputs }: Recipe, saturates = false): Graph {
  const d: Draft = { ...newDraft(), saturates };
  const inputs = (twoInputs ? ["x", "x2"] : ["x"]).map((name) => addTensor(d, name, [1, ...image], { quant }));
  const made = [...inputs];
  for (const c of steps) {
    // Mostly the newest tensors: graphs are then deep rather than wide.
    const pick = (n: number): TensorId =>
      made[made.length - 1 - (Math.floor((n % (made.length * made.length)) ** 0.5) % made.length)] as TensorId;
    const [left, right] = [pick(c.left), pick(c.right)];
    const grown = (growths[c.kind] ?? relu)(d, left, right, c) ?? relu(d, left, right, c);
    made.push(grown ?? left);
  }
  const end = made.at(-1) as TensorId;
  const last = heads[head]?.(d, end) ?? end;
  const computed = made.filter((id) => !inputs.includes(id) && id !== last);
  const others = computed.length === 0 ? [] : alsoOutputs.map((n) => computed[n % computed.length] as TensorId);
  return toGraph(d, inputs, [...new Set([last, ...others])]);
}

const recipe = (maxSteps: number): fc.Arbitrary<Recipe> =>
  fc.record({
    steps: fc.array(choice, { minLength: 1, maxLength: maxSteps }),
    image: fc.tuple(
      fc.integer({ min: 1, max: most.height }),
      fc.integer({ min: 1, max: most.width }),
      fc.integer({ min: 1, max: 4 }),
    ),
    head: fc.constantFrom(...Object.keys(heads)),
    twoInputs: fc.constantFrom(false, false, false, true),
    alsoOutputs: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(fc.nat(), { maxLength: 2 })),
  });

/**
 * A random int8 graph: chains, residuals, branches, inverted residuals, squeeze and excite, pools, pads and resizes, with
 * strides, dilations and paddings of all kinds, over any tensors made so far; sometimes two inputs or several outputs,
 * and sometimes a classifier's head. What nothing reads is left in.
 */
export const randomGraph: fc.Arbitrary<Graph> = recipe(12).map((r) => graphOf(r));

/** Such graphs with many channels that never change. */
export const saturatedGraph: fc.Arbitrary<Graph> = recipe(10).map((r) => graphOf(r, true));

/** Graphs of few nodes, for searches through everything there is. */
export const tinyGraph: fc.Arbitrary<Graph> = recipe(4)
  .map((r) => graphOf(r))
  .filter((g) => g.nodes.length <= 6);
