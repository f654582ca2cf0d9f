import { clamp, roundAway } from "../base/fixedpoint.js";
import type { TensorId } from "../base/units.js";
import type { Graph, Node } from "../ops/index.js";
import type { Collector } from "./calibrate.js";
import { type LayerSums, layerSums } from "./layers.js";

/** How the inputs of a layer's sums go together: their covariance, a square matrix for each group of channels. */
export interface LayerMoments {
  readonly sums: LayerSums;
  /** By the first input channel of an output channel. */
  readonly groups: ReadonlyMap<number, Moment>;
}

interface Moment {
  readonly size: number;
  /** Sums of products of inputs, then, once finished, their covariance; row by row. */
  readonly matrix: Float32Array;
  readonly total: Float64Array;
  count: number;
}

/** By node. */
export type Moments = ReadonlyMap<Node, LayerMoments>;

/** Layers with more weights in a sum are rounded to the nearest: the matrix would take too long. */
const mostInputs = 1280;

/** Pixels of a layer that are looked at in all samples together, spread evenly. */
const mostPixels = 4096;

/** The inputs of one output pixel; zero where the window reaches over the border. */
export function gather(sums: LayerSums, data: Float32Array, at: Pixel, first: number, into: Float64Array): void {
  const { depth, window, input } = sums;
  if (window === null) {
    for (let i = 0; i < depth; i++) into[i] = data[at.y * depth + i] as number;
    return;
  }
  const [, height = 1, width = 1, channels = 1] = input.shape;
  let o = 0;
  for (let ky = 0; ky < window.rows.taps; ky++) {
    const y = at.y * window.rows.stride - window.rows.before + ky * window.rows.dilation;
    for (let kx = 0; kx < window.columns.taps; kx++) {
      const x = at.x * window.columns.stride - window.columns.before + kx * window.columns.dilation;
      const isInside = y >= 0 && y < height && x >= 0 && x < width;
      const from = (y * width + x) * channels + first;
      for (let i = 0; i < depth; i++) into[o++] = isInside ? (data[from + i] as number) : 0;
    }
  }
}

interface Pixel {
  readonly y: number;
  readonly x: number;
}

/** Some of the output pixels of a layer, evenly. */
function pixelsOf(output: readonly number[], hasWindow: boolean, most: number): readonly Pixel[] {
  const rows = hasWindow ? (output[1] ?? 1) : output.slice(0, -1).reduce((n, s) => n * s, 1);
  const columns = hasWindow ? (output[2] ?? 1) : 1;
  const all = rows * columns;
  const count = Math.max(1, Math.min(all, most));
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor(((i + 0.5) * all) / count);
    return { y: Math.floor(at / columns), x: at % columns };
  });
}

function addTo(moment: Moment, values: Float64Array): void {
  const { size, matrix, total } = moment;
  moment.count++;
  for (let j = 0; j < size; j++) {
    const v = values[j] as number;
    total[j] = (total[j] as number) + v;
    // Inputs behind a ReLU are often zero.
    if (v === 0) continue;
    const row = j * size;
    for (let k = 0; k <= j; k++) matrix[row + k] = (matrix[row + k] as number) + v * (values[k] as number);
  }
}

/** From sums of products to the covariance, both halves. */
function finish({ size, matrix, total, count }: Moment): void {
  for (let j = 0; j < size; j++) {
    for (let k = 0; k <= j; k++) {
      const mean = ((total[j] as number) / count) * ((total[k] as number) / count);
      const value = (matrix[j * size + k] as number) / count - mean;
      matrix[j * size + k] = value;
      matrix[k * size + j] = value;
    }
  }
}

/**
 * Notes how the inputs of each layer with weights go together.
 * @param samples how many there will be
 */
