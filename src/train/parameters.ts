import { elementsOf } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import { type Graph, type OpName, specOf } from "../ops/index.js";
import { inverseOrder, permuted } from "./permute.js";

/** A constant's part of a flat vector. */
export interface Slot {
  readonly id: TensorId;
  readonly name: string;
  readonly shape: readonly number[];
  /** The order in which its axes are stored in the vector. */
  readonly order: readonly number[];
  readonly offset: number;
  readonly size: number;
}

/** A constant that training changes. */
export interface Parameter extends Slot {
  /** Weight decay pulls at it. */
  readonly decays: boolean;
}

/** A running statistic of a batch normalization. */
export interface Statistic extends Slot {
  /** What the batch's own is multiplied by before it counts: n / (n - 1) for a variance. */
  readonly kind: "mean" | "variance";
}

/** The flat vectors that hold what a network learns. */
export interface Parameters {
  readonly weights: readonly Parameter[];
  readonly statistics: readonly Statistic[];
  readonly weightCount: number;
  readonly statisticCount: number;
}

/** How a backend wants a parameter stored, by the operator that reads it; null for the graph's own order. */
export type StorageOf = (op: OpName, input: number, shape: readonly number[]) => readonly number[] | null;

const inOrder = (shape: readonly number[]): readonly number[] => shape.map((_, d) => d);

/** Vectors do not decay: biases, normalization, slopes of activations. */
const decays = (shape: readonly number[]): boolean => shape.filter((n) => n !== 1).length > 1;

function placed<T extends { readonly shape: readonly number[] }>(
  slots: readonly T[],
): { readonly slots: readonly (T & { readonly offset: number; readonly size: number })[]; readonly count: number } {
  let count = 0;
  const found = slots.map((s) => {
    const slot = { ...s, offset: count, size: elementsOf(s.shape) };
    count += slot.size;
    return slot;
  });
  return { slots: found, count };
}

/**
 * What of a float graph is learnt: the constants at inputs that operators name as parameters, less those that `frozen`
 * names, and the statistics of batch normalizations.
 */
export function parametersOf(graph: Graph, frozen: (name: string) => boolean, storage: StorageOf): Parameters {
  const weights = new Map<TensorId, Omit<Parameter, "offset" | "size">>();
  const statistics = new Map<TensorId, Omit<Statistic, "offset" | "size">>();
  for (const node of graph.nodes) {
    for (const input of specOf(node).traits.parameters) {
      const id = node.inputs[input] ?? null;
      if (id === null || weights.has(id)) continue;
      const t = tensorOf(graph, id);
      if (t.data === null || t.dtype !== "float32" || frozen(t.name)) continue;
      const order = storage(node.op, input, t.shape) ?? inOrder(t.shape);
      weights.set(id, { id, name: t.name, shape: t.shape, order, decays: decays(t.shape) });
    }
    if (node.op !== "BATCH_NORMALIZATION") continue;
    for (const [input, kind] of [
      [3, "mean"],
      [4, "variance"],
    ] as const) {
      const id = node.inputs[input] ?? null;
      if (id === null) continue;
      const { shape, name } = tensorOf(graph, id);
      statistics.set(id, { id, name, shape, order: [0], kind });
    }
  }
  const w = placed([...weights.values()]);
  const s = placed([...statistics.values()]);
  return { weights: w.slots, statistics: s.slots, weightCount: w.count, statisticCount: s.count };
}

/** The flat vector of the constants that a graph has in these slots. */
export function packed(graph: Graph, slots: readonly Slot[]): Float32Array {
  const count = slots.reduce((sum, s) => sum + s.size, 0);
  const flat = new Float32Array(count);
  for (const s of slots) flat.set(permuted(tensorOf(graph, s.id).data as Float32Array, s.shape, s.order), s.offset);
  return flat;
}

/** A graph with the constants that flat vectors hold. */
export function withParameters(
  graph: Graph,
  parameters: Parameters,
  weights: Float32Array,
  statistics: Float32Array,
): Graph {
  const tensors = new Map(graph.tensors);
  const restore = (slots: readonly Slot[], flat: Float32Array): void => {
    for (const s of slots) {
      const stored = flat.subarray(s.offset, s.offset + s.size);
      const shape = s.order.map((axis) => s.shape[axis] ?? 1);
      const data = permuted(stored, shape, inverseOrder(s.order)).slice();
      tensors.set(s.id, { ...(tensors.get(s.id) as Tensor), data });
    }
  };
  restore(parameters.weights, weights);
  restore(parameters.statistics, statistics);
  return { ...graph, tensors };
}
