import fc from "fast-check";
import { elementsOf } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { perTensor } from "../src/ir/graph.js";
import type { Graph } from "../src/ops/index.js";
import { addNode, addTensor, type Draft, newDraft, toGraph } from "./graphs.js";

const quant = perTensor(0.1, 3);

/** One more operator on tensors of the pool: its output, or null if it does not fit their shapes. */
type Grow = (d: Draft, left: TensorId, right: TensorId) => TensorId | null;

const shapeOf = (d: Draft, id: TensorId): readonly number[] => d.tensors.get(id)?.shape ?? [];

function output(d: Draft, shape: readonly number[]): TensorId {
  return addTensor(d, `t${d.tensors.size}`, shape, { quant });
}

const relu: Grow = (d, left) => {
  const out = output(d, shapeOf(d, left));
  addNode(d, "RELU", [left], [out]);
  return out;
};

const add: Grow = (d, left, right) => {
  if (shapeOf(d, left).join() !== shapeOf(d, right).join()) return null;
  const out = output(d, shapeOf(d, left));
  addNode(d, "ADD", [left, right], [out], { activation: "NONE", potScaleInt16: false });
  return out;
};

const concat: Grow = (d, left, right) => {
  const shape = shapeOf(d, left);
  const channels = shape.at(-1) ?? 0;
  if (shape.join() !== shapeOf(d, right).join() || channels > 32) return null;
  const out = output(d, [...shape.slice(0, -1), 2 * channels]);
  addNode(d, "CONCATENATION", [left, right], [out], { axis: -1, activation: "NONE" });
  return out;
};

/** Flattens an image, or makes one of a vector. */
const reshape: Grow = (d, left) => {
  const shape = shapeOf(d, left);
  const count = elementsOf(shape);
  const to = shape.length === 4 ? [count] : count % 6 === 0 ? [1, 2, 3, count / 6] : [1, 1, 1, count];
  const out = output(d, to);
  addNode(d, "RESHAPE", [left], [out], { shape: to });
  return out;
};

const pool =
  (stride: number): Grow =>
  (d, left) => {
    const [n = 1, h = 1, w = 1, c = 1] = shapeOf(d, left);
    if (shapeOf(d, left).length !== 4) return null;
    const out = output(d, [n, Math.ceil(h / stride), Math.ceil(w / stride), c]);
    addNode(d, "MAX_POOL_2D", [left], [out], {
      padding: "SAME",
      stride: [stride, stride],
      kernel: [3, 2],
      activation: "NONE",
    });
    return out;
  };

/** Seeded int8 weights, so that equal graphs are equal. */
const weights = (d: Draft, shape: readonly number[]): TensorId =>
  addTensor(d, "w", shape, {
    quant: perTensor(0.01),
    data: Int8Array.from({ length: elementsOf(shape) }, (_, i) => ((i * 71) % 255) - 127),
  });

const depthwise: Grow = (d, left) => {
  const shape = shapeOf(d, left);
  const channels = shape[3] ?? 1;
  if (shape.length !== 4 || channels > 16) return null;
  const out = output(d, [...shape.slice(0, 3), 2 * channels]);
  const attrs = { padding: "SAME", stride: [1, 1], dilation: [1, 1], depthMultiplier: 2, activation: "NONE" };
  addNode(d, "DEPTHWISE_CONV_2D", [left, weights(d, [1, 3, 3, 2 * channels]), null], [out], attrs);
  return out;
};

/** A convolution that makes three channels of any number; dilated, with a stride across. */
const convolution: Grow = (d, left) => {
  const [n = 1, h = 1, w = 1, c = 1] = shapeOf(d, left);
  if (shapeOf(d, left).length !== 4) return null;
  const out = output(d, [n, h, Math.ceil(w / 2), 3]);
  addNode(d, "CONV_2D", [left, weights(d, [3, 2, 3, c]), null], [out], {
    padding: "SAME",
    stride: [1, 2],
    dilation: [2, 1],
    activation: "RELU",
  });
  return out;
};

const growths: readonly Grow[] = [relu, add, add, concat, reshape, pool(1), pool(2), depthwise, convolution];

/**
 * A random graph: elementwise operators, windows with strides and dilations, reshapes and joins, over any tensors made
 * so far, so that there are branches and residuals of all kinds. The last tensor is the output.
 */
export const randomGraph: fc.Arbitrary<Graph> = fc
  .array(fc.record({ kind: fc.nat(growths.length - 1), left: fc.nat(), right: fc.nat() }), {
    minLength: 1,
    maxLength: 16,
  })
  .map((steps) => {
    const d = newDraft();
    const input = addTensor(d, "x", [1, 5, 6, 2], { quant });
    const made = [input];
    for (const { kind, left, right } of steps) {
      // Mostly the newest tensors: graphs are then deep rather than wide.
      const pick = (n: number): TensorId =>
        made[made.length - 1 - (Math.floor((n % (made.length * made.length)) ** 0.5) % made.length)] as TensorId;
      const grow = growths[kind] ?? relu;
      made.push(grow(d, pick(left), pick(right)) ?? relu(d, pick(left), pick(right)) ?? input);
    }
    return toGraph(d, [input], [made.at(-1) as TensorId]);
  });
