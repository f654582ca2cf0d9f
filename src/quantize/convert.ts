import type { DType, TensorData } from "../base/dtype.js";
import { clamp, roundAway } from "../base/fixedpoint.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type NodeView, type Quantization, sameQuantization, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { matchesTypes } from "../ops/check.js";
import { type Graph, type Node, specOf } from "../ops/index.js";
import type { WeightedSums } from "../ops/spec.js";
import { type ActivationType, quantizeData } from "./affine.js";
import { keepsScale } from "./groups.js";
import { channelLayout, quantizeWeights, type Rounding, type WeightBits, weightScales } from "./weights.js";

/** How the layers of a graph are quantized. */
export interface LayerChoices {
  readonly activations: ActivationType;
  /** Bits of the weights of a node. */
  readonly weightBits: (node: Node) => WeightBits;
  /** Scales of the weights of a node, one for each output channel, where they are known. */
  readonly weightScales?: (node: Node) => readonly number[] | undefined;
  /** How the weights of a node become integers; default to the nearest. */
  readonly round?: (node: Node) => Rounding | undefined;
  /** What rounding its weights adds to the outputs of a node on average, one for each channel: taken off the biases. */
  readonly meanError?: (node: Node, weightError: Float32Array) => Float64Array | undefined;
}

/** Biases may use this much of int32, so that sums stay inside it. */
const largestBias = 2 ** 30;

/** A graph in which integers take the place of float32 wherever operators compute with them. */
export interface Converted {
  readonly graph: Graph;
  /** Operators that stayed in float32, for no integer kernel computes them. */
  readonly floating: readonly Node[];
}

/**
 * Quantizes a float graph: weights, biases and constants become integers, activations get the quantizations given, and
 * QUANTIZE and DEQUANTIZE stand at float32 inputs and outputs, and around operators that have no integer form.
 */
export function convert(
  graph: Graph,
  quantizations: ReadonlyMap<TensorId, Quantization>,
  choices: LayerChoices,
): Converted {
  const work = new Conversion(graph, quantizations, choices);
  for (const node of graph.nodes) work.node(node);
  return work.finish();
}

/** The graph as it grows. Each float32 tensor of the old graph may have an integer and a float form in the new one. */
class Conversion {
  private readonly tensors = new Map<TensorId, Tensor>();
  private readonly nodes: Node[] = [];
  private readonly integers = new Map<TensorId, Tensor>();
  private readonly floats = new Map<TensorId, Tensor>();
  private readonly floating: Node[] = [];
  private next: number;

  constructor(
    private readonly old: Graph,
    private readonly quantizations: ReadonlyMap<TensorId, Quantization>,
    private readonly choices: LayerChoices,
  ) {
    this.next = Math.max(-1, ...old.tensors.keys()) + 1;
    for (const id of old.inputs) this.float(this.keep(tensorOf(old, id)));
  }

  node(node: Node): void {
    const view = viewOf(this.old, node);
    const touchesFloats = [...view.inputs, ...view.outputs].some((t) => t?.dtype === "float32");
    const integer = touchesFloats ? this.integerView(node, view) : null;
    if (integer !== null) {
      this.integerNode(node, view);
      return;
    }
    if (touchesFloats) this.floating.push(node);
    const inputs = view.inputs.map((t) => (t === null ? null : this.asFloat(t).id));
    for (const t of view.outputs) this.float(this.keep(t));
    this.nodes.push({ ...node, inputs } as Node);
  }

  finish(): Converted {
    const outputs = this.old.outputs.map((id) => this.asFloat(tensorOf(this.old, id)).id);
    const graph = { ...this.old, tensors: this.tensors, nodes: this.nodes, outputs };
    return { graph, floating: this.floating };
  }

  /** The node with integer types, if a kernel takes it so. */
  private integerView(node: Node, view: NodeView<object>): NodeView<object> | null {
    const { sums } = specOf(node).traits;
    const { activations } = this.choices;
    const typed = (t: Tensor | null, dtype: DType): Tensor | null =>
      t === null || t.dtype !== "float32" ? t : { ...t, dtype };
    const inputs = view.inputs.map((t, i) => {
      if (sums !== "none" && i === sums.weights) return typed(t, t?.data ? this.weightType(node) : "float32");
      if (sums !== "none" && i === sums.bias) return typed(t, activations === "int8" ? "int32" : "int64");
      return typed(t, activations);
    });
    const outputs = view.outputs.map((t) => typed(t, activations) as Tensor);
    const integer = { ...view, inputs, outputs };
    return specOf(node).kernels.some((k) => matchesTypes(integer, k.types)) ? integer : null;
  }

  private weightType(node: Node): DType {
    return this.choices.activations === "int8" && this.choices.weightBits(node) === 4 ? "int4" : "int8";
  }

