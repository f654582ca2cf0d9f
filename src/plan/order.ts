import type { TensorId } from "../base/units.js";
import { tensorOf, viewOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import { tensorBytes } from "./tensors.js";

/** Sets of executed nodes explored before the search gives up and a greedy order is taken. */
const maxStates = 20_000;

/** What the search needs of a graph: nodes and the storages they read and write, as numbers. */
interface Problem {
  readonly count: number;
  /** Nodes that must have run before each node. */
  readonly before: readonly (readonly number[])[];
  /** Storages each node reads, and the ones it creates. */
  readonly reads: readonly (readonly number[])[];
  readonly writes: readonly (readonly number[])[];
  readonly bytes: readonly number[];
  /** The nodes that read each storage. */
  readonly readers: readonly (readonly number[])[];
  /** Storages of the graph's outputs, which are never free again. */
  readonly kept: ReadonlySet<number>;
  /** Storages alive before anything runs. */
  readonly initial: readonly number[];
}

/** A view shares its input's storage: it costs nothing and keeps that alive. */
function storageIds(graph: Graph): ReadonlyMap<TensorId, number> {
  const ids = new Map<TensorId, number>();
  let next = 0;
  const isHeld = (id: TensorId): boolean => {
    const t = tensorOf(graph, id);
    return t.data === null && !t.variable && t.dtype !== "resource";
  };
  for (const id of graph.inputs) if (isHeld(id)) ids.set(id, next++);
  for (const node of graph.nodes) {
    const source = node.inputs[0];
    const shared = specOf(node).traits.view && source !== null && source !== undefined ? ids.get(source) : undefined;
    node.outputs.forEach((id, i) => {
      if (isHeld(id)) ids.set(id, i === 0 && shared !== undefined ? shared : next++);
    });
  }
  return ids;
}

function problemOf(graph: Graph): Problem {
  const ids = storageIds(graph);
  const bytes: number[] = [];
  for (const [id, storage] of ids) bytes[storage] = Math.max(bytes[storage] ?? 0, tensorBytes(tensorOf(graph, id)));
  const producer = new Map<TensorId, number>(graph.nodes.flatMap((n, i) => n.outputs.map((id) => [id, i] as const)));
  const unique = (values: readonly (number | undefined)[]): readonly number[] => [
    ...new Set(values.filter((v) => v !== undefined)),
  ];
  const inputsOf = (n: Node): readonly TensorId[] => n.inputs.filter((id) => id !== null);
  const reads = graph.nodes.map((n) => unique(inputsOf(n).map((id) => ids.get(id))));
  const readers: number[][] = bytes.map(() => []);
  reads.forEach((list, node) => {
    for (const s of list) readers[s]?.push(node);
  });
  // Whatever has effects or state keeps its order.
  let lastEffect: number | undefined;
  const before = graph.nodes.map((n, i) => {
    const { traits } = specOf(n);
    const touchesState =
      traits.sideEffects || traits.mutates.length > 0 || viewOf(graph, n).inputs.some((t) => t?.dtype === "resource");
    const effect = touchesState ? lastEffect : undefined;
    if (touchesState) lastEffect = i;
    return unique([...inputsOf(n).map((id) => producer.get(id)), effect]);
  });
  return {
    count: graph.nodes.length,
    before,
    reads,
    writes: graph.nodes.map((n, i) =>
      unique(n.outputs.map((id) => ids.get(id))).filter((s) => !(reads[i] ?? []).includes(s)),
    ),
    bytes,
    readers,
    kept: new Set(unique(graph.outputs.map((id) => ids.get(id)))),
    initial: unique(graph.inputs.map((id) => ids.get(id))),
  };
}

/** A set of executed nodes, reached by an order with this peak. */
interface State {
  readonly done: bigint;
  readonly live: number;
  readonly peak: number;
  readonly last: number;
  readonly parent: State | null;
}

const has = (set: bigint, node: number): boolean => ((set >> BigInt(node)) & 1n) === 1n;

/** Bytes that no node outside `done` reads any more, of those that node `node` reads. */
function freedBy(p: Problem, done: bigint, node: number): number {
  return (p.reads[node] ?? []).reduce((sum, s) => {
    const isDead = !p.kept.has(s) && (p.readers[s] ?? []).every((reader) => has(done, reader));
    return isDead ? sum + (p.bytes[s] ?? 0) : sum;
  }, 0);
}

function step(p: Problem, state: State, node: number): State {
  const made = (p.writes[node] ?? []).reduce((sum, s) => sum + (p.bytes[s] ?? 0), 0);
  const during = state.live + made;
  const done = state.done | (1n << BigInt(node));
  return { done, live: during - freedBy(p, done, node), peak: Math.max(state.peak, during), last: node, parent: state };
}

const ready = (p: Problem, done: bigint): readonly number[] =>
  Array.from({ length: p.count }, (_, i) => i).filter(
    (i) => !has(done, i) && (p.before[i] ?? []).every((b) => has(done, b)),
  );

const start = (p: Problem): State => {
  const live = p.initial.reduce((sum, s) => sum + (p.bytes[s] ?? 0), 0);
  return { done: 0n, live, peak: live, last: -1, parent: null };
};

function orderTo(state: State): readonly number[] {
  const order: number[] = [];
  for (let s: State | null = state; s !== null && s.last >= 0; s = s.parent) order.push(s.last);
  return order.reverse();
}

/** Peak of executing nodes in the given order. */
const follow = (p: Problem, order: readonly number[]): State =>
  order.reduce((state, node) => step(p, state, node), start(p));

/**
 * The order of least peak, by dynamic programming over sets of executed nodes, smallest peak first (a Dijkstra search
 * whose path length is the maximum); null if it would take more than `maxStates` sets.
 */
function exactOrder(p: Problem, bound: number): State | null {
  const full = (1n << BigInt(p.count)) - 1n;
  const best = new Map<bigint, number>();
  const queues = new Map<number, State[]>();
  const peaks: number[] = [];
  const push = (state: State): void => {
    if (state.peak > bound || (best.get(state.done) ?? Infinity) <= state.peak) return;
    best.set(state.done, state.peak);
    const queue = queues.get(state.peak);
    if (queue) queue.push(state);
    else {
      queues.set(state.peak, [state]);
      peaks.push(state.peak);
      peaks.sort((a, b) => b - a);
    }
  };
  push(start(p));
  for (let peak = peaks.at(-1); peak !== undefined; peak = peaks.at(-1)) {
    // The newest state of a peak first: that goes deep, and the first full set found at this peak is an optimum.
    const state = queues.get(peak)?.pop();
    if (state === undefined) {
      queues.delete(peak);
      peaks.pop();
      continue;
    }
    if (state.done === full) return state;
    if (best.size > maxStates) return null;
    for (const node of ready(p, state.done)) push(step(p, state, node));
  }
  return null;
}

/** Always the ready node that leaves least alive; ties to the file's order. */
function greedyOrder(p: Problem): State {
  let state = start(p);
  for (let n = 0; n < p.count; n++) {
    const next = ready(p, state.done).map((node) => step(p, state, node));
    state = next.reduce((a, b) => (b.peak < a.peak || (b.peak === a.peak && b.live < a.live) ? b : a));
  }
  return state;
}

/**
 * The graph with its nodes in an order of least live bytes: exact for graphs whose sets of executed nodes are at most
 * 20,000 (chains and residual networks of any length), greedy beyond. Never worse than the order given, which it
 * returns unchanged when nothing is better.
 */
export function orderNodes(graph: Graph): Graph {
  const p = problemOf(graph);
  // Only branches leave a choice.
  if (p.count > 512 || p.before.every((b, i) => i === 0 || b.includes(i - 1))) return graph;
  const given = follow(
    p,
    graph.nodes.map((_, i) => i),
  );
  const found = exactOrder(p, given.peak) ?? greedyOrder(p);
  if (found.peak >= given.peak) return graph;
  return { ...graph, nodes: orderTo(found).map((i) => graph.nodes[i] as Node) };
}

/** The most bytes alive at once when nodes run in the graph's order, views sharing storage and nothing else. */
export const peakOfOrder = (graph: Graph): number =>
  follow(
    problemOf(graph),
    graph.nodes.map((_, i) => i),
  ).peak;
