import { elementsOf, makeData } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { constantOf } from "../ops/common/view.js";
import { type Graph, type Model, type Node, specOf } from "../ops/index.js";
import { foldConstants } from "./fold-constants.js";
import { type Moved, moveRules } from "./layout-rules.js";
import {
  inverse,
  isIdentity,
  keepsElements,
  movedReshape,
  permuted,
  permutedPlaces,
  type Virtual,
} from "./layout-values.js";
import type { Pass } from "./pass.js";

/** Which inputs and outputs of a model lie with their channels last. */
interface Ports {
  readonly inputs: ReadonlySet<TensorId>;
  readonly outputs: "channels last" | "as they are";
}

/**
 * A walk over a graph in which permutations are put off: a tensor that is another one with its axes in another order is not
 * computed before somebody needs it so. Operators to which the order is all the same are computed on the other tensor,
 * and two permutations that follow each other are one, or none.
 */
class LayoutWalk {
  readonly tensors: Map<TensorId, Tensor>;
  readonly nodes: Node[] = [];
  readonly virtual = new Map<TensorId, Virtual>();
  private readonly computed = new Set<TensorId>();
  private next: number;

  constructor(readonly graph: Graph) {
    this.tensors = new Map(graph.tensors);
    this.next = Math.max(0, ...graph.tensors.keys()) + 1;
  }

  tensor(id: TensorId): Tensor {
    return tensorOf({ ...this.graph, tensors: this.tensors }, id);
  }

  add(like: Tensor, change: Partial<Tensor>): Tensor {
    const tensor: Tensor = { ...like, data: null, ...change, id: tensorId(this.next++) };
    this.tensors.set(tensor.id, tensor);
    return tensor;
  }

  private constant(values: readonly number[], shape: readonly number[], name: string): TensorId {
    const type = { name, shape, dtype: "int32", quant: null, data: Int32Array.from(values), variable: false } as const;
    const tensor: Tensor = { ...type, id: tensorId(this.next++) };
    this.tensors.set(tensor.id, tensor);
    return tensor.id;
  }

  private push(
    op: "TRANSPOSE" | "RESHAPE",
    from: TensorId,
    to: Tensor,
    order: readonly number[],
    origin: Node["origin"],
  ): void {
    const node =
      op === "RESHAPE"
        ? { op, inputs: [from], outputs: [to.id], attrs: { shape: to.shape.length === 0 ? [0] : to.shape }, origin }
        : {
            op,
            inputs: [from, this.constant(order, [order.length], `${to.name}/order`)],
            outputs: [to.id],
            attrs: {},
            origin,
          };
    this.nodes.push(node as Node);
  }

  /** Computes a tensor that was put off. */
  materialise(id: TensorId, origin: Node["origin"]): TensorId {
    const value = this.virtual.get(id);
    if (value === undefined || this.computed.has(id)) return id;
    if (value.flat === null && isIdentity(value.order)) return value.source;
    this.computed.add(id);
    const source = this.tensor(value.source);
    const target = this.tensor(id);
    const isStill = keepsElements(source.shape, value.order);
    if (value.flat === null || isStill) {
      this.push(isStill ? "RESHAPE" : "TRANSPOSE", source.id, target, value.order, origin);
      return id;
    }
    const moved = this.add(target, { shape: permuted(source.shape, value.order), name: `${target.name}/order` });
    this.push("TRANSPOSE", source.id, moved, value.order, origin);
    this.push("RESHAPE", moved.id, target, [], origin);
    return id;
  }

  /** A tensor with its axes in another order: a constant computed now, or one whose elements stay where they are. */
  reordered(tensor: Tensor, order: readonly number[], origin: Node["origin"]): TensorId | null {
    const rank = order.length;
    if (elementsOf(tensor.shape) === 1 && tensor.shape.length <= rank) return tensor.id;
    const wide = [...new Array<number>(Math.max(rank - tensor.shape.length, 0)).fill(1), ...tensor.shape];
    if (wide.length > rank || tensor.variable || (tensor.quant?.scales.length ?? 1) > 1) return null;
    const shape = permuted(wide, order);
    if (tensor.data !== null) {
      const places = permutedPlaces(wide, order);
      const data = makeData(tensor.dtype, places.length) as Float32Array;
      places.forEach((from, i) => {
        data[i] = tensor.data?.[from] as number;
      });
      return this.add(tensor, { shape, data }).id;
    }
    if (!keepsElements(wide, order)) return null;
    const moved = this.add(tensor, { shape, name: `${tensor.name}/order` });
    this.push("RESHAPE", tensor.id, moved, [], origin);
    return moved.id;
  }
}

