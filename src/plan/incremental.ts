import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import { bytesOf } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { originName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { type LoweredNode, rowsOf } from "../ops/lower.js";
import { placeDraft } from "./build.js";
import { separateGroups } from "./cuts.js";
import { bufferAlignment, type Draft, draftOf, type Unplaced } from "./draft.js";
import { type Hop, type HopStage, hopStages, periodOf, playHop } from "./hops.js";
import { verifyIncremental } from "./incremental-verifier.js";
import { addLive, solid } from "./occupancy.js";
import type { Plan, PlannedStage, Step } from "./plan.js";
import { findShifts, type Shift, type Shifts } from "./shifts.js";
import { tensorBytes } from "./tensors.js";
import { networkOf, scratchBytes } from "./units.js";

/** Row numbers times strides must fit into 32 bits. */
const largestNumber = 2 ** 31 - 1;

/** Bytes of the counters of a stream: a 32-bit one of hops, and one of rows for each stage. */
const counterBytes = (stages: number): number => 4 * (1 + stages);

/** A graph cut in two: what is computed once per row, and the tail that is computed anew for every window. */
interface Cut {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly shifts: Shifts;
  /** Indices of the tail's nodes, and the tail as a graph of its own. */
  readonly tailNodes: readonly number[];
  readonly tail: Graph;
  /** The streamed tensors that the tail reads or the model gives, by the tensor that they are views of. */
  readonly boundary: ReadonlyMap<TensorId, readonly TensorId[]>;
}

const rootIn = ({ roots }: Shifts, id: TensorId): TensorId => roots.get(id) ?? id;

function cutGraph(graph: Graph, nodes: readonly LoweredNode[], shifts: Shifts): Cut {
  const streamed = new Set(shifts.nodes.map((n) => n.index));
  const tailNodes = nodes.map((_, i) => i).filter((i) => !streamed.has(i));
  const read = new Set<TensorId>(graph.outputs);
  for (const i of tailNodes) for (const id of nodes[i]?.node.inputs ?? []) if (id !== null) read.add(id);
  const boundary = new Map<TensorId, readonly TensorId[]>();
  for (const id of read) {
    if (!shifts.tensors.has(id)) continue;
    const root = rootIn(shifts, id);
    boundary.set(root, [...(boundary.get(root) ?? []), id]);
  }
  // What the next hop needs, or several names refer to, is not to be overwritten: neither are outputs.
  const protectedTensors = [...boundary].flatMap(([root, names]) =>
    names.length > 1 || (shifts.tensors.get(root)?.rows ?? 1) > 1 ? names : [],
  );
  const tail: Graph = {
    ...graph,
    nodes: tailNodes.map((i) => present(nodes[i], "node").node),
    inputs: [...boundary.values()].flat(),
    outputs: [...new Set([...graph.outputs, ...protectedTensors])],
  };
  return { graph, nodes, shifts, tailNodes, tail, boundary };
}

/** Buffers being collected; `rings` and `wholes` number them by tensor. */
interface Collection {
  readonly cut: Cut;
  readonly hop: Hop;
  readonly buffers: Unplaced[];
  readonly rings: Map<TensorId, number>;
  readonly wholes: Map<TensorId, number>;
  /** Firings of a hop with the tail, and of those the stages'. */
  readonly firings: number;
  readonly streamFirings: number;
}

function bufferFor(cut: Cut, root: TensorId, rows: number): Omit<Unplaced, "kind" | "occupancy"> {
  const tensor = tensorOf(cut.graph, root);
  const rowBytes = tensorBytes(tensor) / rowsOf(tensor);
  const { roots } = cut.shifts;
  const names = [root, ...[...roots].flatMap(([view, of]) => (of === root ? [view] : []))];
  const alignment = Math.max(bufferAlignment, ...names.map((id) => bytesOf(tensorOf(cut.graph, id).dtype, 1)));
  return { tensors: names, variable: null, name: tensor.name, rows, rowBytes, alignment, traffic: 2 * rows * rowBytes };
}

/** The buffers of the tail, moved behind the stages in time; what the stages give it is left out. */
function tailBuffers({ cut, streamFirings: at }: Collection, draft: Draft) {
  const given = new Set(cut.tail.inputs);
  const numbers = new Map<number, number>();
  const lastUse = new Map<TensorId, number>();
  const buffers: Unplaced[] = [];
  draft.unplaced.forEach((b, i) => {
    const { first, last, top, low } = b.occupancy;
    for (const id of b.tensors) lastUse.set(rootIn(cut.shifts, id), at + last);
    if (b.tensors.some((id) => given.has(id))) return;
    const later = (changes: typeof top) => changes.map(({ time, value }) => ({ time: time + at, value }));
    const occupancy = { ...b.occupancy, first: first + at, last: last + at, top: later(top), low: later(low) };
    numbers.set(i, buffers.push({ ...b, occupancy }) - 1);
  });
  return { buffers, numbers, lastUse };
}

/** Names that the tail gives to storage of its inputs: views of them. */
function tailViews(cut: Cut, draft: Draft): ReadonlyMap<TensorId, readonly TensorId[]> {
  const given = new Set(cut.tail.inputs);
  const views = new Map<TensorId, readonly TensorId[]>();
  for (const { tensors } of draft.unplaced) {
    const input = tensors.find((id) => given.has(id));
    if (input === undefined) continue;
    const root = rootIn(cut.shifts, input);
    views.set(root, [...(views.get(root) ?? []), ...tensors]);
  }
  return views;
}

/** Rings of the streamed tensors, and copies of whole windows. */
function addStreamed(c: Collection, draft: Draft, lastUse: ReadonlyMap<TensorId, number>): void {
  const { cut, hop, buffers, firings, streamFirings } = c;
  const end = firings - 1;
  const views = tailViews(cut, draft);
  const isPort = (ids: readonly TensorId[]): boolean => ids.some((id) => cut.graph.outputs.includes(id));
  for (const [root, use] of hop.rings) {
    const { rows } = cut.shifts.tensors.get(root) as Shift;
    const names = cut.boundary.get(root) ?? [];
    const ring = bufferFor(cut, root, use.kept);
    const inTail = views.get(root) ?? [];
    const isWhole = names.length > 0 && rows === 1;
    const last = isWhole ? Math.max(lastUse.get(root) ?? 0, isPort(names) ? end : 0) : use.last;
    const [from, to] = use.persists ? [0, end] : [use.first, last];
    const kind = use.persists ? "state" : isPort(names) && isWhole ? "output" : "activation";
    const occupancy = solid(use.kept * ring.rowBytes, from, to);
    const tensors = isWhole ? [...new Set([...ring.tensors, ...inTail])] : ring.tensors;
    c.rings.set(root, buffers.push({ ...ring, tensors, kind, occupancy }) - 1);
    if (names.length === 0 || isWhole) continue;
    const whole = bufferFor(cut, root, rows);
    const all = { ...whole, tensors: [...new Set([...whole.tensors, ...inTail])], name: `window of ${whole.name}` };
    const state = { ...all, kind: "state", occupancy: solid(rows * whole.rowBytes, 0, end) } as const;
    c.wholes.set(root, buffers.push(state) - 1);
  }
  const bytes = counterBytes(hop.stages.length);
  const counters = { tensors: [], variable: null, rows: 1, rowBytes: bytes, alignment: 8, traffic: 8 * streamFirings };
  buffers.push({ ...counters, kind: "state", name: "rows done", occupancy: solid(bytes, 0, end) });
}

/** The steps of all nodes, streamed ones with their scratch. */
function stepsOf(c: Collection, draft: Draft, numbers: ReadonlyMap<number, number>): readonly Step[] {
  const { cut, hop, buffers } = c;
  const steps = new Map<number, Step>();
  draft.steps.forEach((step) => {
    const index = cut.tailNodes[step.index] as number;
    const scratch = step.scratch === null ? null : (numbers.get(step.scratch) ?? null);
    steps.set(index, { ...step, index, scratch });
  });
  for (const node of cut.shifts.nodes) {
    const base = { index: node.index, group: 0, inPlaceInput: null };
    if (node.isView) {
      steps.set(node.index, { ...base, mode: "view", scratch: null });
      continue;
    }
    const s = hop.stages.findIndex((stage) => stage.node === node);
    const unit = networkOf(cut.graph, [node.lowered], "resident", "separate").units[0];
    const bytes = unit ? scratchBytes(unit, unit.alone) : 0;
    const occupancy = solid(bytes, hop.order.indexOf(s), hop.order.lastIndexOf(s));
    const scratch = { tensors: [], variable: null, rows: 1, rowBytes: bytes, alignment: 8, traffic: 2 * bytes };
    const name = `scratch of ${node.lowered.node.op}`;
    const number = bytes > 0 ? buffers.push({ ...scratch, kind: "scratch", name, occupancy }) - 1 : null;
    steps.set(node.index, { ...base, mode: "rows", scratch: number });
  }
  return cut.nodes.map((_, i) => present(steps.get(i), "step"));
}

/** The most bytes alive while each node runs, and the node of each firing. */
function livesOf(c: Collection, draft: Draft): { readonly liveBytes: readonly number[]; readonly nodeAt: Int32Array } {
  const { cut, hop, buffers, firings } = c;
  const nodeOf = (s: number): number => {
    for (let at = s; at > 0; at--) {
      const { node } = hop.stages[at] as HopStage;
      if (node !== null) return node.index;
    }
    return 0;
  };
  const tail = Array.from(draft.clock.nodeAt, (n) => cut.tailNodes[n] as number);
  const nodeAt = Int32Array.from([...hop.order.map(nodeOf), ...tail]);
  const live = new Float64Array(firings);
  for (const { occupancy } of buffers) addLive(live, occupancy);
  const liveBytes = new Array<number>(cut.nodes.length).fill(0);
  nodeAt.forEach((node, time) => {
    liveBytes[node] = Math.max(liveBytes[node] as number, live[time] as number);
  });
  return { liveBytes, nodeAt };
}

/** A stage with where it counts from and to: rows before row 0 come in hops before the first window, and are left out. */
function plannedStage(cut: Cut, stage: HopStage, hop: Hop, hops: number): PlannedStage {
  const { kind, rows, hop: perHop, node, reads, writes } = stage;
  const period = periodOf(stage, hop.rings);
  const farthest = Math.max(1, ...reads.map((r) => r.stride)) * (period + 1) + cut.shifts.rows;
  if (farthest > largestNumber) {
    fail("TH3005", {
      where: [cut.graph.name, node ? originName(node.lowered.node.origin) : "the input"],
      found: `a hop of ${cut.shifts.hop} rows, with which row numbers repeat only after ${period} rows`,
      fix: "choose another hop",
    });
  }
  return {
    kind,
    step: node?.index ?? null,
    tensor: kind === "keep" ? (reads[0]?.tensor ?? null) : (writes[0] ?? null),
    rows,
    hop: perHop,
    start: rows - hops * perHop,
    period,
    windows: node?.windows ?? [],
  };
}

/** Multiply-accumulates of a hop: the streamed rows that are new, and all of the tail. */
function hopMacs({ nodes, shifts, tailNodes }: Cut): number {
  const macs = (n: LoweredNode): number => n.spec.cost(n.view).macs;
  const streamed = shifts.nodes.reduce((sum, n) => sum + (macs(n.lowered) * n.hop) / n.rows, 0);
  return tailNodes.reduce((sum, i) => sum + macs(present(nodes[i], "node")), streamed);
}

/**
 * Plans incremental inference: rows of the input come `hop` at a time, and each hop computes what it changes. Throws TH3004
 * or TH3005 where that is not possible; the result is verified by replay of many hops.
 * @param nodes lowered without tensors inside others
 */
export function planIncremental(graph: Graph, nodes: readonly LoweredNode[], hop: number): Plan {
  const shifts = findShifts(graph, nodes, hop);
  const cut = cutGraph(graph, nodes, shifts);
  const kept = new Set([...cut.boundary.keys()].filter((id) => (shifts.tensors.get(id)?.rows ?? 1) > 1));
  const played = playHop(hopStages(shifts, kept));
  const tailNodes = cut.tailNodes.map((i) => present(nodes[i], "node"));
  const network = networkOf(cut.tail, tailNodes, "resident", "share");
  const draft = draftOf(network, separateGroups(network), 0);
  const streamFirings = played.order.length;
  const collection: Collection = {
    cut,
    hop: played,
    buffers: [],
    rings: new Map(),
    wholes: new Map(),
    streamFirings,
    firings: streamFirings + Math.max(draft.clock.firings, 1),
  };
  const { buffers, numbers, lastUse } = tailBuffers(collection, draft);
  collection.buffers.push(...buffers);
  addStreamed(collection, draft, lastUse);
  const counters = collection.buffers.length - 1;
  const steps = stepsOf(collection, draft, numbers);
  const { liveBytes, nodeAt } = livesOf(collection, draft);
  const clock = { ...draft.clock, firings: collection.firings, nodeAt };
  const groups = draft.groups.map((g) => {
    const firstStep = cut.tailNodes[g.firstStep] as number;
    return { ...g, firstStep, endStep: firstStep + 1 };
  });
  const whole = { network, strategy: "rows", clock, unplaced: collection.buffers, steps, groups, liveBytes } as const;
  const plan = placeDraft(whole);
  const buffer = (i: number) => present(plan.buffers[i], "buffer");
  const hops = Math.ceil(shifts.rows / hop);
  const named = (numbered: ReadonlyMap<TensorId, number>) =>
    [...numbered.values()].flatMap((i) => buffer(i).tensors.map((id) => [id, buffer(i)] as const));
  const incremental = {
    hop,
    rows: shifts.rows,
    hops,
    stages: played.stages.map((stage) => plannedStage(cut, stage, played, hops)),
    order: played.order,
    ringOf: new Map(named(collection.rings)),
    counters,
    macs: hopMacs(cut),
  };
  const bufferOf = new Map([...plan.bufferOf, ...named(collection.rings), ...named(collection.wholes)]);
  const result: Plan = { ...plan, feed: "incremental", pushed: shifts.input, bufferOf, incremental };
  verifyIncremental(graph, nodes, result);
  return result;
}

/** Bytes that must keep their contents from hop to hop. */
export const stateBytes = (plan: Plan): number =>
  plan.buffers.reduce((sum, b) => sum + (b.kind === "state" ? b.bytes : 0), 0);
