import fc from "fast-check";
import { elementsOf } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { perTensor } from "../src/ir/graph.js";
import type { Graph } from "../src/ops/index.js";
import { addNode, addTensor, type Draft, newDraft, toGraph } from "./graphs.js";

const quant = perTensor(0.1, 3);

const shapeOf = (d: Draft, id: TensorId): readonly number[] => d.tensors.get(id)?.shape ?? [];

const output = (d: Draft, shape: readonly number[]): TensorId => addTensor(d, `t${d.tensors.size}`, shape, { quant });

/** Seeded int8 weights, so that equal graphs are equal. */
const weights = (d: Draft, shape: readonly number[]): TensorId =>
  addTensor(d, `w${d.tensors.size}`, shape, {
    quant: perTensor(0.01),
    data: Int8Array.from({ length: elementsOf(shape) }, (_, i) => ((i * 71) % 255) - 127),
  });

/** How a window moves along the rows. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: "VALID" | "SAME";
}

const rowsAfter = (rows: number, { kernel, stride, dilation, padding }: Window): number =>
  padding === "SAME" ? Math.ceil(rows / stride) : Math.floor((rows - (kernel - 1) * dilation - 1) / stride) + 1;

/** A convolution along the rows, or null where no window fits. */
export function convolve(d: Draft, input: TensorId, window: Window, channels: number): TensorId | null {
  const [, rows = 1, width = 1, depth = 1] = shapeOf(d, input);
  const height = rowsAfter(rows, window);
  if (height < 1) return null;
  const out = output(d, [1, height, width, channels]);
  const attrs = {
    stride: [window.stride, 1],
    dilation: [window.dilation, 1],
    padding: window.padding,
    activation: "RELU",
  };
  addNode(d, "CONV_2D", [input, weights(d, [channels, window.kernel, 1, depth]), null], [out], attrs);
  return out;
}

/** The same for each channel by itself. */
export function convolveDepthwise(d: Draft, input: TensorId, window: Window): TensorId | null {
  const [, rows = 1, width = 1, depth = 1] = shapeOf(d, input);
  const height = rowsAfter(rows, window);
  if (height < 1) return null;
  const out = output(d, [1, height, width, depth]);
  const { stride, dilation, padding } = window;
  const attrs = { stride: [stride, stride], dilation: [dilation, 1], padding, depthMultiplier: 1, activation: "NONE" };
  if (width > 1) return null;
  addNode(d, "DEPTHWISE_CONV_2D", [input, weights(d, [1, window.kernel, 1, depth]), null], [out], attrs);
  return out;
}

/** The largest or the mean of each window. */
export function pool(
  d: Draft,
  input: TensorId,
  window: Window,
  op: "MAX_POOL_2D" | "AVERAGE_POOL_2D",
): TensorId | null {
  const [, rows = 1, width = 1, depth = 1] = shapeOf(d, input);
  const height = rowsAfter(rows, { ...window, dilation: 1 });
  if (height < 1) return null;
  const out = output(d, [1, height, width, depth]);
  const attrs = { stride: [window.stride, 1], kernel: [window.kernel, 1], padding: window.padding, activation: "NONE" };
  addNode(d, op, [input], [out], attrs);
  return out;
}

/** An operator on elements of one or two tensors of the same shape. */
export function combine(d: Draft, left: TensorId, right: TensorId | null): TensorId {
  const out = output(d, shapeOf(d, left));
  if (right === null) addNode(d, "LOGISTIC", [left], [out]);
  else addNode(d, "ADD", [left, right], [out], { activation: "NONE", potScaleInt16: false });
  return out;
}

/** All of a tensor to a vector of three, through a reshape. */
export function classify(d: Draft, input: TensorId): TensorId {
  const count = elementsOf(shapeOf(d, input));
  const [flat, out] = [output(d, [1, count]), output(d, [1, 3])];
  addNode(d, "RESHAPE", [input], [flat], { shape: [1, count] });
  const attrs = { activation: "NONE", weightsFormat: 0, keepNumDims: false };
  addNode(d, "FULLY_CONNECTED", [flat, weights(d, [3, count]), null], [out], attrs);
  return out;
}

const window = fc.record({
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: fc.constantFrom(1, 1, 1, 2, 3),
  dilation: fc.constantFrom(1, 1, 2, 3),
  padding: fc.constantFrom("VALID", "VALID", "VALID", "VALID", "VALID", "VALID", "VALID", "SAME"),
}) as fc.Arbitrary<Window>;

const kinds = ["conv", "conv", "depthwise", "max", "average", "element", "branches"] as const;

const layer = fc.record({ kind: fc.constantFrom(...kinds), window, channels: fc.integer({ min: 1, max: 4 }) });

/** Adds a layer, or an operator on elements where its window does not fit. */
function addLayer(
  d: Draft,
  input: TensorId,
  { kind, window: w, channels }: typeof layer extends fc.Arbitrary<infer L> ? L : never,
): TensorId {
  const made =
    kind === "conv"
      ? convolve(d, input, w, channels)
      : kind === "depthwise"
        ? convolveDepthwise(d, input, w)
        : kind === "max" || kind === "average"
          ? pool(d, input, w, kind === "max" ? "MAX_POOL_2D" : "AVERAGE_POOL_2D")
          : null;
  if (kind !== "branches") return made ?? combine(d, input, null);
  const [left, right] = [convolve(d, input, w, channels), convolve(d, input, w, channels)];
  return left === null || right === null ? combine(d, input, null) : combine(d, combine(d, left, null), right);
}

/** A random network over time: chains and branches with strides and dilations, mostly without padding, and some end. */
export const seriesGraph: fc.Arbitrary<Graph> = fc
  .record({
    rows: fc.integer({ min: 12, max: 40 }),
    /** [1, T, C], made [1, T, 1, C] by a reshape, or [1, T, W, C]. */
    width: fc.constantFrom(0, 1, 1, 2),
    layers: fc.array(layer, { minLength: 1, maxLength: 7 }),
    end: fc.constantFrom("classify", "classify", "none", "both"),
  })
  .map(({ rows, width, layers, end }) => {
    const d = newDraft();
    const input = addTensor(d, "x", width === 0 ? [1, rows, 2] : [1, rows, width, 2], { quant });
    let at = input;
    if (width === 0) {
      at = output(d, [1, rows, 1, 2]);
      addNode(d, "RESHAPE", [input], [at], { shape: [1, rows, 1, 2] });
    }
    for (const l of layers) at = addLayer(d, at, l);
    const outputs = end === "none" ? [at] : end === "classify" ? [classify(d, at)] : [classify(d, at), at];
    return toGraph(d, [input], outputs);
  });
