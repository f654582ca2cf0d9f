import { fail } from "../base/diagnostics.js";
import { lcm } from "../base/integers.js";
import type { TensorId } from "../base/units.js";
import { originName, type Tensor, tensorName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { isByRows, isImage, type LoweredNode, rowsOf } from "../ops/lower.js";
import type { RowWindow } from "../ops/spec.js";
import { inArena } from "./stages.js";

/**
 * Incremental inference. The window over a time series moves by `hop` rows of the input, and every tensor t that is computed
 * by rows moves by some s(t) rows with it: row r of the new window is row r + s(t) of the old one, so only the last s(t)
 * rows are new. This holds for the input, with s = hop. It holds for a result of H > 1 rows whose row y needs rows
 * y * stride + first + k * dilation of its inputs, all of them inside, and nothing else that changes: then s = s(input) /
 * stride, if that is whole. A result of one row is new with every hop; its windows begin s(input) rows apart. Numbering the
 * rows of all windows through, row R of a tensor has one value for ever, and window n holds rows n * s to n * s + H - 1.
 */
export interface Shift {
  /** Rows of a window. */
  readonly rows: number;
  /** Rows that a hop adds. */
  readonly hop: number;
}

/** What a node reads of a tensor for its row R: rows R * stride + first up to R * stride + first + span - 1. */
export interface StreamRead {
  /** The tensor whose rows these are: not a view of it. */
  readonly tensor: TensorId;
  readonly stride: number;
  readonly first: number;
  readonly span: number;
}

/** A node whose rows are computed once and for all. */
export interface StreamNode extends Shift {
  readonly index: number;
  readonly lowered: LoweredNode;
  /** Its output is its input under another shape, row by row. */
  readonly isView: boolean;
  readonly reads: readonly StreamRead[];
  /** For each input its window over the numbered rows; null for constants that are read in full. */
  readonly windows: readonly (RowWindow | null)[];
}

/** Which part of a graph is computed once per row, and how its tensors move. */
export interface Shifts extends Shift {
  readonly input: TensorId;
  readonly tensors: ReadonlyMap<TensorId, Shift>;
  /** By tensor that is a view of another, row by row, that other one. */
  readonly roots: ReadonlyMap<TensorId, TensorId>;
  /** In the graph's order. */
  readonly nodes: readonly StreamNode[];
}

/** Why a node is computed anew for every window, in words. */
type Obstacle = string;

/** Steps are numbered by bytes, and two numbers stand for something else. */
const maxNodes = 120;

/** How far apart successive rows of a window begin, or null if that differs. */
function strideOf({ first }: RowWindow, rows: number): number | null {
  const stride = first(1) - first(0);
  for (let y = 1; y < rows; y++) if (first(y) - first(y - 1) !== stride) return null;
  return stride > 0 ? stride : null;
}

const spanOf = ({ taps, dilation }: RowWindow): number => (taps - 1) * dilation + 1;

/** The rows outside of an input that a window of `rows` positions touches, in words; null if none. */
function paddingOf(window: RowWindow, rows: number, height: number): Obstacle | null {
  const before = Math.max(0, -window.first(0));
  const after = Math.max(0, window.first(rows - 1) + spanOf(window) - height);
  return before + after === 0 ? null : `it pads its input with ${before} rows before and ${after} after`;
}

/** Why a node cannot be computed row by row for ever, whatever it reads. */
function obstacleOf({ spec, view, rows, ...lowered }: LoweredNode): Obstacle | null {
  if (spec.traits.rows === "none") return "its rows may need all rows of its input";
  if (rows === null || !isByRows({ rows, view }) || lowered.placements.idle.has(lowered.node))
    return "it is not computed row by row";
  if (rows.call.args.some((a) => a.kind === "row")) return "what it computes depends on the number of the row";
  for (const [i, t] of view.inputs.entries()) {
    const window = rows.windows[i];
    if (t === null || !window) continue;
    if (!inArena(t)) return `it has a constant ${tensorName(t)} with a value for each row`;
    const padding = paddingOf(window, rows.count, rowsOf(t));
    if (padding !== null) return padding;
    if (rows.count > 1 && strideOf(window, rows.count) === null) return "its windows are not evenly spaced";
  }
  return null;
}

/** A reshaping that leaves every row where it is. */
function isRowView({ spec, view }: LoweredNode): boolean {
  const [input, output] = [view.inputs[0], view.outputs[0]];
  if (!spec.traits.view || !input || !output) return false;
  return inArena(input) && isImage(input) && isImage(output) && rowsOf(input) === rowsOf(output);
}

/** The analysis while it goes through the nodes. */
interface Analysis {
  readonly graph: Graph;
  readonly hop: number;
  readonly tensors: Map<TensorId, Shift>;
  readonly roots: Map<TensorId, TensorId>;
  /** Rows of the input from one row of a tensor to the next. */
  readonly strides: Map<TensorId, number>;
}

const rootOf = (a: Pick<Analysis, "roots">, id: TensorId): TensorId => a.roots.get(id) ?? id;

/** The activations among a node's inputs, with their windows. */
function activationsOf({ view, rows }: LoweredNode) {
  return view.inputs.flatMap((t, i) => (t !== null && inArena(t) ? [{ t, window: rows?.windows[i] ?? null }] : []));
}

/** A node of one row, which is new with every hop, or an obstacle. */
function singleRow(a: Analysis, lowered: LoweredNode, index: number): StreamNode | Obstacle {
  const reads = activationsOf(lowered).map(({ t, window }): StreamRead => {
    const w = window as RowWindow;
    return { tensor: rootOf(a, t.id), stride: a.tensors.get(t.id)?.hop ?? 1, first: w.first(0), span: spanOf(w) };
  });
  return streamNode(a, lowered, index, { rows: 1, hop: 1 }, reads);
}

function streamNode(
  a: Analysis,
  lowered: LoweredNode,
  index: number,
  shift: Shift,
  reads: readonly StreamRead[],
): StreamNode {
  let next = 0;
  const windows = lowered.view.inputs.map((t, i): RowWindow | null => {
    const window = lowered.rows?.windows[i];
    if (t === null || !window || !inArena(t)) return null;
    const { stride, first } = reads[next++] as StreamRead;
    return { ...window, first: (row) => row * stride + first };
  });
  for (const t of lowered.view.outputs) a.tensors.set(t.id, shift);
  return { ...shift, index, lowered, isView: false, reads, windows };
}

const noneLeft = (hop: number, rows: number): Obstacle =>
  `a hop of ${hop} rows leaves none of its ${rows} rows in the next window`;

/** A node of several rows, or an obstacle. Throws TH3005 if the hop does not suit its stride. */
function severalRows(a: Analysis, lowered: LoweredNode, index: number, needed: () => number): StreamNode | Obstacle {
  const count = lowered.rows?.count ?? 1;
  const reads: StreamRead[] = [];
  const strides = new Set<number>();
  for (const { t, window } of activationsOf(lowered)) {
    const w = window as RowWindow;
    const stride = strideOf(w, count) ?? 1;
    reads.push({ tensor: rootOf(a, t.id), stride, first: w.first(0), span: spanOf(w) });
    strides.add((a.strides.get(t.id) ?? 1) * stride);
  }
  const [stride = 1] = strides;
  if (strides.size > 1) return "its inputs move at different speeds";
  // With a hop of exactly its rows nothing is saved, but nothing is computed twice either.
  if (a.hop > stride * count) return noneLeft(a.hop, count);
  if (a.hop % stride !== 0) {
    fail("TH3005", {
      where: [a.graph.name, originName(lowered.node.origin)],
      found: `a hop of ${a.hop} rows, where a row of the operator stands for ${stride}`,
      expected: `a multiple of ${needed()}`,
      fix: `choose --incremental ${needed()} or a multiple of it`,
    });
  }
  for (const t of lowered.view.outputs) a.strides.set(t.id, stride);
  return streamNode(a, lowered, index, { rows: count, hop: a.hop / stride }, reads);
}

function shiftNode(a: Analysis, lowered: LoweredNode, index: number, needed: () => number): StreamNode | Obstacle {
  const { view } = lowered;
  const moving = activationsOf(lowered);
  const still = moving.find(({ t }) => !a.tensors.has(t.id));
  if (moving.length === 0) return "it reads nothing that moves";
  if (still) return `${tensorName(still.t)} is computed anew for every window`;
  const [input, output] = [view.inputs[0] as Tensor, view.outputs[0] as Tensor];
  if (isRowView(lowered)) {
    const shift = a.tensors.get(input.id) as Shift;
    a.tensors.set(output.id, shift);
    a.strides.set(output.id, a.strides.get(input.id) ?? 1);
    a.roots.set(output.id, rootOf(a, input.id));
    return { ...shift, index, lowered, isView: true, reads: [], windows: [] };
  }
  const obstacle = obstacleOf(lowered);
  if (obstacle !== null) return obstacle;
  const unbounded = moving.find(({ window }) => window === null);
  if (unbounded) return `each of its rows needs all of ${tensorName(unbounded.t)}`;
  return rowsOf(output) === 1 ? singleRow(a, lowered, index) : severalRows(a, lowered, index, needed);
}

/** Throws TH3004 for a model that has no one input of rows, or keeps state of its own. */
function checkModel(graph: Graph, nodes: readonly LoweredNode[]): Tensor {
  const refuse = (where: readonly string[], found: string, fix: string): never =>
    fail("TH3004", { where: [graph.name, ...where], found, fix });
  const whole = "compile it without --incremental";
  const stateful = nodes.find(({ spec }) => spec.traits.sideEffects || spec.traits.mutates.length > 0);
  if (stateful) refuse([originName(stateful.node.origin)], "an operator that keeps state of its own", whole);
  const variable = [...graph.tensors.values()].find((t) => t.variable);
  if (variable || graph.variables.length > 0)
    refuse([], `variable ${variable?.name ?? graph.variables[0]?.name}`, whole);
  const [input, ...others] = graph.inputs.map((id) => tensorOf(graph, id));
  if (input === undefined || others.length > 0)
    return refuse([], `${graph.inputs.length} inputs`, `give the model one input, or ${whole}`);
  if (!isImage(input) || rowsOf(input) < 2)
    refuse(
      [tensorName(input)],
      `an input of shape [${input.shape.join(", ")}]`,
      "give it the shape [1, rows, ...], its rows being the time steps",
    );
  return input;
}

function checkHop(graph: Graph, input: Tensor, hop: number): void {
  if (Number.isInteger(hop) && hop >= 1 && hop < rowsOf(input)) return;
  fail("TH3005", {
    where: [graph.name, tensorName(input)],
    found: `a hop of ${hop} rows`,
    expected: `1 to ${rowsOf(input) - 1} of the input's ${rowsOf(input)} rows`,
    fix: "choose a hop in that range; a hop of all rows is the model without --incremental",
  });
}

/** The hops that suit all strides of a graph are multiples of this. */
function hopUnit(graph: Graph, nodes: readonly LoweredNode[], input: Tensor): number {
  const a: Analysis = startAnalysis(graph, input, 0);
  nodes.forEach((lowered, index) => void shiftNode(a, lowered, index, () => 1));
  return [...a.strides.values()].reduce(lcm, 1);
}

/** With hop 0, which divides by every stride, all tensors stay where they are. */
function startAnalysis(graph: Graph, input: Tensor, hop: number): Analysis {
  const shift = { rows: rowsOf(input), hop };
  return { graph, hop, tensors: new Map([[input.id, shift]]), roots: new Map(), strides: new Map([[input.id, 1]]) };
}

/** Refuses a model or a hop with which every node would be computed anew for every window: the first says why. */
function refuseAll(
  graph: Graph,
  nodes: readonly LoweredNode[],
  hop: number,
  obstacles: readonly (Obstacle | null)[],
): never {
  const first = obstacles.findIndex((why) => why !== null);
  const [node] = nodes.slice(first, first + 1);
  const rows = node?.rows?.count ?? 1;
  const isFar = rows > 1 && obstacles[first] === noneLeft(hop, rows);
  return fail(isFar ? "TH3005" : "TH3004", {
    where: [graph.name, ...(node ? [originName(node.node.origin)] : [])],
    found: `${obstacles[first] ?? "only views"}, so nothing of one window can be used for the next`,
    fix: isFar
      ? "choose a shorter hop"
      : "train the model with padding VALID along its rows (and pad the input instead), or compile it without --incremental",
  });
}

/**
 * Finds what of a graph is computed once per row. Throws TH3004 if that is nothing, or the model is not one of rows, and
 * TH3005 for a hop that does not suit it.
 */
export function findShifts(graph: Graph, nodes: readonly LoweredNode[], hop: number): Shifts {
  const input = checkModel(graph, nodes);
  checkHop(graph, input, hop);
  const a = startAnalysis(graph, input, hop);
  const found: StreamNode[] = [];
  const obstacles: (Obstacle | null)[] = [];
  nodes.forEach((lowered, index) => {
    const result =
      found.length < maxNodes
        ? shiftNode(a, lowered, index, () => hopUnit(graph, nodes, input))
        : `${maxNodes} operators before it are streamed already`;
    if (typeof result !== "string") found.push(result);
    obstacles.push(typeof result === "string" ? result : result.isView ? null : noneLeft(hop, result.rows));
  });
  if (found.every((n) => n.isView || n.hop === n.rows)) refuseAll(graph, nodes, hop, obstacles);
  return { input: input.id, rows: rowsOf(input), hop, tensors: a.tensors, roots: a.roots, nodes: found };
}
