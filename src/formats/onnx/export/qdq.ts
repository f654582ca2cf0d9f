import { present } from "../../../base/assert.js";
import { float16ToNumber } from "../../../base/dtype.js";
import { type TensorId, tensorId } from "../../../base/units.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import { inputOf, outputOf } from "../../../ops/common/view.js";
import { type Graph, type Node, specOf } from "../../../ops/index.js";
import type { ExportContext, Lower } from "./context.js";
import { blocked, identity, type Layout, nchw, place } from "./layouts.js";
import { commonLayout } from "./operands.js";
import { filterLayout } from "./spatial.js";

const isQuantized = (t: Tensor | undefined): t is Tensor =>
  t !== undefined &&
  t.quant !== null &&
  (t.dtype === "int8" || t.dtype === "uint8" || t.dtype === "int32" || t.dtype === "int4");

/** True if a graph has quantized values that can be written between QuantizeLinear and DequantizeLinear. */
export const hasQuantized = (graph: Graph): boolean => [...graph.tensors.values()].some(isQuantized);

/** Gives 32-bit biases that do not state their scales those they have: the input's by the weights'. */
function stateBiases(tensors: Map<TensorId, Tensor>, node: Node): void {
  const { sums, innerSums } = specOf(node).traits;
  for (const place of sums === "none" ? innerSums : [sums]) {
    const input = tensors.get((place.input === "output" ? node.outputs[0] : node.inputs[place.input]) ?? tensorId(-1));
    const [weights, bias] = [place.weights, place.bias].map((i) => tensors.get(node.inputs[i] ?? tensorId(-1)));
    if (bias?.dtype !== "int32" || bias.quant !== null || !input?.quant || !weights?.quant) continue;
    const scale = present(input.quant.scales[0], "scale");
    const scales = weights.quant.scales.map((w) => scale * w);
    tensors.set(bias.id, { ...bias, quant: { scales, zeroPoints: scales.map(() => 0), axis: 0 } });
  }
}

/**
 * A quantized graph in float32: each value is quantized where it is computed, and dequantized where it is read. A runtime
 * that knows the pattern computes in integers; any other gives the same up to rounding.
 */
export function withFloatOperators(graph: Graph): Graph {
  const tensors = new Map(graph.tensors);
  let next = 1 + Math.max(-1, ...[...tensors.keys()].map(Number));
  const nodes: Node[] = [];
  const floats = new Map<TensorId, TensorId>();
  const twin = (t: Tensor): Tensor => {
    const made: Tensor = { ...t, id: tensorId(next++), name: "", dtype: "float32", quant: null, data: null };
    tensors.set(made.id, made);
    return made;
  };
  const origin = { index: -1, op: "export" };
  const read = (id: TensorId): TensorId => {
    const t = tensors.get(id);
    const known = floats.get(id);
    if (known !== undefined || !isQuantized(t)) return known ?? id;
    // Stored one to a byte here, so int8 holds them.
    if (t.dtype === "int4") tensors.set(id, { ...t, dtype: "int8" });
    const float = twin(t);
    nodes.push({ op: "DEQUANTIZE", inputs: [id], outputs: [float.id], attrs: {}, origin });
    floats.set(id, float.id);
    return float.id;
  };
  for (const node of graph.nodes) {
    stateBiases(tensors, node);
    if (node.op === "QUANTIZE" || node.op === "DEQUANTIZE") {
      // A QUANTIZE from one scale to another is one of each.
      const inputs = node.op === "QUANTIZE" ? node.inputs.map((id) => (id === null ? null : read(id))) : node.inputs;
      nodes.push({ ...node, inputs } as Node);
      continue;
    }
    const inputs = node.inputs.map((id) => (id === null ? null : read(id)));
    const after: Node[] = [];
    const outputs = node.outputs.map((id) => {
      const t = tensors.get(id);
      if (!isQuantized(t)) return id;
      const float = twin(t);
      after.push({ op: "QUANTIZE", inputs: [float.id], outputs: [id], attrs: {}, origin });
      return float.id;
    });
    nodes.push({ ...node, inputs, outputs } as Node, ...after);
  }
  return { ...graph, tensors, nodes };
}

/** Scale and zero point as constants: numbers, or vectors along an axis. */
function parameters(c: ExportContext, t: Tensor, layout: Layout) {
  const { scales, zeroPoints, axis } = present(t.quant, "quantization");
  const shape = scales.length === 1 ? [] : [scales.length];
  const scale = c.floats(shape, scales);
  const zero =
    t.dtype === "uint8"
      ? c.writer.constant("uint8", shape, Uint8Array.from(zeroPoints))
      : c.writer.constant("int8", shape, Int8Array.from(zeroPoints));
  return {
    // 32-bit biases have no zero point.
    inputs: t.dtype === "int32" ? [scale] : [scale, zero],
    attributes: scales.length === 1 ? {} : { axis: place(axis, layout) },
  };
}

const quantize: Lower = (c, view) => {
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const home = commonLayout(c, view, y);
  const layout = home === blocked ? nchw : home;
  const { inputs, attributes } = parameters(c, y, layout);
  c.give(y, layout, c.op("QuantizeLinear", [c.take(x, layout), ...inputs], attributes));
};

/** Weights in the layout of who reads them, so that nothing is transposed in between. */
function dequantizedLayout(c: ExportContext, x: Tensor, y: Tensor): Layout {
  if (x.data === null) return c.home(x);
  const reader: NodeView<never> | undefined = c.readers(y)[0];
  if (reader?.op === "CONV_2D" || reader?.op === "DEPTHWISE_CONV_2D")
    return x.shape.length === 4 ? filterLayout[reader.op] : "0";
  return reader?.op === "TRANSPOSE_CONV" && x.shape.length === 4 ? "3012" : identity(x.shape.length);
}

const dequantize: Lower = (c, view) => {
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  if (x.dtype === "float16") {
    const halves = Array.from(present(x.data, "constant") as Uint16Array, float16ToNumber);
    c.give(y, identity(x.shape.length), c.floats(x.shape, halves));
    return;
  }
  const layout = dequantizedLayout(c, x, y);
  const { inputs, attributes } = parameters(c, x, layout);
  c.give(y, layout, c.op("DequantizeLinear", [c.take(x, layout), ...inputs], attributes));
};

/** The two ends of a quantized value. */
export const quantizedLowerings = { QUANTIZE: quantize, DEQUANTIZE: dequantize } as const;
