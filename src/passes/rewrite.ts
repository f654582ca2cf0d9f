import type { TensorId } from "../base/units.js";
import { type NodeView, type Tensor, viewOf } from "../ir/graph.js";
import type { Graph, Node } from "../ops/index.js";

/** Questions a rule may ask about the graph around a node. */
export interface Neighbourhood {
  readonly graph: Graph;
  readonly producer: (id: TensorId) => Node | undefined;
  readonly consumers: (id: TensorId) => readonly Node[];
  readonly isOutput: (id: TensorId) => boolean;
  readonly view: (node: Node) => NodeView<object>;
}

/** What a rule does: nodes replaced (null: removed), tensors changed or added, and reads redirected. */
export interface Rewrite {
  readonly nodes: ReadonlyMap<Node, Node | null>;
  readonly tensors?: readonly Tensor[];
  /** Readers of the key read the value instead. */
  readonly redirect?: ReadonlyMap<TensorId, TensorId>;
}

/** A local rewrite, tried at every node. */
export interface Rule {
  readonly name: string;
  readonly apply: (node: Node, around: Neighbourhood) => Rewrite | null;
}

/** Indexes a graph for rules. */
export function neighbourhood(graph: Graph): Neighbourhood {
  const producers = new Map<TensorId, Node>();
  const consumers = new Map<TensorId, Node[]>();
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes) {
    for (const id of node.outputs) producers.set(id, node);
    for (const id of new Set(node.inputs)) {
      if (id === null) continue;
      const list = consumers.get(id);
      if (list) list.push(node);
      else consumers.set(id, [node]);
    }
  }
  return {
    graph,
    producer: (id) => producers.get(id),
    consumers: (id) => consumers.get(id) ?? [],
    isOutput: (id) => outputs.has(id),
    view: (node) => viewOf(graph, node) as NodeView<object>,
  };
}

/** Applies several rewrites that touch no node in common. */
function applyAll(graph: Graph, rewrites: readonly Rewrite[]): Graph {
  const nodes = new Map<Node, Node | null>();
  const tensors = new Map(graph.tensors);
  const redirect = new Map<TensorId, TensorId>();
  for (const rewrite of rewrites) {
    for (const [from, to] of rewrite.nodes) nodes.set(from, to);
    for (const tensor of rewrite.tensors ?? []) tensors.set(tensor.id, tensor);
    for (const [from, to] of rewrite.redirect ?? []) redirect.set(from, to);
  }
  const target = (id: TensorId): TensorId => {
    let current = id;
    for (let next = redirect.get(current); next !== undefined; next = redirect.get(current)) current = next;
    return current;
  };
  const kept = graph.nodes.flatMap((node): Node[] => {
    const replaced = nodes.has(node) ? nodes.get(node) : node;
    if (!replaced) return [];
    if (redirect.size === 0) return [replaced];
    return [{ ...replaced, inputs: replaced.inputs.map((id) => (id === null ? null : target(id))) } as Node];
  });
  return { ...graph, tensors, nodes: kept, outputs: graph.outputs.map(target) };
}

/** Far more sweeps than any chain of rules needs; a rule that never settles stops here. */
const maxSweeps = 64;

/** Sweeps the rules over the graph until none applies. Within one sweep no node is touched twice. */
export function rewriteToFixpoint(graph: Graph, rules: readonly Rule[]): Graph {
  let current = graph;
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    const around = neighbourhood(current);
    const touched = new Set<Node>();
    const rewrites: Rewrite[] = [];
    for (const node of current.nodes) {
      for (const rule of rules) {
        const rewrite = rule.apply(node, around);
        if (rewrite === null) continue;
        const nodes = [...rewrite.nodes.keys()];
        // A redirected reader changes too, so it must not be part of another rewrite of this sweep.
        const readers = [...(rewrite.redirect?.keys() ?? [])].flatMap((id) => around.consumers(id));
        if ([...nodes, ...readers].some((n) => touched.has(n))) continue;
        for (const n of [...nodes, ...readers]) touched.add(n);
        rewrites.push(rewrite);
        break;
      }
    }
    if (rewrites.length === 0) return current;
    current = applyAll(current, rewrites);
  }
  return current;
}
