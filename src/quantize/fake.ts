import { rangeOf } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type Quantization, type Tensor, tensorOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import type { ActivationType } from "./affine.js";
import { quantizationGroups } from "./groups.js";
import { fixedQuantization, productsOf, weightType } from "./products.js";
import { largestWeight, type WeightBits, weightScales } from "./weights.js";

export interface FakeChoices {
  readonly activations: ActivationType;
  readonly weightBits: (node: Node) => WeightBits;
}

/** A float graph that computes with what integers can hold. */
export interface FakeQuantized {
  readonly graph: Graph;
  /** Constants that training must not change: scales that operators fix, and values that are no weights. */
  readonly fixed: ReadonlySet<TensorId>;
}

/** Scales and weights that came out of training. */
export interface Learned {
  /** The graph without FAKE_QUANTIZE. */
  readonly graph: Graph;
  readonly quantizations: ReadonlyMap<TensorId, Quantization>;
  /** Scales of the weights of a node's product, one for each output channel. */
  readonly weightScales: (node: Node, product: number) => readonly number[] | undefined;
}

type FakeNode = Extract<Node, { readonly op: "FAKE_QUANTIZE" }>;

const isMover = (node: Node): boolean => specOf(node).traits.moves || specOf(node).traits.view;

/**
 * Puts FAKE_QUANTIZE behind every activation and weight that integers will hold. Tensors that share a quantization share
 * its scale, a constant that training may change; zero points stay as they are. Biases stay as they are: their integers
 * are 2^16 times finer than the sums'.
 */
export function fakeQuantized(
  graph: Graph,
  quantizations: ReadonlyMap<TensorId, Quantization>,
  choices: FakeChoices,
): FakeQuantized {
  const tensors = new Map(graph.tensors);
  const nodes: Node[] = [];
  const groups = quantizationGroups(graph);
  const fixed = new Set<TensorId>();
  const fixedRoots = new Set(graph.nodes.flatMap((n) => (fixedQuantization(graph, n) === null ? [] : n.outputs)));
  const scales = new Map<TensorId, TensorId>();
  const faked = new Map<TensorId, TensorId>();
  let next = Math.max(-1, ...graph.tensors.keys()) + 1;
  const add = (t: Omit<Tensor, "id" | "quant" | "variable">): TensorId => {
    const id = tensorId(next++);
    tensors.set(id, { ...t, id, quant: null, variable: false });
    return id;
  };
  const fake = (t: Tensor, scale: TensorId, attrs: FakeNode["attrs"]): TensorId => {
    const output = add({ name: `${t.name}/faked`, shape: t.shape, dtype: "float32", data: null });
    const origin = { index: -1, op: "FAKE_QUANTIZE" };
    nodes.push({ op: "FAKE_QUANTIZE", inputs: [t.id, scale], outputs: [output], attrs, origin });
    return output;
  };
  const scaleOfGroup = (id: TensorId, quant: Quantization): TensorId => {
    const root = groups.get(id) ?? id;
    const known = scales.get(root);
    if (known !== undefined) return known;
    const name = `${tensorOf(graph, root).name}/log-scale`;
    const made = add({ name, shape: [1], dtype: "float32", data: Float32Array.of(Math.log(quant.scales[0] ?? 1)) });
    scales.set(root, made);
    if (fixedRoots.has(root)) fixed.add(made);
    return made;
  };
  const activation = (id: TensorId): void => {
    const [t, quant] = [tensorOf(graph, id), quantizations.get(id)];
    if (t.dtype !== "float32" || quant === undefined || faked.has(id)) return;
    const { min, max } = rangeOf(choices.activations);
    const attrs = { low: min, high: max, zeroPoint: quant.zeroPoints[0] ?? 0 };
    faked.set(id, fake(t, scaleOfGroup(id, quant), attrs));
  };
  for (const id of graph.inputs) activation(id);
  for (const node of graph.nodes) {
    const products = productsOf(node);
    const bits = weightType(graph, node, choices.activations, choices.weightBits(node)) === "int4" ? 4 : 8;
    const inputs = node.inputs.map((id, i) => {
      if (id === null) return null;
      const t = tensorOf(graph, id);
      if (t.dtype !== "float32" || products.some((p) => i === p.bias)) return id;
      const product = products.find((p) => i === p.weights);
      if (product && t.data !== null) {
        const high = largestWeight(bits);
        const of = weightScales(t, product.channelAxis, bits, () => 0);
        const shape = t.shape.map((size, axis) => (axis === product.channelAxis ? size : 1));
        const scale = add({
          name: `${t.name}/log-scale`,
          shape,
          dtype: "float32",
          data: Float32Array.from(of, Math.log),
        });
        return fake(t, scale, { low: -high, high, zeroPoint: 0 });
      }
      if (t.data !== null) {
        activation(id);
        fixed.add(id);
      }
      return faked.get(id) ?? id;
    });
    nodes.push({ ...node, inputs } as Node);
    // What only moves is held exactly already.
    for (const id of node.outputs) if (!isMover(node)) activation(id);
  }
  const outputs = graph.outputs.map((id) => faked.get(id) ?? id);
  return { graph: { ...graph, tensors, nodes, outputs }, fixed };
}

