import { bytesOf, elementsOf, fromBytes, type TensorData } from "../base/dtype.js";
import { testBytes } from "../base/random.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";

/** Scale and zero point that an int8 byte stands for at a float input: those of the QUANTIZE that reads it. */
function floatScale(graph: Graph, input: Tensor): { readonly scale: number; readonly zero: number } {
  const reader = graph.nodes.find((n) => n.op === "QUANTIZE" && n.inputs[0] === input.id);
  const output = reader?.outputs[0];
  const quant = output === undefined ? null : tensorOf(graph, output).quant;
  return { scale: Math.fround(quant?.scales[0] ?? 1 / 128), zero: quant?.zeroPoints[0] ?? 0 };
}

/**
 * Pseudo-random inputs for run `run` of a model: one stream of bytes (see testBytes) through all inputs in order. An
 * integer input takes its bytes as they are; each float element takes one byte as an int8 and dequantizes it, with
 * 1/128 where nothing quantizes the input.
 */
export function testInputs(graph: Graph, run: number): readonly TensorData[] {
  const tensors = graph.inputs.map((id) => tensorOf(graph, id));
  const sizes = tensors.map((t) =>
    t.dtype === "float32" ? elementsOf(t.shape) : bytesOf(t.dtype, elementsOf(t.shape)),
  );
  const stream = testBytes(
    run,
    sizes.reduce((sum, n) => sum + n, 0),
  );
  let at = 0;
  return tensors.map((tensor, i) => {
    const bytes = stream.subarray(at, at + (sizes[i] ?? 0));
    at += bytes.length;
    if (tensor.dtype === "bool")
      return fromBytes(
        tensor.dtype,
        bytes.map((b) => b & 1),
        elementsOf(tensor.shape),
      );
    if (tensor.dtype !== "float32") return fromBytes(tensor.dtype, bytes, elementsOf(tensor.shape));
    const { scale, zero } = floatScale(graph, tensor);
    return Float32Array.from(bytes, (b) => Math.fround(((b << 24) >> 24) - zero) * scale);
  });
}
