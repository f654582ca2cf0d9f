import { type DType, type TensorData, toBytes } from "../base/dtype.js";
import type { GraphOf, NodeBase, Quantization, Tensor, TensorType } from "./graph.js";

/** Whether constants are printed in full (the text then parses back to the same graph) or only by their size. */
export interface PrintOptions {
  readonly constants: "full" | "omitted";
}

const list = (values: readonly (number | null)[]): string => `[${values.map((v) => v ?? "-").join(", ")}]`;

function quantText(quant: Quantization | null): string {
  if (quant === null) return "";
  if (quant.scales.length === 1)
    return ` scale ${quant.scales[0]} zero ${quant.zeroPoints[0]}${quant.axis === 0 ? "" : ` axis ${quant.axis}`}`;
  return ` scale ${list(quant.scales)} zero ${list(quant.zeroPoints)} axis ${quant.axis}`;
}

function dataText(dtype: DType, data: TensorData | null, options: PrintOptions): string {
  if (data === null) return "";
  if (options.constants === "omitted") return ` = ${data.length} constants`;
  return ` = "${Buffer.from(toBytes(dtype, data)).toString("base64")}"`;
}

const typeText = (t: TensorType): string => `${t.dtype} ${list(t.shape)}${quantText(t.quant)}`;

function tensorText(t: Tensor, options: PrintOptions): string {
  const flags = `${t.variable ? " variable" : ""}${t.resource === undefined ? "" : ` resource ${JSON.stringify(t.resource)}`}`;
  return `tensor ${t.id} ${JSON.stringify(t.name)} ${typeText(t)}${flags}${dataText(t.dtype, t.data, options)}`;
}

function nodeText(node: NodeBase): string {
  const version = node.origin.version === undefined ? "" : ` version ${node.origin.version}`;
  return `node ${node.op} ${list(node.inputs)} -> ${list(node.outputs)} ${JSON.stringify(node.attrs)} origin ${node.origin.index} ${JSON.stringify(node.origin.op)}${version}`;
}

/** The text form of a graph: one line a tensor, variable and node. With full constants it parses back. */
export function printGraph<N extends NodeBase>(
  graph: GraphOf<N>,
  options: PrintOptions = { constants: "full" },
): string {
  return [
    `graph ${JSON.stringify(graph.name)}`,
    ...[...graph.tensors.values()].map((t) => tensorText(t, options)),
    ...graph.variables.map(
      (v) => `variable ${JSON.stringify(v.name)} ${typeText(v)}${dataText(v.dtype, v.initial, options)}`,
    ),
    ...graph.nodes.map(nodeText),
    `inputs ${list(graph.inputs)}`,
    `outputs ${list(graph.outputs)}`,
    "",
  ].join("\n");
}
