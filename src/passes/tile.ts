import type { TensorId } from "../base/units.js";
import { tensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type Graph, type Node, specOf } from "../ops/index.js";

/** Columns `from` up to, not including, `to` of an image. */
interface Columns {
  readonly from: number;
  readonly to: number;
}

/** A run of nodes to be cut: from `first` up to, not including, `end`. */
export interface Segment {
  readonly first: number;
  readonly end: number;
}

const isImage = (t: Tensor): boolean => t.shape.length === 4 && t.shape[0] === 1;
const widthOf = (t: Tensor): number => t.shape[2] ?? 1;
const isConstant = (t: Tensor): boolean => t.data !== null;

/** The inputs of a node that are cut with it: images of the columns that its output has, or a window over them. */
function cutInputs(graph: Graph, node: Node): readonly Tensor[] | null {
  const view = viewOf(graph, node) as NodeView<object>;
  const { traits } = specOf(node);
  const [input, output] = [view.inputs[0], view.outputs[0]];
  if (!input || !output || view.outputs.length !== 1 || !isImage(output)) return null;
  if (traits.window !== "none") return isImage(input) && !isConstant(input) ? [input] : null;
  if (!traits.elementwise) return null;
  const others = view.inputs.filter((t): t is Tensor => t !== null);
  const wide = others.filter((t) => isImage(t) && widthOf(t) === widthOf(output) && !isConstant(t));
  const narrow = others.filter((t) => !wide.includes(t));
  // Whatever is not cut must hold for every column.
  const holds = narrow.every((t) => t.shape.length < 2 || t.shape.at(-2) === 1);
  return wide.length > 0 && holds ? wide : null;
}

/** The columns of a node's cut inputs that the given columns of its output need, and the padding beside them. */
function neededColumns(graph: Graph, node: Node, input: Tensor, { from, to }: Columns) {
  const { traits } = specOf(node);
  if (traits.window === "none") return { from, to, left: 0, right: 0 };
  const { columns } = traits.window(viewOf(graph, node) as NodeView<object>);
  const first = from * columns.stride - columns.before;
  const end = (to - 1) * columns.stride - columns.before + (columns.taps - 1) * columns.dilation + 1;
  const width = widthOf(input);
  return {
    from: Math.max(first, 0),
    to: Math.min(end, width),
    left: Math.max(-first, 0),
    right: Math.max(end - width, 0),
  };
}

/** Grows a graph by nodes and tensors. */
interface Builder {
  readonly graph: Graph;
  readonly tensors: Map<TensorId, Tensor>;
  readonly nodes: Node[];
  readonly add: (t: Omit<Tensor, "id">) => TensorId;
}

function builderOf(graph: Graph): Builder {
  const tensors = new Map(graph.tensors);
  let next = Math.max(...graph.tensors.keys()) + 1;
  const add = (t: Omit<Tensor, "id">): TensorId => {
    const id = tensorId(next++);
    tensors.set(id, { ...t, id });
    return id;
  };
  return { graph, tensors, nodes: [], add };
}

const ofColumns = (t: Tensor, { from, to }: Columns): Omit<Tensor, "id"> => ({
  ...t,
  name: `${t.name} columns ${from} to ${to - 1}`,
  shape: t.shape.with(2, to - from),
});

function indices(b: Builder, values: readonly number[]): TensorId {
  const data = Int32Array.from(values);
  const shape = [values.length];
  return b.add({ name: "block", shape, dtype: "int32", quant: null, data, variable: false });
}

/** A block of columns of a tensor, whose own first column is `start` of the image that the columns count in. */
function sliceColumns(b: Builder, source: Tensor, start: number, columns: Columns, near: Node): TensorId {
  if (columns.from === start && columns.to === start + widthOf(source)) return source.id;
  const out = b.add({ ...ofColumns(source, columns), data: null });
  const begin = indices(b, [0, 0, columns.from - start, 0]);
  const size = indices(b, source.shape.with(2, columns.to - columns.from));
  const origin = { ...near.origin, index: -1 };
  b.nodes.push({ op: "SLICE", inputs: [source.id, begin, size], outputs: [out], attrs: {}, origin } as Node);
  return out;
}