/** Inputs that carry data, as against constants that say what to do with it. */
function dataInputs(node: Node, view: NodeView<object>): readonly number[] {
  if (node.op === "CONCATENATION" || specOf(node).traits.elementwise) return view.inputs.map((_, i) => i);
  return [0];
}

/** How a node's permuted inputs lie: all in one order; null if they do not. */
function commonOrder(walk: LayoutWalk, node: Node, data: readonly number[]): readonly number[] | null {
  const orders = data.flatMap((i) => {
    const id = node.inputs[i];
    const value = id === null || id === undefined ? undefined : walk.virtual.get(id);
    return value === undefined ? [] : [value];
  });
  const [first] = orders;
  if (first === undefined || orders.some((v) => v.flat !== null || v.order.join() !== first.order.join())) return null;
  return first.order;
}

/** The inputs of a node on the sources of its permuted inputs, or null where one cannot be had in that order. */
function sourcesOf(walk: LayoutWalk, node: Node, data: readonly number[], order: readonly number[]) {
  const inputs: (TensorId | null)[] = [...node.inputs];
  for (const i of data) {
    const id = node.inputs[i];
    if (id === null || id === undefined) continue;
    const value = walk.virtual.get(id);
    const found = value ? value.source : walk.reordered(walk.tensor(id), inverse(order), node.origin);
    if (found === null) return null;
    inputs[i] = found;
  }
  return inputs;
}

/** What a node becomes on the sources of its inputs; null where the order of axes matters to it. */
function movedOf(node: Node, view: NodeView<object>, order: readonly number[]): Moved | null {
  if (!specOf(node).traits.elementwise) return moveRules[node.op]?.(view, order) ?? null;
  const rank = view.outputs[0]?.shape.length;
  return rank === order.length ? { order } : null;
}

/** Adds a node on the sources of its inputs; its outputs are put off. False if it has to be computed as it is. */
function moveNode(walk: LayoutWalk, node: Node, view: NodeView<object>): boolean {
  const data = dataInputs(node, view);
  const order = commonOrder(walk, node, data);
  const moved = order && movedOf(node, view, order);
  if (!order || !moved) return false;
  const before = walk.nodes.length;
  const inputs = sourcesOf(walk, node, data, order);
  if (inputs === null) {
    walk.nodes.length = before;
    return false;
  }
  for (const [i, values] of moved.constants ?? []) {
    const tensor = view.inputs[i] as Tensor;
    const elements = makeData(tensor.dtype, values.length) as Int32Array;
    elements.set(values);
    inputs[i] = walk.add(tensor, { data: elements }).id;
  }
  const outputs = view.outputs.map((output) => {
    const own = walk.add(output, { shape: permuted(output.shape, inverse(moved.order)) });
    walk.virtual.set(output.id, { source: own.id, order: moved.order, flat: null });
    return own.id;
  });
  walk.nodes.push({ ...node, attrs: moved.attrs ?? node.attrs, inputs, outputs } as Node);
  return true;
}

/** A permutation of something permuted is one of its source. */
function putOffTranspose(walk: LayoutWalk, node: Node, view: NodeView<object>): boolean {
  const [input, order] = view.inputs;
  const [output] = view.outputs;
  if (node.op !== "TRANSPOSE" || !input || !order?.data || !output) return false;
  const value = walk.virtual.get(input.id);
  if (value && value.flat !== null) return false;
  const axes = constantOf(order);
  const composed = value ? permuted(value.order, axes) : axes;
  walk.virtual.set(output.id, { source: value?.source ?? input.id, order: composed, flat: null });
  return true;
}

/** Dimensions that TRANSPOSE has. */
const maxRank = 6;

