import { elementsOf, makeData } from "../src/base/dtype.js";
import { type Random, seededRandom } from "../src/base/random.js";
import { type TensorId, tensorId } from "../src/base/units.js";
import { exportTflite } from "../src/formats/tflite/export.js";
import { perTensor, type Quantization, type Tensor } from "../src/ir/graph.js";
import type { Graph, Node } from "../src/ops/index.js";

/**
 * The example network: a keyword spotter of depthwise-separable convolutions (DS-CNN of Zhang et al. 2017, "Hello
 * Edge", size S) with seeded random weights: 49 frames of 10 MFCCs in, 12 classes out.
 */
export const exampleSeed = 2017;

interface Layers {
  readonly random: Random;
  readonly tensors: Map<TensorId, Tensor>;
  readonly nodes: Node[];
}

/** Adds a tensor; a constant gets seeded contents of `spread` around zero. */
function addTensor(l: Layers, tensor: Omit<Tensor, "id" | "variable" | "data">, data: Tensor["data"] = null): TensorId {
  const id = tensorId(l.tensors.size);
  l.tensors.set(id, { ...tensor, id, data, variable: false });
  return id;
}

/** int8 weights of a normal distribution, one scale per channel, and what an accumulator of them spreads over. */
function weights(
  l: Layers,
  name: string,
  shape: readonly number[],
  axis: number,
): { id: TensorId; quant: Quantization; fanIn: number } {
  const channels = shape[axis] ?? 1;
  const data = makeData("int8", elementsOf(shape)) as Int8Array;
  for (let i = 0; i < data.length; i++) data[i] = Math.max(-127, Math.min(127, Math.round(l.random.normal() * 42)));
  const quant = {
    scales: Array.from({ length: channels }, () => Math.fround(0.004 + l.random.unit() * 0.004)),
    zeroPoints: new Array<number>(channels).fill(0),
    axis,
  };
  return { id: addTensor(l, { name, shape, dtype: "int8", quant }, data), quant, fanIn: data.length / channels };
}

function bias(l: Layers, name: string, inputScale: number, quant: Quantization): TensorId {
  const data = Int32Array.from(quant.scales, () => l.random.integer(-800, 800));
  const scales = quant.scales.map((s) => Math.fround(s * inputScale));
  return addTensor(l, { name, shape: [data.length], dtype: "int32", quant: { ...quant, scales, axis: 0 } }, data);
}

const outputScale = Math.fround(0.05);

/** A layer with weights, bias and ReLU; returns its output. */
function weighted(
  l: Layers,
  op: "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED",
  name: string,
  input: TensorId,
  filter: readonly number[],
  output: readonly number[],
  attrs: object,
): TensorId {
  const source = l.tensors.get(input);
  const inputScale = source?.quant?.scales[0] ?? 1;
  const w = weights(l, `${name}/weights`, filter, op === "DEPTHWISE_CONV_2D" ? 3 : 0);
  const b = bias(l, `${name}/bias`, inputScale, w.quant);
  const isLast = op === "FULLY_CONNECTED";
  const quant = isLast ? perTensor(0.2, 4) : perTensor(outputScale, -128);
  const out = addTensor(l, { name, shape: output, dtype: "int8", quant });
  l.nodes.push({ op, inputs: [input, w.id, b], outputs: [out], attrs, origin: { index: l.nodes.length, op } } as Node);
  return out;
}

/** The example network as a .tflite file. */
export function exampleModel(): Uint8Array {
  const l: Layers = { random: seededRandom(exampleSeed), tensors: new Map(), nodes: [] };
  const input = addTensor(l, { name: "mfcc", shape: [1, 49, 10, 1], dtype: "int8", quant: perTensor(0.58, 83) });
  const conv = { padding: "SAME", dilation: [1, 1], activation: "RELU" } as const;
  let x = weighted(l, "CONV_2D", "conv0", input, [64, 10, 4, 1], [1, 25, 5, 64], { ...conv, stride: [2, 2] });
  for (let block = 1; block <= 4; block++) {
    x = weighted(l, "DEPTHWISE_CONV_2D", `depthwise${block}`, x, [1, 3, 3, 64], [1, 25, 5, 64], {
      ...conv,
      stride: [1, 1],
      multiplier: 1,
    });
    x = weighted(l, "CONV_2D", `pointwise${block}`, x, [64, 1, 1, 64], [1, 25, 5, 64], { ...conv, stride: [1, 1] });
  }
  const add = (op: Node["op"], name: string, shape: readonly number[], quant: Quantization, attrs: object): void => {
    const out = addTensor(l, { name, shape, dtype: "int8", quant });
    l.nodes.push({ op, inputs: [x], outputs: [out], attrs, origin: { index: l.nodes.length, op } } as Node);
    x = out;
  };
  const activations = perTensor(outputScale, -128);
  add("AVERAGE_POOL_2D", "pool", [1, 1, 1, 64], activations, {
    padding: "VALID",
    stride: [25, 5],
    kernel: [25, 5],
    activation: "NONE",
  });
  add("RESHAPE", "flatten", [1, 64], activations, { shape: [1, 64] });
  x = weighted(l, "FULLY_CONNECTED", "logits", x, [12, 64], [1, 12], { activation: "NONE", keepNumDims: false });
  add("SOFTMAX", "scores", [1, 12], perTensor(1 / 256, -128), { beta: 1 });
  const main: Graph = {
    name: "ds_cnn",
    tensors: l.tensors,
    nodes: l.nodes,
    inputs: [input],
    outputs: [x],
    variables: [],
  };
  return exportTflite({ main, subgraphs: [] });
}
