import type { GraphProto, NodeProto } from "../proto.js";
import type { Value } from "./context.js";

/** A reader of a value: a node, or null for the graph itself, which gives it out. */
export type Reader = NodeProto | null;

/** Names of a graph and what they stand for; a subgraph sees those of the graph around it. */
export interface Scope {
  /** Null stands for a value that could not be made; its readers are passed over. */
  readonly values: Map<string, Value | null>;
  readonly readers: ReadonlyMap<string, readonly Reader[]>;
  readonly parent: Scope | null;
}

/** Names that a node reads, those that its subgraphs read included. */
function namesRead(node: NodeProto, depth: number): readonly string[] {
  const graphs = depth > 16 ? [] : (node.attribute ?? []).flatMap((a) => (a.g ? [a.g] : (a.graphs ?? [])));
  return [...(node.input ?? []), ...graphs.flatMap((g) => (g.node ?? []).flatMap((n) => namesRead(n, depth + 1)))];
}

/** A scope for a graph, empty but for who reads what. */
export function scopeOf(graph: GraphProto, parent: Scope | null): Scope {
  const readers = new Map<string, Reader[]>();
  const add = (name: string, reader: Reader): void => {
    const list = readers.get(name);
    if (list) list.push(reader);
    else readers.set(name, [reader]);
  };
  for (const node of graph.node ?? []) for (const name of namesRead(node, 0)) add(name, node);
  for (const output of graph.output ?? []) add(output.name ?? "", null);
  return { values: new Map(), readers, parent };
}

/** What a name stands for: null if that could not be made, undefined if there is no such name. */
export function lookUp(scope: Scope, name: string): Value | null | undefined {
  for (let s: Scope | null = scope; s !== null; s = s.parent) if (s.values.has(name)) return s.values.get(name);
  return undefined;
}
