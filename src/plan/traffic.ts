import type { TensorId } from "../base/units.js";
import type { Group } from "./groups.js";
import type { Stage } from "./stages.js";
import type { Network } from "./units.js";

/** Adds `bytes` to the entry of a tensor. */
const count = (traffic: Map<TensorId, number>, tensor: TensorId, bytes: number): void =>
  void traffic.set(tensor, (traffic.get(tensor) ?? 0) + bytes);

/** Rows that all firings of a stage read of a tensor: each row of a window once for every firing. */
const rowsRead = ({ need, keep }: Stage["reads"][number]): number =>
  need.reduce((sum, end, firing) => sum + Math.max(end - (keep[firing] ?? 0), 0), 0);

/**
 * Bytes that kernels read and write of each tensor in one inference, to tell buffers that must be in fast memory from
 * those that need not. An estimate: what a firing reads counts once, though a convolution reads it again for every few
 * output channels, and what the caller writes of inputs and reads of outputs counts once too.
 */
export function tensorTraffic(network: Network, groups: readonly Group[]): ReadonlyMap<TensorId, number> {
  const traffic = new Map<TensorId, number>();
  const rowBytes = (id: TensorId): number => network.held.get(id)?.rowBytes ?? 0;
  for (const stage of groups.flatMap((g) => g.stages)) {
    if (stage.mode === "view") continue;
    for (const read of stage.reads) count(traffic, read.tensor, rowsRead(read) * rowBytes(read.tensor));
    for (const { tensor, rows } of stage.writes) count(traffic, tensor, rows * rowBytes(tensor));
  }
  for (const [id, { bytes, producer, isOutput }] of network.held)
    count(traffic, id, (producer < 0 ? bytes : 0) + (isOutput ? bytes : 0));
  return traffic;
}

/** Bytes read and written of scratch: all of it once each way in every firing. */
export const scratchTraffic = (bytes: number, stage: Stage): number => 2 * bytes * stage.firings;

/** Bytes read and written of a group's cursor: a counter of 16 bits in every firing. */
export const cursorTraffic = ({ order }: Group): number => 4 * order.length;
