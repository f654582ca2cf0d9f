import type { GraphOf, ModelOf, NodeBase } from "../ir/graph.js";
import { add } from "./add/add.js";
import { averagePool2d } from "./average_pool2d/average_pool2d.js";
import { conv2d } from "./conv2d/conv2d.js";
import { depthwiseConv2d } from "./depthwise_conv2d/depthwise_conv2d.js";
import { dequantize } from "./dequantize/dequantize.js";
import { fullyConnected } from "./fully_connected/fully_connected.js";
import { maxPool2d } from "./max_pool2d/max_pool2d.js";
import { pad } from "./pad/pad.js";
import { padv2 } from "./padv2/padv2.js";
import { quantize } from "./quantize/quantize.js";
import { reshape } from "./reshape/reshape.js";
import { sub } from "./sub/sub.js";
import type { OpSpec } from "./spec.js";

/** Every operator, one line each. Everything else about it is in its folder. */
export const registry = [
  add,
  averagePool2d,
  conv2d,
  depthwiseConv2d,
  dequantize,
  fullyConnected,
  maxPool2d,
  pad,
  padv2,
  quantize,
  reshape,
  sub,
] as const;

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
