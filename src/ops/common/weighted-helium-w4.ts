import type { NodeView } from "../../ir/graph.js";
import type { Weighted } from "./weighted.js";
import { type HeliumChannels, heliumChannels, packScalesOf, Stream } from "./weighted-helium.js";

/** The channels of a node with int4 weights; null where sixteen times a sum of products may leave 32 bits. */
export function narrowChannels<A>(w: Weighted<A>, view: NodeView<A>): HeliumChannels | null {
  const channels = heliumChannels(w, view);
  return channels && channels.depth * 8 * 128 * 16 < 2 ** 31 ? channels : null;
}

/** Bytes whose low halves are the first of the weights, the high halves the others. */
export function nibbles(weights: Int8Array): Uint8Array {
  const half = Math.ceil(weights.length / 2);
  return Uint8Array.from({ length: half }, (_, i) => {
    const [low, high] = [weights[i] as number, weights[half + i] ?? 0];
    return (low & 15) | ((high & 15) << 4);
  });
}

/** The stream that th_helium_dots_w4.h reads: 32 of the depth at a time, and what is left of it. */
export function packNibbles(channels: HeliumChannels): Int32Array {
  const { weights, depth, biases } = channels;
  const stream = new Stream();
  const write = (c: number, from: number, to: number) =>
    stream.bytes(nibbles(weights.subarray(c * depth + from, c * depth + Math.min(to, depth))));
  for (let first = 0; first < biases.length; first += 4) {
    const end = Math.min(first + 4, biases.length);
    if (end === first + 4) {
      for (let k = 0; k < depth; k += 32) for (let c = first; c < end; c++) write(c, k, k + 32);
    } else {
      for (let c = first; c < end; c++) for (let k = 0; k < depth; k += 32) write(c, k, k + 32);
    }
    stream.align();
    packScalesOf(channels, first, end, "in the stream", stream);
  }
  return stream.toWords();
}
