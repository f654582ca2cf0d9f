import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { originName, type Tensor, tensorName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { type LoweredNode, rowsOf } from "../ops/lower.js";
import { type MemoryMap, memoryMap, type ValueId } from "./memory-map.js";
import type { Buffer, IncrementalPlan, Plan, PlannedStage } from "./plan.js";
import { defect } from "./replay.js";
import { inArena } from "./stages.js";
import { tensorBytes } from "./tensors.js";
import { verifyPlan } from "./verifier.js";

/** Hops that are replayed after the first window at least, and, so that numbers of rows wrap, at most. */
const hopsAfterFirst = { least: 3, most: 64 } as const;

/** What is known while a plan is replayed. */
interface Replay {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly plan: Plan;
  readonly stream: IncrementalPlan;
  readonly memory: MemoryMap;
  /** The value of every tensor: of streamed ones for ever, of the tail's for a window. */
  readonly values: Map<TensorId, ValueId>;
  /** Rows, by their number, in each place of a copy of a window; -1 for none yet. */
  readonly wholes: Map<TensorId, number[]>;
  /** By how many rows each streamed tensor moves with a hop. */
  readonly hops: Map<TensorId, number>;
  next: ValueId;
}

const rowBytesOf = (t: Tensor): number => tensorBytes(t) / rowsOf(t);

function complain(r: Replay, where: string, found: string): never {
  return fail("TH3003", { where: [r.graph.name, where], found, fix: defect });
}

/** The value of a streamed tensor; a view has that of what it is a view of. */
function streamValue(r: Replay, id: TensorId): ValueId {
  const known = r.values.get(id);
  if (known !== undefined) return known;
  const value = r.next++;
  r.values.set(id, value);
  return value;
}

/** Checks that a row lies where the stage looks for it: `number` is what the stage takes it for, `row` what it must be. */
function checkRow(r: Replay, t: Tensor, number: number, row: number, where: string): void {
  const buffer = present(r.stream.ringOf.get(t.id), "ring");
  const bytes = rowBytesOf(t);
  const at = buffer.offset + (number % buffer.rows) * bytes;
  if (number >= 0 && r.memory.holds(at, bytes, streamValue(r, t.id), row * bytes)) return;
  complain(r, where, `row ${row} of ${tensorName(t)} is not there when it is read`);
}

function writeRow(r: Replay, t: Tensor, number: number, row: number): void {
  const buffer = present(r.stream.ringOf.get(t.id), "ring");
  const bytes = rowBytesOf(t);
  r.memory.write(buffer.offset + (number % buffer.rows) * bytes, bytes, streamValue(r, t.id), row * bytes);
}

/** Fills a buffer that has no tensor; the result checks that it is untouched. */
function occupy(r: Replay, buffer: Buffer, where: string): () => void {
  const value = r.next++;
  r.memory.write(buffer.offset, buffer.bytes, value);
  return () => {
    if (!r.memory.holds(buffer.offset, buffer.bytes, value)) complain(r, where, `${buffer.name} is overwritten`);
  };
}

/**
 * Calls `visit` with every row that row `row` of a node needs: what the stage takes its number for, and what it must be by
 * the definition, where window n of a tensor is its rows from n * hop on.
 */
function eachNeed(
  r: Replay,
  lowered: LoweredNode,
  stage: PlannedStage,
  number: number,
  row: number,
  visit: (t: Tensor, number: number, row: number) => void,
): void {
  const perHop = r.hops.get(lowered.node.outputs[0] as TensorId) ?? 1;
  lowered.view.inputs.forEach((t, i) => {
    const window = lowered.rows?.windows[i];
    const planned = stage.windows[i];
    if (t === null || !inArena(t)) return;
    if (!window || !planned) complain(r, originName(lowered.node.origin), `${tensorName(t)} has no window`);
    // The first and the last window that the row is part of.
    for (const n of [Math.max(0, Math.ceil((row - stage.rows + 1) / perHop)), Math.floor(row / perHop)]) {
      for (let k = 0; k < window.taps; k++) {
        const inInput = window.first(row - n * perHop) + k * window.dilation;
        if (inInput < 0 || inInput >= rowsOf(t))
          complain(r, originName(lowered.node.origin), "a window leaves its input");
        visit(t, planned.first(number) + k * planned.dilation, n * (r.hops.get(t.id) ?? 0) + inInput);
      }
    }
  });
}

function fireNode(r: Replay, stage: PlannedStage, number: number, row: number): void {
  const index = present(stage.step, "step");
  const [lowered, step] = [present(r.nodes[index], "node"), present(r.plan.steps[index], "step")];
  const where = originName(lowered.node.origin);
  const check = () => eachNeed(r, lowered, stage, number, row, (t, n, must) => checkRow(r, t, n, must, where));
  check();
  const scratch = step.scratch === null ? null : occupy(r, present(r.plan.buffers[step.scratch], "scratch"), where);
  for (const t of lowered.view.outputs) writeRow(r, t, number, row);
  scratch?.();
  check();
  for (const t of lowered.view.outputs) checkRow(r, t, number, row, where);
}

/** Moves a copy of a window up, if a hop begins, and appends a row; all rows that are moved must be there. */
function fireKeep(r: Replay, { tensor, rows, hop }: PlannedStage, number: number, row: number): void {
  const t = tensorOf(r.graph, present(tensor, "tensor"));
  const where = tensorName(t);
  checkRow(r, t, number, row, where);
  const buffer = present(r.plan.bufferOf.get(t.id), "copy of a window");
  const bytes = rowBytesOf(t);
  const places = r.wholes.get(t.id) ?? new Array<number>(rows).fill(-1);
  const place = (p: number, rowThere: number): void => {
    places[p] = rowThere;
    if (rowThere >= 0) r.memory.write(buffer.offset + p * bytes, bytes, streamValue(r, t.id), rowThere * bytes);
  };
  // The first window's last row must end a hop.
  const late = (((number - rows) % hop) + hop) % hop;
  if (late === 0) {
    places.forEach((rowThere, p) => {
      const intact = r.memory.holds(buffer.offset + p * bytes, bytes, streamValue(r, t.id), rowThere * bytes);
      if (rowThere >= 0 && p >= hop && !intact) complain(r, where, `row ${rowThere} of its window is overwritten`);
    });
    for (let p = 0; p + hop < rows; p++) place(p, places[p + hop] as number);
  }
  place(rows - hop + late, row);
  r.wholes.set(t.id, places);
}

/** The rows that the tail finds of a streamed tensor must be those of window `n`. */
function checkWindow(r: Replay, t: Tensor, n: number, where: string): void {
  const buffer = present(r.plan.bufferOf.get(t.id), "buffer");
  const first = n * (r.hops.get(t.id) ?? 0);
  if (r.memory.holds(buffer.offset, tensorBytes(t), streamValue(r, t.id), first * rowBytesOf(t))) return;
  complain(r, where, `${tensorName(t)} is not there in one piece`);
}

/** One hop: its firings, each of which gets its number from counters that start and wrap as the plan says. */
function replayHop(r: Replay, numbers: number[], rows: number[]): void {
  for (const s of r.stream.order) {
    const stage = present(r.stream.stages[s], "stage");
    const number = numbers[s] as number;
    numbers[s] = number + 1 === stage.period ? 0 : number + 1;
    if (number < 0) continue;
    const row = rows[s] as number;
    rows[s] = row + 1;
    if (stage.kind === "rows") fireNode(r, stage, number, row);
    else if (stage.kind === "keep") fireKeep(r, stage, number, row);
    else writeRow(r, tensorOf(r.graph, present(stage.tensor, "input")), number, row);
  }
}

/** The tail writes its results and its scratch, whatever they are. */
function overwriteTail(r: Replay): void {
  for (const { firstStep } of r.plan.groups) {
    const step = present(r.plan.steps[firstStep], "step");
    if (step.mode === "view") continue;
    const ids = [...(r.nodes[firstStep]?.node.outputs ?? [])];
    const buffers = [...ids.map((id) => r.plan.bufferOf.get(id)), r.plan.buffers[step.scratch ?? -1]];
    for (const b of buffers) if (b) r.memory.write(b.offset, b.bytes, r.next++);
  }
}

/** Replays the tail by itself, as a graph whose inputs are there, under all their names, and must in part survive. */
function verifyTail(r: Replay): void {
  const { graph, nodes, plan, hops } = r;
  const own = plan.groups.map((g) => g.firstStep);
  const views = plan.steps.filter((s) => s.mode === "view" && !own.includes(s.index)).map((s) => s.index);
  const rootOf = (id: TensorId): TensorId => {
    const view = views.find((i) => nodes[i]?.node.outputs[0] === id);
    return view === undefined ? id : rootOf(nodes[view]?.node.inputs[0] as TensorId);
  };
  const read = [...own.flatMap((i) => nodes[i]?.node.inputs ?? []), ...graph.outputs];
  const inputs = [...new Set(read.flatMap((id) => (id !== null && hops.has(id) ? [rootOf(id)] : [])))];
  const indices = [...views, ...own];
  const tailNodes = indices.map((i) => present(nodes[i], "node"));
  const group = { order: null, cursor: null };
  verifyPlan({ ...graph, nodes: tailNodes.map((n) => n.node), inputs }, tailNodes, {
    ...plan,
    pushed: null,
    steps: indices.map((i, index) => ({ ...present(plan.steps[i], "step"), index })),
    groups: indices.map((_, index) => ({ ...group, firstStep: index, endStep: index + 1 })),
  });
}

/** By how many rows each tensor that is not the tail's moves with a hop, found anew from the graph. */
function movesOf(graph: Graph, nodes: readonly LoweredNode[], plan: Plan, hop: number): Map<TensorId, number> {
  const tail = new Set(plan.groups.map((g) => g.firstStep));
  const moves = new Map(graph.inputs.map((id) => [id, hop] as const));
  nodes.forEach(({ view, rows }, i) => {
    if (tail.has(i)) return;
    const at = view.inputs.findIndex((t) => t !== null && moves.has(t.id));
    const input = view.inputs[at];
    const window = plan.steps[i]?.mode === "view" ? undefined : rows?.windows[at];
    const ofInput = moves.get(input?.id as TensorId) ?? 0;
    const ofOutput = rows?.count === 1 ? 1 : ofInput / (window ? window.first(1) - window.first(0) : 1);
    for (const t of view.outputs) moves.set(t.id, ofOutput);
  });
  return moves;
}

/**
 * Replays a plan hop by hop on a map of the arena: hops before the first window, and several after it. Every row that a
 * stage reads must lie where its counters look for it and be the row that the definition of the window asks for; what the
 * tail reads must be the rows of the last window, in one piece. Throws TH3003 at the first violation.
 */
export function verifyIncremental(graph: Graph, nodes: readonly LoweredNode[], plan: Plan): void {
  const stream = present(plan.incremental, "incremental plan");
  const hops = movesOf(graph, nodes, plan, stream.hop);
  const r: Replay = {
    graph,
    nodes,
    plan,
    stream,
    memory: memoryMap(),
    values: new Map(),
    wholes: new Map(),
    hops,
    next: 1,
  };
  const outside = plan.buffers.find((b) => b.offset < 0 || b.offset + b.bytes > plan.arenaBytes);
  if (outside) complain(r, outside.name, "a buffer outside the arena");
  nodes.forEach(({ view }, i) => {
    const [input, output] = [view.inputs[0], view.outputs[0]];
    if (input && output && hops.has(output.id) && plan.steps[i]?.mode === "view")
      r.values.set(output.id, streamValue(r, input.id));
  });
  const intact = occupy(r, present(plan.buffers[stream.counters], "counters"), "the schedule");
  const numbers = stream.stages.map((s) => s.start);
  const rows = stream.stages.map(() => 0);
  const tailReads = plan.groups.flatMap((g) => nodes[g.firstStep]?.view.inputs ?? []);
  const given = [...tailReads, ...graph.outputs.map((id) => tensorOf(graph, id))].filter((t) => t && hops.has(t.id));
  const longest = Math.ceil(Math.max(...stream.stages.map((s) => s.period / s.hop)));
  const after = Math.min(Math.max(longest + 1, hopsAfterFirst.least), hopsAfterFirst.most);
  for (let h = 1 - stream.hops; h <= after; h++) {
    replayHop(r, numbers, rows);
    intact();
    if (h < 0) continue;
    for (const t of given) if (t) checkWindow(r, t, h, "the tail");
    overwriteTail(r);
  }
  verifyTail(r);
}
