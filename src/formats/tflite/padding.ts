import { type TensorId, tensorId } from "../../base/units.js";
import { type Tensor, tensorOf, viewOf } from "../../ir/graph.js";
import { windowSpan } from "../../ops/common/padding.js";
import { type Graph, type Node, specOf } from "../../ops/index.js";
import type { WindowAxis } from "../../ops/spec.js";

/** True if SAME pads an axis of that size by the same amounts. */
function isSame({ stride, taps, dilation, before, after }: WindowAxis, size: number): boolean {
  const same = windowSpan(size, taps, stride, dilation, "SAME");
  const covered = (same.size - 1) * stride + (taps - 1) * dilation + 1;
  return same.before === before && Math.max(covered - size - before, 0) === after;
}

/**
 * Explicit padding as the format can say it: SAME where that pads alike, else a PAD before the operator where padding reads as
 * zeros. What is left explicit has no form.
 */
export function spellPadding(graph: Graph): Graph {
  const tensors = new Map(graph.tensors);
  let next = Math.max(-1, ...graph.tensors.keys()) + 1;
  const add = (t: Omit<Tensor, "id">): TensorId => {
    const id = tensorId(next++);
    tensors.set(id, { ...t, id });
    return id;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const { padding } = node.attrs as { readonly padding?: unknown };
    const { window, takesPadding } = specOf(node).traits;
    const [source] = node.inputs;
    if (!Array.isArray(padding) || window === "none" || source === null || source === undefined) return [node];
    const input = tensorOf(graph, source);
    const { rows, columns } = window(viewOf(graph, node) as never);
    const [, height = 1, width = 1] = input.shape;
    const withPadding = (value: "SAME" | "VALID", inputs = node.inputs): Node =>
      ({ ...node, inputs, attrs: { ...node.attrs, padding: value } }) as Node;
    if (isSame(rows, height) && isSame(columns, width)) return [withPadding("SAME")];
    if (!takesPadding) return [node];
    const [top = 0, bottom = 0, left = 0, right = 0] = padding as readonly number[];
    const amounts = Int32Array.of(0, 0, top, bottom, left, right, 0, 0);
    const constant = { shape: [4, 2], dtype: "int32", quant: null, variable: false, data: amounts } as const;
    const paddings = add({ ...constant, name: `${input.name}/paddings` });
    const shape = input.shape.with(1, height + top + bottom).with(2, width + left + right);
    const padded = add({ ...input, name: `${input.name}/padded`, shape, data: null, variable: false });
    const pad: Node = { op: "PAD", inputs: [source, paddings], outputs: [padded], attrs: {}, origin: node.origin };
    return [pad, withPadding("VALID", [padded, ...node.inputs.slice(1)])];
  });
  return nodes.length === graph.nodes.length && nodes.every((n, i) => n === graph.nodes[i])
    ? graph
    : { ...graph, tensors, nodes };
}