export function layerMoments(graph: Graph, samples: number): Collector<Moments> {
  const layers = new Map<Node, LayerMoments>();
  const readers = new Map<TensorId, { readonly layer: LayerMoments; readonly pixels: readonly Pixel[] }[]>();
  for (const node of graph.nodes) {
    const sums = layerSums(graph, node);
    if (sums === null || sums.taps * sums.depth > mostInputs) continue;
    const size = sums.taps * sums.depth;
    const firsts = new Set(Array.from({ length: sums.channels }, (_, o) => sums.firstChannel(o)));
    const newMoment = (): Moment => ({
      size,
      matrix: new Float32Array(size ** 2),
      total: new Float64Array(size),
      count: 0,
    });
    const layer = { sums, groups: new Map([...firsts].map((first) => [first, newMoment()])) };
    layers.set(node, layer);
    const output = graph.tensors.get(node.outputs[0] as TensorId)?.shape ?? [];
    const pixels = pixelsOf(output, sums.window !== null, Math.ceil(mostPixels / Math.max(1, samples)));
    readers.set(sums.input.id, [...(readers.get(sums.input.id) ?? []), { layer, pixels }]);
  }
  const values = new Float64Array(mostInputs);
  return {
    show: (id, data) => {
      for (const { layer, pixels } of readers.get(id) ?? []) {
        for (const [first, moment] of layer.groups) {
          for (const pixel of pixels) {
            gather(layer.sums, data, pixel, first, values);
            addTo(moment, values);
          }
        }
      }
    },
    result: () => {
      for (const { groups } of layers.values()) for (const moment of groups.values()) finish(moment);
      return layers;
    },
  };
}

/** Turns over all weights of a channel at most; few are needed. */
const mostTurns = 20;

/**
 * Rounds the weights of one channel, each up or down, so that its sums change least: from the nearest on, a weight is
 * rounded the other way wherever that makes the error's variance smaller, until none does.
 */
function roundChannel(scaled: Float64Array, { size, matrix }: Moment, most: number): Int8Array {
  const rounded = Int8Array.from(scaled, (v) => clamp(roundAway(v), -most, most));
  const other = Int8Array.from(scaled, (v, i) =>
    clamp((rounded[i] as number) + (v > (rounded[i] as number) ? 1 : -1), -most, most),
  );
  // The gradient of the error: the covariance times what rounding adds.
  const slope = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    const added = (rounded[j] as number) - (scaled[j] as number);
    for (let k = 0; k < size; k++) slope[k] = (slope[k] as number) + added * (matrix[j * size + k] as number);
  }
  for (let turn = 0, changed = true; changed && turn < mostTurns; turn++) {
    changed = false;
    for (let j = 0; j < size; j++) {
      const step = (other[j] as number) - (rounded[j] as number);
      const change = 2 * step * (slope[j] as number) + step * step * (matrix[j * size + j] as number);
      if (!(change < -1e-12)) continue;
      [rounded[j], other[j]] = [other[j] as number, rounded[j] as number];
      for (let k = 0; k < size; k++) slope[k] = (slope[k] as number) + step * (matrix[j * size + k] as number);
      changed = true;
    }
  }
  return rounded;
}

/**
 * Weights over their scales as integers from -most to most, rounded up or down so that the layer's outputs on the
 * samples change least. What they change on average is left to bias correction.
 * Source: Nagel et al. 2020, "Up or down? Adaptive rounding for post-training quantization": its objective for a layer,
 * minimised a weight at a time in place of a relaxation.
 */
export function roundAdaptively({ sums, groups }: LayerMoments, scaled: Float64Array, most: number): Int8Array {
  const result = new Int8Array(scaled.length);
  const size = sums.taps * sums.depth;
  for (let o = 0; o < sums.channels; o++) {
    const moment = groups.get(sums.firstChannel(o));
    if (moment === undefined) continue;
    const own = Float64Array.from({ length: size }, (_, i) => scaled[sums.weightAt(o, i)] as number);
    roundChannel(own, moment, most).forEach((q, i) => {
      result[sums.weightAt(o, i)] = q;
    });
  }
  return result;
}
