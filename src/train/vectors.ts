import { present } from "../base/assert.js";
import type { Tensor } from "../ir/graph.js";
import { reshape, transpose } from "../ops/common/gradients.js";
import type { GraphEmitter } from "../ops/emitter.js";
import type { Node } from "../ops/index.js";
import type { Slot } from "./parameters.js";
import { inverseOrder } from "./permute.js";

/** Flat vectors as tensors of a graph: each constant computed by a node that takes its part. */
export function emitUnpacked(e: GraphEmitter, flat: Tensor, slots: readonly Slot[]): void {
  const type = (shape: readonly number[]) => ({ shape, dtype: "float32" as const, quant: null });
  const sizes = e.constant(
    [slots.length],
    Int32Array.from(slots, (s) => s.size),
  );
  const axis = e.constant([1], Int32Array.of(0));
  const parts =
    slots.length === 1
      ? [flat]
      : e.node(
          "SPLIT_V",
          [flat, sizes, axis],
          { count: slots.length },
          slots.map((s) => type([s.size])),
        );
  slots.forEach((s, i) => {
    const stored = reshape(
      e,
      present(parts[i], "part"),
      s.order.map((d) => s.shape[d] ?? 1),
    );
    const order = e.constant([s.order.length], Int32Array.from(inverseOrder(s.order)));
    const origin = { index: -1, op: "training" };
    const node: Node = { op: "TRANSPOSE", inputs: [stored.id, order.id], outputs: [s.id], attrs: {}, origin };
    e.append([node], [{ ...present(e.tensors().get(s.id), "parameter"), data: null }]);
  });
}

/** The flat vector of tensors that go into slots. */
export function emitPacked(e: GraphEmitter, slots: readonly Slot[], of: (slot: Slot) => Tensor): Tensor {
  const parts = slots.map((s) => reshape(e, transpose(e, of(s), s.order), [s.size]));
  const length = slots.reduce((sum, s) => sum + s.size, 0);
  if (parts.length === 1) return present(parts[0], "part");
  const type = { shape: [length], dtype: "float32" as const, quant: null };
  return present(e.node("CONCATENATION", parts, { axis: 0, activation: "NONE" }, [type])[0], "vector");
}