/** A reshape of something permuted: done on the source, or put off where a dense layer may take it as it is. */
function moveReshape(walk: LayoutWalk, node: Node, view: NodeView<object>, readers: readonly Node[]): boolean {
  const [input] = view.inputs;
  const [output] = view.outputs;
  const value = input && walk.virtual.get(input.id);
  if (node.op !== "RESHAPE" || !input || !output || !value || value.flat !== null || isIdentity(value.order))
    return false;
  const isFlat = output.shape.length === 2 && output.shape[0] === input.shape[0] && value.order[0] === 0;
  const takesFlat = readers.some((r) => r.op === "FULLY_CONNECTED" || specOf(r).traits.elementwise);
  if (isFlat && takesFlat) {
    walk.virtual.set(output.id, { ...value, flat: output.shape });
    return true;
  }
  const moved = movedReshape(input.shape, output.shape, value.order);
  if (moved === null || moved.shape.length > maxRank) return false;
  const source = walk.tensor(value.source);
  let from = source.id;
  if (!isIdentity(moved.before)) {
    const ordered = walk.add(input, { shape: permuted(source.shape, moved.before), name: `${output.name}/order` });
    walk.virtual.set(ordered.id, { source: source.id, order: moved.before, flat: null });
    from = walk.materialise(ordered.id, node.origin);
  }
  const own = walk.add(output, { shape: moved.shape });
  walk.nodes.push({ ...node, inputs: [from], outputs: [own.id], attrs: { shape: moved.shape } } as Node);
  walk.virtual.set(output.id, { source: own.id, order: moved.order, flat: null });
  return true;
}

/** A dense layer on something flattened in another order has the columns of its weights in that order. */
function moveDense(walk: LayoutWalk, node: Node, view: NodeView<object>): boolean {
  const [input, weights] = view.inputs;
  const value = input && walk.virtual.get(input.id);
  if (!input || !value?.flat) return false;
  const source = walk.tensor(value.source);
  if (specOf(node).traits.elementwise && view.inputs.length === 1) {
    const [output] = view.outputs as readonly [Tensor];
    const own = walk.add(output, { shape: source.shape });
    walk.nodes.push({ ...node, inputs: [source.id], outputs: [own.id] } as Node);
    walk.virtual.set(output.id, { ...value, source: own.id });
    return true;
  }
  if (node.op !== "FULLY_CONNECTED" || !weights?.data || weights.shape[1] !== value.flat[1]) return false;
  const depth = weights.shape[1] as number;
  const units = weights.shape[0] ?? 0;
  const image = permuted([1, ...source.shape.slice(1)], value.order);
  const places = permutedPlaces(image, inverse(value.order));
  const data = makeData(weights.dtype, weights.data.length) as Float32Array;
  for (let u = 0; u < units; u++) {
    for (let i = 0; i < depth; i++) data[u * depth + i] = weights.data[u * depth + (places[i] ?? 0)] as number;
  }
  const own = walk.add(weights, { data });
  const flat = walk.add(input, { shape: value.flat, name: `${input.name}/flat` });
  walk.nodes.push({
    op: "RESHAPE",
    inputs: [source.id],
    outputs: [flat.id],
    attrs: { shape: value.flat },
    origin: node.origin,
  } as Node);
  walk.nodes.push({ ...node, inputs: [flat.id, own.id, ...node.inputs.slice(2)] } as Node);
  return true;
}

/** A permutation that puts the channels of an image, which come second, last. */
const toLast = (rank: number): readonly number[] => [0, ...Array.from({ length: rank - 2 }, (_, d) => d + 2), 1];

