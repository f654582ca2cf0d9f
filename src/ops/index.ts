import type { GraphOf, ModelOf, NodeBase } from "../ir/graph.js";
import { conv2d } from "./conv2d/conv2d.js";
import type { OpSpec } from "./spec.js";

/** Every operator, one line each. Everything else about it is in its folder. */
export const registry = [conv2d] as const;

type Spec = (typeof registry)[number];

type NodeOfSpec<S> = S extends OpSpec<infer Name, infer A> ? NodeBase & { readonly op: Name; readonly attrs: A } : never;

/** A node of any operator, discriminated by `op`. */
export type Node = NodeOfSpec<Spec>;
export type OpName = Spec["name"];
export type Graph = GraphOf<Node>;
export type Model = ModelOf<Node>;

/** An operator with its attribute type forgotten, for code that treats all alike. */
export type AnyOp = OpSpec<OpName, object>;

const byName = new Map<string, AnyOp>(registry.map((spec) => [spec.name, spec as unknown as AnyOp]));

/** All operators, attribute types forgotten. */
export const operators: readonly AnyOp[] = [...byName.values()];

/** The operator of a node. */
export function specOf(node: { readonly op: OpName }): AnyOp {
  const spec = byName.get(node.op);
  if (spec === undefined) throw new RangeError(`no operator ${node.op}`);
  return spec;
}

/** The operator of that name, or undefined. */
export const findOp = (name: string): AnyOp | undefined => byName.get(name);
