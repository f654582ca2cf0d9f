import { elementsOf } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { perTensor } from "../src/ir/graph.js";
import { addTensor, type Draft as PlainDraft } from "./graphs.js";

/** A graph under construction, and what its convolutions are like. */
export interface Draft extends PlainDraft {
  /** Biases that push many channels to an end of their range, whatever the input is, and RELU6 to make more ends. */
  readonly saturates: boolean;
}

/** Seeded int8 weights, so that equal graphs are equal, of a size that neither saturates nor vanishes. */
export function weights(d: Draft, shape: readonly number[], taps: number): TensorId {
  const seed = d.tensors.size;
  return addTensor(d, `w${seed}`, shape, {
    quant: perTensor(Math.fround(0.0136 / Math.sqrt(taps))),
    data: Int8Array.from({ length: elementsOf(shape) }, (_, i) => (((i + seed) * 71) % 255) - 127),
  });
}

/** Biases so large that two channels of four are always at an end of their range; null for a graph without. */
export function biases(d: Draft, channels: number, taps: number): TensorId | null {
  if (!d.saturates) return null;
  const seed = d.tensors.size;
  const most = 22_100 * taps;
  const ends = [0, -most, most, 400];
  const data = Int32Array.from({ length: channels }, (_, i) => ends[(i * 5 + seed) % ends.length] ?? 0);
  return addTensor(d, `b${seed}`, [channels], { dtype: "int32", data });
}

/** An int32 constant: axes, sizes, paddings. */
export const indices = (d: Draft, values: readonly number[], shape = [values.length]): TensorId =>
  addTensor(d, `i${d.tensors.size}`, shape, { dtype: "int32", data: Int32Array.from(values) });

/** RELU as graphs that saturate have it. */
export const clamped = (d: Draft, activation: string): string =>
  d.saturates && activation === "RELU" ? "RELU6" : activation;
