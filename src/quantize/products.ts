import type { DType } from "../base/dtype.js";
import { type NodeView, type Quantization, type Tensor, viewOf } from "../ir/graph.js";
import { matchesTypes } from "../ops/check.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import type { InnerSums } from "../ops/spec.js";
import type { ActivationType } from "./affine.js";

/** Products of a node with weights: the one that its outputs are, or those inside a recurrent layer. */
export function productsOf(node: Node): readonly InnerSums[] {
  const { sums, innerSums } = specOf(node).traits;
  return sums === "none" ? innerSums : [sums];
}

/** True for an input that holds weights or a bias. */
export const isParameter = (node: Node, index: number): boolean =>
  productsOf(node).some((p) => index === p.weights || index === p.bias);

/**
 * The node with integer types, if a kernel takes it so; else null.
 * @param weights element type of weights; int8 where only that has a kernel
 */
export function integerView(
  graph: Graph,
  node: Node,
  activations: ActivationType,
  weights: "int8" | "int4" = "int8",
): NodeView<object> | null {
  const view = viewOf(graph, node) as NodeView<object>;
  const products = productsOf(node);
  const typed = (t: Tensor | null, dtype: DType): Tensor | null =>
    t === null || t.dtype !== "float32" ? t : { ...t, dtype };
  const inputs = view.inputs.map((t, i) => {
    if (products.some((p) => i === p.weights)) return typed(t, t?.data ? weights : "float32");
    if (products.some((p) => i === p.bias)) return typed(t, activations === "int8" ? "int32" : "int64");
    return typed(t, activations);
  });
  const outputs = view.outputs.map((t) => typed(t, activations) as Tensor);
  const integer = { ...view, inputs, outputs };
  if (specOf(node).kernels.some((k) => matchesTypes(integer, k.types))) return integer;
  return weights === "int4" ? integerView(graph, node, activations) : null;
}

/** Element type that a node's weights of so many bits get: int8 where no kernel has smaller ones. */
export function weightType(graph: Graph, node: Node, activations: ActivationType, bits: number): "int8" | "int4" {
  if (activations !== "int8" || bits !== 4) return "int8";
  const first = productsOf(node)[0]?.weights ?? -1;
  return integerView(graph, node, "int8", "int4")?.inputs[first]?.dtype === "int4" ? "int4" : "int8";
}

/** The quantizations that an operator fixes for its integer outputs; null where it fixes none, or stays in float. */
export function fixedQuantization(graph: Graph, node: Node): Readonly<Record<ActivationType, Quantization>> | null {
  const { quantizes } = specOf(node).traits;
  if (typeof quantizes !== "object") return null;
  const isInteger = (["int8", "int16"] as const).some((dtype) => integerView(graph, node, dtype) !== null);
  return isInteger ? quantizes : null;
}
