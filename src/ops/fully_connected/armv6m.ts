import { type DType, elementsOf, type TensorData } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Activation, quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { finishPieces } from "../common/weighted-armv6m.js";
import { type DspChannels, dspChannels, sharedMultiplier } from "../common/weighted-dsp.js";
import type { Kernel, KernelArg, KernelCall } from "../spec.js";

/** The most inputs that are widened to words in scratch. */
const mostInputs = 1024;
/** The longest run, in words of two inputs. */
const mostWords = 255;

/** Layers as fully_connected_s8_armv6m.h reads them. */
interface PackedDense {
  /** Four to a word. */
  readonly weights: Int32Array;
  readonly biases: Int32Array;
  readonly multipliers: Int32Array;
  readonly rights: Int8Array;
  /** The multiplier of all outputs, or 0. */
  readonly multiplier: number;
  /** For each pair of outputs how many words of weights are summed up in 16 bits. */
  readonly runs: Uint8Array;
  readonly pieces: 3 | 4;
}

/** The most words of two inputs each such that no run's sum of a pair needs more than 16 bits; 0 where none will do. */
function longestRun({ weights, depth, biases }: DspChannels, pair: number): number {
  const holds = (words: number): boolean => {
    for (let unit = 2 * pair; unit < Math.min(2 * pair + 2, biases.length); unit++) {
      for (let first = 0; first < depth; first += 2 * words) {
        let sum = 0;
        for (let k = first; k < Math.min(first + 2 * words, depth); k++)
          sum += Math.abs(weights[unit * depth + k] as number);
        if (128 * sum >= 2 ** 15) return false;
      }
    }
    return true;
  };
  let words = Math.min(Math.ceil(depth / 2), mostWords);
  while (words > 0 && !holds(words)) words = words > 20 ? Math.floor(words * 0.9) : words - 1;
  return words;
}

function pack(channels: DspChannels): PackedDense | null {
  const { weights, depth, biases, multipliers, rights } = channels;
  const pieces = finishPieces(channels);
  if (pieces === null || depth > mostInputs) return null;
  const units = biases.length;
  const [pairs, twos] = [units >> 1, Math.ceil(depth / 2)];
  const runs = Uint8Array.from({ length: pairs }, (_, pair) => longestRun(channels, pair));
  if (runs.includes(0)) return null;
  const alone = units % 2 === 1 ? weights.subarray((units - 1) * depth) : new Int8Array();
  const paired = 4 * pairs * twos;
  const packed = new Uint8Array(paired + 4 * Math.ceil(alone.length / 4));
  for (let i = 0; i < paired; i++) {
    const [pair, two] = [Math.floor(i / (4 * twos)), Math.floor(i / 4) % twos];
    const [unit, at] = [2 * pair + ((i >> 1) & 1), 2 * two + (i & 1)];
    packed[i] = (at < depth ? (weights[unit * depth + at] as number) : 0) + 128;
  }
  packed.set(new Uint8Array(Int8Array.from(alone).buffer), paired);
  const offsetOf = (unit: number): number => (unit >> 1 < pairs ? Math.ceil(twos / (runs[unit >> 1] as number)) : 0);
  return {
    weights: new Int32Array(packed.buffer),
    biases: biases.map((bias, c) => bias - offsetOf(c) * 2 ** 15),
    multipliers,
    rights,
    multiplier: sharedMultiplier(channels),
    runs,
    pieces,
  };
}

/** Runs of all pairs together: each is cut out of a sum and added up. */
const runsOf = ({ runs }: PackedDense, depth: number): number =>
  runs.reduce((sum, run) => sum + Math.ceil(Math.ceil(depth / 2) / run), 0);

/** Data that is an argument where it is not the same for all. */
const unlessShared = (isShared: boolean, label: string, dtype: DType, data: TensorData): KernelArg =>
  isShared ? { kind: "null" } : { kind: "constant", label, dtype, data };

/** int8 on Armv6-M; where the input comes row by row, sums are the portable kernel's. */
export function denseArmv6m<A extends { readonly activation: Activation }>(
  dense: Weighted<A>,
  portable: Kernel<A>,
): Kernel<A> {
  const packed = perNode(dense.index, (view: NodeView<A>): PackedDense | null => {
    if (zeroPointOf(inputOf(view, 1)) !== 0) return null;
    const lowered = dspChannels(dense, view);
    return lowered && pack(lowered);
  });
  const call = (view: NodeView<A>): KernelCall => {
    const layer = packed(view);
    if (layer === null) throw new Error("weights that do not pack");
    const filter = inputOf(view, 1).shape;
    const [units, depth] = [sizeAt(filter, 0), sizeAt(filter, 1)];
    const output = outputOf(view, 0);
    const range = quantizedActivationRange(view.attrs.activation, output);
    const run = layer.runs.every((r) => r === layer.runs[0]) ? (layer.runs[0] ?? 1) : 0;
    const isShared = layer.multiplier !== 0;
    const fields = {
      batch: elementsOf(inputOf(view, 0).shape) / depth,
      in_c: depth,
      out_c: units,
      run,
      multiplier: layer.multiplier,
      right: isShared ? (layer.rights[0] as number) : 0,
      zero2: 2 * zeroPointOf(output) + 1,
      pieces: layer.pieces,
      min: range.min,
      max: range.max,
    };
    return {
      source: "ops/fully_connected/fully_connected_s8_armv6m.h",
      symbol: "th_fully_connected_s8_armv6m",
      params: { type: "th_fully_connected_s8_armv6m_params", fields },
      args: [
        { kind: "input", index: 0 },
        { kind: "constant", label: "pairs", dtype: "int32", data: layer.weights },
        unlessShared(run !== 0, "runs", "uint8", layer.runs),
        { kind: "constant", label: "biases", dtype: "int32", data: layer.biases },
        unlessShared(isShared, "multipliers", "int32", layer.multipliers),
        unlessShared(isShared, "shifts", "int8", layer.rights),
        { kind: "scratch" },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 4 * (2 * Math.ceil(depth / 2) + units),
      blocks: { count: runsOf(layer, depth) / units, words: 0 },
    };
  };
  return {
    ...portable,
    name: "armv6m s8",
    isa: "armv6m",
    matches: (view) => packed(view) !== null,
    call,
  };
}
