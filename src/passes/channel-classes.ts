import type { TensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type ChannelRanges, type ChannelRule, channelCount } from "../ops/channels.js";
import { type Graph, type Node, specOf } from "../ops/index.js";

/** A node with the rule of its channels; null where they must all stay. */
export interface RuledNode {
  readonly node: Node;
  readonly view: NodeView<object>;
  readonly rule: ChannelRule<object> | null;
}

/** The rule of each node. An input that a rule is about but that is constant, and too large to be folded, leaves none. */
export const ruledNodes = (graph: Graph): readonly RuledNode[] =>
  graph.nodes.map((node) => {
    const spec = specOf(node);
    const view = viewOf(graph, node) as NodeView<object>;
    const rule = spec.channels === "none" ? null : spec.channels(view);
    const inputs = [...(rule?.mixes ?? []), ...(rule?.ties.map((t) => t.input) ?? [])];
    return { node, view, rule: inputs.every((i) => view.inputs[i]?.data === null) ? rule : null };
  });

/** Sets that can be joined; elements are numbered from 0 (Tarjan's union-find, paths halved). */
function disjointSets(count: number) {
  const parent = Int32Array.from({ length: count }, (_, i) => i);
  const find = (element: number): number => {
    let at = element;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  };
  const join = (a: number, b: number): void => {
    parent[find(a)] = find(b);
  };
  return { find, join };
}

/** Channels of run-time tensors in classes that go or stay together. */
export interface ChannelClasses {
  /** The class of a tensor's channel; tensors without run-time contents have none. */
  readonly classOf: (tensor: TensorId, channel: number) => number;
  /** The tensors that have classes. */
  readonly tensors: readonly Tensor[];
}

/** Joins what ties say. */
export function channelClasses(graph: Graph, nodes: readonly RuledNode[]): ChannelClasses {
  const ids = new Set(graph.nodes.flatMap((n) => [...n.inputs, ...n.outputs]).filter((id) => id !== null));
  const tensors = [...new Set([...ids, ...graph.inputs, ...graph.outputs])]
    .map((id) => tensorOf(graph, id))
    .filter((t) => t.data === null);
  const bases = new Map<TensorId, number>();
  let count = 0;
  for (const t of tensors) {
    bases.set(t.id, count);
    count += channelCount(t);
  }
  const sets = disjointSets(count);
  const base = (t: Tensor | null | undefined): number => (t ? (bases.get(t.id) ?? 0) : 0);
  for (const { view, rule } of nodes) {
    for (const { input, output, from, to, count: tied, fanOut } of rule?.ties ?? []) {
      const [first, second] = [base(view.inputs[input]) + from, base(view.outputs[output]) + to];
      for (let i = 0; i < tied * fanOut; i++) sets.join(first + Math.floor(i / fanOut), second + i);
    }
  }
  return { tensors, classOf: (id, channel) => sets.find((bases.get(id) ?? 0) + channel) };
}

/** Channels of an input that a rule ties to some output. */
function tiedChannels(rule: ChannelRule<object>, input: number): ReadonlySet<number> {
  const ties = rule.ties.filter((t) => t.input === input);
  return new Set(ties.flatMap((t) => Array.from({ length: t.count }, (_, i) => t.from + i)));
}

/** The class of each channel that a node cannot do without. */
function neededBy(
  { view, rule }: RuledNode,
  classes: ChannelClasses,
  ranges: ReadonlyMap<TensorId, ChannelRanges>,
): readonly number[] {
  const all = (t: Tensor, isNeeded: (channel: number) => boolean): readonly number[] =>
    Array.from({ length: t.data === null ? channelCount(t) : 0 }, (_, c) => c)
      .filter(isNeeded)
      .map((c) => classes.classOf(t.id, c));
  if (rule === null) return [...view.inputs, ...view.outputs].flatMap((t) => (t ? all(t, () => true) : []));
  return view.inputs.flatMap((t, i) => {
    if (t === null) return [];
    if (!rule.mixes.includes(i)) {
      const tied = tiedChannels(rule, i);
      return all(t, (c) => !tied.has(c));
    }
    const bounds = ranges.get(t.id);
    return all(t, (c) => {
      const value = bounds?.low[c];
      return value === undefined || value !== bounds?.high[c] || !rule.folds(i, c, value);
    });
  });
}

/** Adds a class of each tensor that would lose all its channels, until none does. */
function keepOneEach(classes: ChannelClasses, needed: Set<number>): void {
  let before = -1;
  while (needed.size !== before) {
    before = needed.size;
    for (const t of classes.tensors) {
      const own = Array.from({ length: channelCount(t) }, (_, c) => classes.classOf(t.id, c));
      const [first] = own;
      if (first !== undefined && !own.some((k) => needed.has(k))) needed.add(first);
    }
  }
}

/**
 * The classes that must stay: those of the model's ports and of state, those that nodes without a rule touch, and those that
 * a node mixes into its outputs unless they never change and can be folded. Nodes in `whole` count as without a rule.
 */
export function neededClasses(
  graph: Graph,
  nodes: readonly RuledNode[],
  classes: ChannelClasses,
  ranges: ReadonlyMap<TensorId, ChannelRanges>,
  whole: ReadonlySet<Node>,
): ReadonlySet<number> {
  const ports = new Set([...graph.inputs, ...graph.outputs]);
  const pinned = classes.tensors.filter((t) => ports.has(t.id) || t.variable || t.resource !== undefined);
  const needed = new Set(
    pinned.flatMap((t) => Array.from({ length: channelCount(t) }, (_, c) => classes.classOf(t.id, c))),
  );
  for (const n of nodes) {
    const ruled = whole.has(n.node) ? { ...n, rule: null } : n;
    for (const k of neededBy(ruled, classes, ranges)) needed.add(k);
  }
  keepOneEach(classes, needed);
  return needed;
}