/** The columns of every tensor of a segment that the given columns of its last output need. */
function columnsNeeded(graph: Graph, nodes: readonly Node[], last: TensorId, columns: Columns) {
  const needed = new Map<TensorId, Columns>([[last, columns]]);
  for (const node of [...nodes].reverse()) {
    const out = needed.get(node.outputs[0] as TensorId);
    if (out === undefined) continue;
    for (const input of cutInputs(graph, node) ?? []) {
      const { from, to } = neededColumns(graph, node, input, out);
      const known = needed.get(input.id);
      needed.set(input.id, { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
    }
  }
  return needed;
}

/** Adds the nodes that compute the given columns of a segment's output; returns those columns. */
function addTile(b: Builder, nodes: readonly Node[], last: TensorId, columns: Columns): TensorId {
  const { graph } = b;
  const needed = columnsNeeded(graph, nodes, last, columns);
  /** Tensors of this tile, and the column that their first one is. */
  const made = new Map<TensorId, { readonly id: TensorId; readonly start: number }>();
  for (const node of nodes) {
    const out = needed.get(node.outputs[0] as TensorId);
    const cut = cutInputs(graph, node);
    if (out === undefined || cut === null) continue;
    let padding = [0, 0];
    const inputs = node.inputs.map((id) => {
      const input = cut.find((t) => t.id === id);
      if (id === null || input === undefined) return id;
      const { left, right, ...range } = neededColumns(graph, node, input, out);
      padding = [left, right];
      const own = made.get(id);
      const source = own === undefined ? input : (b.tensors.get(own.id) as Tensor);
      return sliceColumns(b, source, own?.start ?? 0, range, node);
    });
    const { traits } = specOf(node);
    const view = viewOf(graph, node) as NodeView<object>;
    const rows = traits.window === "none" ? null : traits.window(view).rows;
    const attrs = rows ? { ...node.attrs, padding: [rows.before, rows.after, ...padding] } : node.attrs;
    const id = b.add(ofColumns(tensorOf(graph, node.outputs[0] as TensorId), out));
    made.set(node.outputs[0] as TensorId, { id, start: out.from });
    b.nodes.push({ ...node, inputs, outputs: [id], attrs } as Node);
  }
  return made.get(last)?.id as TensorId;
}

/** True if the segment's tensors, but for the last, are seen by the segment alone. */
function isClosed(graph: Graph, { first, end }: Segment): boolean {
  const inside = new Set(graph.nodes.slice(first, end - 1).flatMap((n) => n.outputs));
  const outside = graph.nodes.filter((_, i) => i < first || i >= end);
  return ![...outside.flatMap((n) => n.inputs), ...graph.outputs].some((id) => id !== null && inside.has(id));
}

/**
 * Cuts a segment of nodes into `tiles` strips of columns that are computed one after the other, so that the rows between
 * the nodes are narrower. Columns that two strips need are computed twice. Null if the segment cannot be cut: every node
 * must be elementwise or move a window, and only the last one's output may be seen outside.
 */
export function tileColumns(graph: Graph, segment: Segment, tiles: number): Graph | null {
  const nodes = graph.nodes.slice(segment.first, segment.end);
  const lastNode = nodes.at(-1);
  const last = lastNode?.outputs[0];
  if (lastNode === undefined || last === undefined || nodes.some((n) => cutInputs(graph, n) === null)) return null;
  const width = widthOf(tensorOf(graph, last));
  if (!isClosed(graph, segment) || tiles < 2 || width < tiles) return null;
  const b = builderOf(graph);
  b.nodes.push(...graph.nodes.slice(0, segment.first));
  const parts = Array.from({ length: tiles }, (_, k) =>
    addTile(b, nodes, last, { from: Math.floor((k * width) / tiles), to: Math.floor(((k + 1) * width) / tiles) }),
  );
  const origin = { ...lastNode.origin, index: -1 };
  const join = { op: "CONCATENATION", inputs: parts, outputs: [last], attrs: { axis: 2, activation: "NONE" }, origin };
  b.nodes.push(join as Node, ...graph.nodes.slice(segment.end));
  return { ...graph, tensors: b.tensors, nodes: b.nodes };
}