  private integerNode(node: Node, view: NodeView<object>): void {
    const { sums } = specOf(node).traits;
    const { activations } = this.choices;
    const shared = keepsScale(node) ? this.quantizations.get(view.outputs[0]?.id as TensorId) : undefined;
    const inputs = view.inputs.map((t, i) => {
      if (t === null || t.dtype !== "float32" || (sums !== "none" && (i === sums.weights || i === sums.bias))) return t;
      return this.asInteger(t, shared);
    });
    if (sums !== "none") this.weightedInputs(node, view, sums, inputs);
    const outputs = view.outputs.map((t) => {
      if (t.dtype !== "float32") return this.keep(t);
      const quant = this.quantizations.get(t.id) ?? null;
      const made = this.keep({ ...t, dtype: activations, quant });
      this.integers.set(t.id, made);
      return made;
    });
    const ids = inputs.map((t) => (t === null ? null : this.keep(t).id));
    this.nodes.push({ ...node, inputs: ids, outputs: outputs.map((t) => t.id) } as Node);
  }

  /** Weights and bias as integers. */
  private weightedInputs(node: Node, view: NodeView<object>, sums: WeightedSums, inputs: (Tensor | null)[]): void {
    const [weights, bias] = [view.inputs[sums.weights], view.inputs[sums.bias] ?? null];
    const inputScale = inputs[sums.input]?.quant?.scales[0] ?? 1;
    if (!weights) return;
    const bits = this.weightType(node) === "int4" ? 4 : 8;
    const channels = weights.shape[sums.channelAxis] ?? 1;
    const biasOf = (c: number): number => (bias === null ? 0 : ((bias.data as Float32Array)[c] as number));
    const scales =
      this.choices.weightScales?.(node) ??
      weightScales(weights, sums.channelAxis, bits, (c) => Math.abs(biasOf(c)) / inputScale / largestBias);
    const data = quantizeWeights(weights, sums.channelAxis, bits, scales, this.choices.round?.(node));
    const { channelOf } = channelLayout(weights.shape, sums.channelAxis);
    const original = weights.data as Float32Array;
    const error = Float32Array.from(data, (q, i) => q * (scales[channelOf(i)] as number) - (original[i] as number));
    const shift = this.choices.meanError?.(node, error);
    const biases = Float64Array.from({ length: channels }, (_, c) => biasOf(c) - (shift?.[c] ?? 0));
    const isSingle = scales.every((s) => s === scales[0]);
    const quant = (of: readonly number[], axis: number): Quantization =>
      isSingle
        ? { scales: of.slice(0, 1), zeroPoints: [0], axis: 0 }
        : { scales: of, zeroPoints: of.map(() => 0), axis };
    const dtype = this.weightType(node);
    inputs[sums.weights] = this.fresh({ ...weights, dtype, quant: quant(scales, sums.channelAxis), data });
    if (bias === null && shift === undefined) return;
    const biasScales = scales.map((s) => Math.fround(s * inputScale));
    const rounded = biases.map((b, c) => clamp(roundAway(b / (biasScales[c] as number)), -(2 ** 31), 2 ** 31 - 1));
    const isWide = this.choices.activations === "int16";
    inputs[sums.bias] = this.fresh({
      id: tensorId(0),
      name: bias?.name ?? `${weights.name}/bias`,
      shape: [channels],
      variable: false,
      dtype: isWide ? "int64" : "int32",
      quant: quant(biasScales, 0),
      data: (isWide ? BigInt64Array.from(rounded, (b) => BigInt(b)) : Int32Array.from(rounded)) as TensorData,
    });
  }

  /** A tensor of the old graph as integers, of its own quantization or of one that a node needs. */
  private asInteger(t: Tensor, wanted: Quantization | undefined): Tensor {
    const { activations } = this.choices;
    const quant = this.quantizations.get(t.id) ?? null;
    let made = this.integers.get(t.id);
    if (made === undefined) {
      made =
        t.data !== null && quant !== null
          ? this.fresh({
              ...t,
              dtype: activations,
              quant,
              data: quantizeData(t.data as Float32Array, quant, activations),
            })
          : this.insert("QUANTIZE", this.asFloat(t), { ...t, name: `${t.name}/quantized`, dtype: activations, quant });
      this.integers.set(t.id, made);
    }
    if (wanted === undefined || sameQuantization(wanted, made.quant)) return made;
    return this.insert("QUANTIZE", made, { ...made, name: `${t.name}/rescaled`, quant: wanted });
  }

  private asFloat(t: Tensor): Tensor {
    const known = this.floats.get(t.id);
    if (known !== undefined || t.dtype !== "float32") return known ?? this.keep(t);
    const integer = this.integers.get(t.id);
    if (integer === undefined) return this.keep(t);
    const made = this.insert("DEQUANTIZE", integer, { ...t, name: `${t.name}/real`, quant: null });
    this.floats.set(t.id, made);
    return made;
  }

  private insert(op: "QUANTIZE" | "DEQUANTIZE", from: Tensor, to: Tensor): Tensor {
    const made = this.fresh({ ...to, data: null });
    this.nodes.push({ op, inputs: [from.id], outputs: [made.id], attrs: {}, origin: { index: -1, op } } as Node);
    return made;
  }

  private float(t: Tensor): void {
    if (t.dtype === "float32") this.floats.set(t.id, t);
  }

  private keep(t: Tensor): Tensor {
    this.tensors.set(t.id, t);
    return t;
  }

  private fresh(t: Tensor): Tensor {
    return this.keep({ ...t, id: tensorId(this.next++) });
  }
}