/** Takes FAKE_QUANTIZE out of a graph again, and reads the scales that training left. */
export function learnedQuantization(graph: Graph): Learned {
  const sources = new Map<TensorId, TensorId>();
  const quantizations = new Map<TensorId, Quantization>();
  const ofWeights = new Map<TensorId, readonly number[]>();
  const scaleData = (id: TensorId | null): readonly number[] =>
    Array.from((id === null ? null : (tensorOf(graph, id).data as Float32Array)) ?? [], (s) =>
      Math.fround(Math.max(Math.exp(s), 1e-12)),
    );
  const fakes = graph.nodes.filter((n): n is FakeNode => n.op === "FAKE_QUANTIZE");
  const readers = new Map<TensorId, Node>();
  for (const node of graph.nodes) for (const id of node.inputs) if (id !== null) readers.set(id, node);
  for (const node of fakes) {
    const [x, scale] = node.inputs as readonly [TensorId, TensorId];
    const [output] = node.outputs as readonly [TensorId];
    sources.set(output, x);
    const reader = readers.get(output);
    const isWeights = reader && productsOf(reader).some((p) => reader.inputs[p.weights] === output);
    if (isWeights) ofWeights.set(x, scaleData(scale));
    else quantizations.set(x, { scales: scaleData(scale), zeroPoints: [node.attrs.zeroPoint], axis: 0 });
  }
  const source = (id: TensorId): TensorId => sources.get(id) ?? id;
  const nodes = graph.nodes
    .filter((n) => n.op !== "FAKE_QUANTIZE")
    .map((n) => ({ ...n, inputs: n.inputs.map((id) => (id === null ? null : source(id))) }) as Node);
  const plain: Graph = { ...graph, nodes, outputs: graph.outputs.map(source) };
  const groups = quantizationGroups(plain);
  const byRoot = new Map([...quantizations].map(([id, quant]) => [groups.get(id) ?? id, quant]));
  // As operators say, without the rounding of a logarithm.
  for (const node of plain.nodes) {
    const quantizes = fixedQuantization(plain, node);
    if (quantizes === null) continue;
    for (const id of node.outputs) {
      const known = quantizations.get(id);
      const root = groups.get(id) ?? id;
      const exact = known && (known.zeroPoints[0] === quantizes.int8.zeroPoints[0] ? quantizes.int8 : quantizes.int16);
      if (exact) byRoot.set(root, exact);
    }
  }
  const all = new Map<TensorId, Quantization>();
  for (const [id, root] of groups) {
    const quant = byRoot.get(root);
    if (quant !== undefined) all.set(id, quant);
  }
  return {
    graph: plain,
    quantizations: all,
    weightScales: (node, product) =>
      ofWeights.get(node.inputs[productsOf(node)[product]?.weights ?? -1] ?? tensorId(-1)),
  };
}
