import { fail } from "../base/diagnostics.js";
import { bytesOf, elementsOf } from "../base/dtype.js";
import { type NodeView, originName, type Tensor, viewOf } from "../ir/graph.js";
import { matchesTypes } from "./check.js";
import { type AnyOp, type Graph, type Node, specOf } from "./index.js";
import { type Isa, runsOn } from "./isa.js";
import { noPlacements, type Placements, pixelStepsOf, placementsOf } from "./placement.js";
import type { Kernel, KernelCall, RowWindows } from "./spec.js";

/** How a node is computed a row of its outputs at a time. */
export interface NodeRows {
  readonly windows: RowWindows;
  /** Output rows of an image, and how many images (the batch) there are. */
  readonly count: number;
  readonly images: number;
  /** Computes one row. */
  readonly call: KernelCall;
}

/** A node with the kernel that will compute it. Planning needs its scratch, code generation the rest. */
export interface LoweredNode extends Candidate {
  readonly kernel: Kernel<object>;
  /** Computes everything; null where the kernel computes rows only. */
  readonly whole: KernelCall | null;
  /** Null where outputs cannot be computed by rows. */
  readonly rows: NodeRows | null;
  /** Takes input 0 row by row; null where the kernel has no such form. */
  readonly fold: KernelCall | null;
  /** Where tensors lie inside others, the same for all nodes of a graph. */
  readonly placements: Placements;
}

/** True if a kernel of the operator takes a node. */
const takes = (kernel: Kernel<object>, view: NodeView<object>, isa: Isa): boolean =>
  runsOn(kernel.isa, isa) && matchesTypes(view, kernel.types) && (kernel.matches?.(view) ?? true);

/** A node whose kernel is to be chosen. */
export interface Candidate {
  readonly node: Node;
  readonly spec: AnyOp;
  readonly view: NodeView<object>;
  /** All kernels that take the node, the preferred one first; asking packs weights for each of them. */
  readonly kernels: () => readonly Kernel<object>[];
}

/** How nodes get their kernels. */
export interface LowerOptions {
  /** "share" (default) lets tensors lie inside others where joins and parts then need no copy. */
  readonly sharing?: "share" | "separate";
  /** The instructions that the target has; "portable" unless given. */
  readonly isa?: Isa;
  /** Chooses a kernel for a node that takes it; null for the first that does. */
  readonly choose?: (candidate: Candidate) => Kernel<object> | null;
}

/** The call that is made for a node: for everything, or for each row. */
export const callOf = ({ whole, rows }: Pick<LoweredNode, "whole" | "rows">): KernelCall | null =>
  whole ?? rows?.call ?? null;

/** Constant inputs that a node's kernel reads as they are. */
export const passedConstants = (lowered: LoweredNode): readonly Tensor[] =>
  (callOf(lowered)?.args ?? [])
    .map((a) => (a.kind === "input" ? (lowered.view.inputs[a.index] ?? null) : null))
    .filter((t): t is Tensor => t !== null && t.data !== null);

/** Bytes of arrays that a node's kernel reads from flash: weights as they are or packed, biases, multipliers, tables. */
export const constantBytes = (lowered: LoweredNode): number =>
  (callOf(lowered)?.args ?? []).reduce(
    (sum, a) => (a.kind === "constant" ? sum + bytesOf(a.dtype, a.data.length) : sum),
    passedConstants(lowered).reduce((sum, t) => sum + bytesOf(t.dtype, elementsOf(t.shape)), 0),
  );

/** True if a tensor has rows: axis 1 of three or more axes. */
export const hasRows = (t: Tensor): boolean => t.shape.length >= 3;

/** Rows of one image, and how many bytes of the tensor's elements one has. */
export const rowsOf = (t: Tensor): number => (hasRows(t) ? (t.shape[1] ?? 1) : 1);

/** True if a tensor is one image, so that its rows follow each other without a break. */
export const isImage = (t: Tensor): boolean => hasRows(t) && t.shape[0] === 1;

/** The view with every tensor that is read or written by rows cut to one row. */
function rowView(view: NodeView<object>, windows: RowWindows): NodeView<object> {
  const cut = (t: Tensor): Tensor => ({ ...t, shape: t.shape.with(1, 1) });
  return {
    ...view,
    inputs: view.inputs.map((t, i) => (t !== null && windows[i] ? cut(t) : t)),
    outputs: view.outputs.map(cut),
  };
}

function nodeRows(spec: AnyOp, view: NodeView<object>, kernel: Kernel<object>): NodeRows | null {
  const [output] = view.outputs;
  if (kernel.form === "whole" || spec.traits.rows === "none" || output === undefined) return null;
  const windows = spec.traits.rows(view);
  if (windows === "none") return null;
  const byRows = [...view.outputs, ...view.inputs.filter((t, i) => t !== null && windows[i])] as readonly Tensor[];
  const count = rowsOf(output);
  const images = output.shape[0] ?? 1;
  if (kernel.form === "row") return { windows, count, images, call: kernel.call(view) };
  if (!byRows.every(isImage) || view.outputs.some((t) => rowsOf(t) !== count)) return null;
  return { windows, count, images, call: kernel.call(rowView(view, windows)) };
}

/** True if the node can be computed by rows of one image. */
export function isByRows({ rows, view }: Pick<LoweredNode, "rows" | "view">): boolean {
  if (rows === null || rows.images !== 1 || rows.count === 0) return false;
  const windowed = view.inputs.filter((t, i): t is Tensor => t !== null && Boolean(rows.windows[i]));
  return [...view.outputs, ...windowed].every(isImage);
}

/** The calls of a node whose kernel is chosen. */
function callsOf(spec: AnyOp, view: NodeView<object>, kernel: Kernel<object>) {
  const whole = kernel.form === "row" ? null : kernel.call(view);
  return { whole, rows: nodeRows(spec, view, kernel), fold: kernel.fold?.(view) ?? null };
}

/** Chooses a kernel for every node; throws TH4001 naming the first node that none takes. */
export function lower(
  graph: Graph,
  { sharing = "share", isa = "portable", choose }: LowerOptions = {},
): readonly LoweredNode[] {
  const chosen = graph.nodes.map((node) => {
    const spec = specOf(node);
    const view = viewOf(graph, node) as NodeView<object>;
    const kernels = () => spec.kernels.filter((k) => takes(k, view, isa));
    const kernel = choose?.({ node, spec, view, kernels }) ?? spec.kernels.find((k) => takes(k, view, isa));
    if (kernel === undefined) {
      fail("TH4001", {
        where: [graph.name, originName(node.origin)],
        found: view.inputs.map((t) => t?.dtype ?? "none").join(", "),
        fix: "use a type combination of those that `thimble operators` lists, or run constant folding first",
      });
    }
    return { node, spec, view, kernel, kernels, ...callsOf(spec, view, kernel) };
  });
  const placements =
    sharing === "share"
      ? placementsOf(
          graph,
          chosen.map((n) => ({ ...n, byRows: isByRows(n) })),
        )
      : noPlacements;
  return chosen.map((n): LoweredNode => {
    const pixelSteps = pixelStepsOf(graph, placements, [...n.view.inputs, ...n.view.outputs]);
    if (pixelSteps.size === 0) return { ...n, placements };
    const view = { ...n.view, pixelSteps };
    return { ...n, view, ...callsOf(n.spec, view, n.kernel), placements };
  });
}