/** The graph with its permutations moved, inputs and outputs as `ports` says. */
function walkGraph(graph: Graph, ports: Ports): Graph {
  const walk = new LayoutWalk(graph);
  const readers = new Map<TensorId, Node[]>();
  for (const node of graph.nodes) {
    for (const id of node.inputs) if (id !== null) readers.set(id, [...(readers.get(id) ?? []), node]);
  }
  const inputs = graph.inputs.map((id) => {
    if (!ports.inputs.has(id)) return id;
    const tensor = walk.tensor(id);
    const order = toLast(tensor.shape.length);
    const own = walk.add(tensor, { shape: permuted(tensor.shape, order) });
    walk.virtual.set(id, { source: own.id, order: inverse(order), flat: null });
    return own.id;
  });
  for (const node of graph.nodes) {
    const view = viewOf({ ...graph, tensors: walk.tensors }, node) as NodeView<object>;
    const own = readers.get(node.outputs[0] as TensorId) ?? [];
    const isMoved =
      putOffTranspose(walk, node, view) ||
      moveReshape(walk, node, view, own) ||
      moveDense(walk, node, view) ||
      moveNode(walk, node, view);
    if (isMoved) continue;
    const needed = node.inputs.map((id) => (id === null ? null : walk.materialise(id, node.origin)));
    walk.nodes.push({ ...node, inputs: needed } as Node);
  }
  const taken = new Set<TensorId>(inputs);
  const outputs = graph.outputs.map((id) => {
    const value = walk.virtual.get(id);
    const rank = value?.order.length ?? 0;
    const isImage = rank === 4 && value?.flat === null && value.order.join() === inverse(toLast(rank)).join();
    const isFree = value !== undefined && !taken.has(value.source) && walk.tensor(value.source).data === null;
    const useless = value !== undefined && value.flat === null && isIdentity(value.order);
    const last = walk.nodes.at(-1)?.origin ?? { index: -1, op: "TRANSPOSE" };
    const result =
      isFree && (useless || (isImage && ports.outputs === "channels last")) ? value.source : copied(walk, id, last);
    // Names are what callers know outputs by.
    if (result !== id) walk.tensors.set(result, { ...walk.tensor(result), name: tensorOf(graph, id).name });
    taken.add(result);
    return result;
  });
  const tensors = new Map(walk.tensors);
  return live({ ...graph, tensors, nodes: walk.nodes, inputs, outputs });
}

/** An output that has to be a tensor of its own. */
function copied(walk: LayoutWalk, id: TensorId, origin: Node["origin"]): TensorId {
  const value = walk.virtual.get(id);
  if (value === undefined || value.flat !== null || !isIdentity(value.order)) return walk.materialise(id, origin);
  const target = walk.tensor(id);
  const attrs = { shape: target.shape.length === 0 ? [0] : target.shape };
  walk.nodes.push({ op: "RESHAPE", inputs: [value.source], outputs: [id], attrs, origin } as Node);
  return id;
}

/** The graph without tensors and nodes that nothing reads. */
function live(graph: Graph): Graph {
  const needed = new Set<TensorId>(graph.outputs);
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!specOf(node).traits.sideEffects && !node.outputs.some((id) => needed.has(id))) return false;
      for (const id of [...node.inputs, ...node.outputs]) if (id !== null) needed.add(id);
      return true;
    })
    .reverse();
  for (const id of graph.inputs) needed.add(id);
  return { ...graph, nodes, tensors: new Map([...graph.tensors].filter(([id]) => needed.has(id))) };
}

/** Elements that permutations move. */
const movedElements = (graph: Graph): number =>
  graph.nodes.reduce((sum, node) => {
    if (node.op !== "TRANSPOSE") return sum;
    return sum + elementsOf(tensorOf(graph, node.outputs[0] as TensorId).shape);
  }, 0);

/** Moves permutations through the operators to which they do not matter until they meet and cancel. */
export const moveTransposes: Pass = {
  name: "move transposes",
  run: (graph) => {
    if (!graph.nodes.some((n) => n.op === "TRANSPOSE")) return graph;
    const moved = walkGraph(graph, { inputs: new Set(), outputs: "as they are" });
    return movedElements(moved) < movedElements(graph) ? moved : graph;
  },
};

/**
 * The model with images in its inputs and outputs channels last ([batch, height, width, channels] for [batch, channels, height,
 * width]) wherever that saves permutations; sequences [batch, channels, steps] of inputs alike. Names stay.
 */
export function channelsLast(model: Model): Model {
  const graph = foldConstants.run(model.main, { subgraphs: model.subgraphs });
  const walked = (inputs: ReadonlySet<TensorId>): Graph => walkGraph(graph, { inputs, outputs: "channels last" });
  let best = { inputs: new Set<TensorId>(), graph: walked(new Set()) };
  for (const id of graph.inputs) {
    const rank = tensorOf(graph, id).shape.length;
    if (rank !== 3 && rank !== 4) continue;
    const inputs = new Set([...best.inputs, id]);
    const tried = walked(inputs);
    if (movedElements(tried) < movedElements(best.graph)) best = { inputs, graph: tried };
  }
  return { ...model, main: best.graph };
}
