import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { type Activation, quantizedActivationRange } from "../common/activation.js";
import { perNode } from "../common/per-node.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import type { Weighted } from "../common/weighted.js";
import { finishPieces } from "../common/weighted-armv6m.js";
import { type DspChannels, dspChannels } from "../common/weighted-dsp.js";
import type { Kernel, KernelCall } from "../spec.js";

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
  const [pairs, twos] = [Math.ceil(units / 2), Math.ceil(depth / 2)];
  const runs = Uint8Array.from({ length: pairs }, (_, pair) => longestRun(channels, pair));
  if (runs.includes(0)) return null;
  const packed = new Uint8Array(4 * pairs * twos);
  for (let i = 0; i < packed.length; i++) {
    const [pair, two] = [Math.floor(i / (4 * twos)), Math.floor(i / 4) % twos];
    const [unit, at] = [2 * pair + ((i >> 1) & 1), 2 * two + (i & 1)];
    packed[i] = (unit < units && at < depth ? (weights[unit * depth + at] as number) : 0) + 128;
  }
  const offsetOf = (unit: number): number => Math.ceil(twos / (runs[unit >> 1] as number)) * 2 ** 15;
  const isShared = multipliers.every((v) => v === multipliers[0]) && rights.every((v) => v === rights[0]);
  return {
    weights: new Int32Array(packed.buffer),
    biases: Int32Array.from({ length: 2 * pairs }, (_, c) => (biases[c] ?? 0) - offsetOf(c)),
    multipliers: isShared ? multipliers.slice(0, 1) : multipliers,
    rights: isShared ? rights.slice(0, 1) : rights,
    runs,
    pieces,
  };
}

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
    const fields = {
      batch: elementsOf(inputOf(view, 0).shape) / depth,
      in_c: depth,
      out_c: units,
      scale_step: layer.multipliers.length > 1 ? 1 : 0,
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
        { kind: "constant", label: "runs", dtype: "uint8", data: layer.runs },
        { kind: "constant", label: "biases", dtype: "int32", data: layer.biases },
        { kind: "constant", label: "multipliers", dtype: "int32", data: layer.multipliers },
        { kind: "constant", label: "shifts", dtype: "int8", data: layer.rights },
        { kind: "scratch" },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 4 * (2 * Math.ceil(depth / 2) + layer.biases.length),
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
