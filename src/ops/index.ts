import type { GraphOf, ModelOf, NodeBase } from "../ir/graph.js";
import { abs } from "./abs/abs.js";
import { add } from "./add/add.js";
import { averagePool2d } from "./average_pool2d/average_pool2d.js";
import { cast } from "./cast/cast.js";
import { conv2d } from "./conv2d/conv2d.js";
import { depthwiseConv2d } from "./depthwise_conv2d/depthwise_conv2d.js";
import { dequantize } from "./dequantize/dequantize.js";
import { div } from "./div/div.js";
import { elu } from "./elu/elu.js";
import { exp } from "./exp/exp.js";
import { fullyConnected } from "./fully_connected/fully_connected.js";
import { hardSwish } from "./hard_swish/hard_swish.js";
import { leakyRelu } from "./leaky_relu/leaky_relu.js";
import { log } from "./log/log.js";
import { logistic } from "./logistic/logistic.js";
import { maxPool2d } from "./max_pool2d/max_pool2d.js";
import { maximum } from "./maximum/maximum.js";
import { mean } from "./mean/mean.js";
import { minimum } from "./minimum/minimum.js";
import { mul } from "./mul/mul.js";
import { neg } from "./neg/neg.js";
import { pad } from "./pad/pad.js";
import { padv2 } from "./padv2/padv2.js";
import { prelu } from "./prelu/prelu.js";
import { quantize } from "./quantize/quantize.js";
import { reduceMax } from "./reduce_max/reduce_max.js";
import { relu } from "./relu/relu.js";
import { relu6 } from "./relu6/relu6.js";
import { reluN1To1 } from "./relu_n1_to_1/relu_n1_to_1.js";
import { reshape } from "./reshape/reshape.js";
import { rsqrt } from "./rsqrt/rsqrt.js";
import { softmax } from "./softmax/softmax.js";
import { sqrt } from "./sqrt/sqrt.js";
import { squaredDifference } from "./squared_difference/squared_difference.js";
import { sub } from "./sub/sub.js";
import { sum } from "./sum/sum.js";
import { tanh } from "./tanh/tanh.js";
import { unidirectionalSequenceLstm } from "./unidirectional_sequence_lstm/unidirectional_sequence_lstm.js";
import type { OpSpec } from "./spec.js";

/** Every operator, one line each. Everything else about it is in its folder. */
export const registry = [
  abs,
  add,
  averagePool2d,
  cast,
  conv2d,
  depthwiseConv2d,
  dequantize,
  div,
  elu,
  exp,
  fullyConnected,
  hardSwish,
  leakyRelu,
  log,
  logistic,
  maxPool2d,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  pad,
  padv2,
  prelu,
  quantize,
  reduceMax,
  relu,
  relu6,
  reluN1To1,
  reshape,
  rsqrt,
  softmax,
  sqrt,
  squaredDifference,
  sub,
  sum,
  tanh,
  unidirectionalSequenceLstm,
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
