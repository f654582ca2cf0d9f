import { fail } from "../base/diagnostics.js";
import { originName, type Tensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { type LoweredNode, rowsOf } from "../ops/lower.js";
import { noPlacements } from "../ops/placement.js";
import type { Firing, Plan, PlannedGroup, Step } from "./plan.js";
import { allRows, defect, type Replay, type RowRange, startReplay } from "./replay.js";

/** A node in the middle of its rows. */
interface Running {
  readonly lowered: LoweredNode;
  readonly step: Step;
  readonly where: string;
  readonly firings: number;
  fired: number;
  /** The check of a fold's sums, which outlive a firing. */
  sums: (() => void) | null;
}

/** The rows of input `index` that a firing reads. */
function readRows({ lowered, step }: Running, index: number, firing: number): RowRange {
  const t = lowered.view.inputs[index] as Tensor;
  if (step.mode === "fold" && index === 0) return { first: firing, end: firing + 1 };
  const window = step.mode === "rows" ? lowered.rows?.windows[index] : null;
  if (!window) return allRows(t);
  const first = window.first(firing);
  const end = first + (window.taps - 1) * window.dilation + 1;
  return { first: Math.min(Math.max(first, 0), rowsOf(t)), end: Math.min(Math.max(end, 0), rowsOf(t)) };
}

function startNode(lowered: LoweredNode, step: Step, replay: Replay): Running {
  for (const t of lowered.view.outputs) replay.begin(t);
  const [input] = lowered.view.inputs;
  const firings = step.mode === "rows" ? (lowered.rows?.count ?? 1) : step.mode === "fold" && input ? rowsOf(input) : 1;
  return { lowered, step, where: originName(lowered.node.origin), firings, fired: 0, sums: null };
}

/** One firing: reads what it needs, writes scratch and outputs, and must leave what it reads intact meanwhile. */
function fireNode(running: Running, plan: Plan, replay: Replay): void {
  const { lowered, step, where } = running;
  const firing = running.fired++;
  const inputs = lowered.view.inputs.flatMap((t, index) =>
    t !== null && plan.bufferOf.has(t.id) ? [{ t, index, rows: readRows(running, index, firing) }] : [],
  );
  for (const { t, rows } of inputs) replay.check(t, rows, where, "before they are read");
  const buffer = step.scratch === null ? undefined : plan.buffers[step.scratch];
  running.sums?.();
  const scratch = running.sums ?? (buffer ? replay.occupy(buffer, where) : null);
  if (step.mode === "fold") running.sums = scratch;
  const isLast = running.fired === running.firings;
  const written = (t: Tensor): RowRange =>
    step.mode === "rows" ? { first: firing, end: firing + 1 } : isLast ? allRows(t) : { first: 0, end: 0 };
  for (const t of lowered.view.outputs) replay.write(t, written(t));
  scratch?.();
  // An input whose storage the output takes over is read element by element, just before it is overwritten.
  for (const { t, index, rows } of inputs)
    if (index !== step.inPlaceInput) replay.check(t, rows, where, "while they are read");
  for (const t of lowered.view.outputs) replay.check(t, written(t), where, "after another output is written");
  for (const index of isLast ? lowered.spec.traits.mutates : []) {
    const t = lowered.view.inputs[index];
    if (!t) continue;
    replay.begin(t);
    replay.write(t, allRows(t));
  }
}

/** The firings of a group: of its table, or of its only step, row by row. */
function firingsOf(group: PlannedGroup, plan: Plan, nodes: readonly LoweredNode[]): readonly Firing[] {
  if (group.order !== null) return group.order;
  const rows = plan.steps[group.firstStep]?.mode === "rows" ? (nodes[group.firstStep]?.rows?.count ?? 1) : 1;
  return new Array<Firing>(rows).fill(group.firstStep);
}

function replayGroup(
  group: PlannedGroup,
  graph: Graph,
  nodes: readonly LoweredNode[],
  plan: Plan,
  replay: Replay,
): void {
  const cursor = group.cursor === null ? undefined : plan.buffers[group.cursor];
  const intact = cursor ? replay.occupy(cursor, "the schedule") : null;
  const running = new Map<number, Running>();
  const pushed = plan.pushed === null ? null : tensorOf(graph, plan.pushed);
  let arrived = 0;
  for (const firing of firingsOf(group, plan, nodes)) {
    if (firing === "push") {
      if (pushed !== null) replay.write(pushed, { first: arrived, end: ++arrived });
    } else {
      const [lowered, step] = [nodes[firing] as LoweredNode, plan.steps[firing] as Step];
      const [source, target] = [lowered.view.inputs[0], lowered.view.outputs[0]];
      if (step.mode === "view") {
        if (source && target && !lowered.placements.idle.has(lowered.node)) replay.alias(target, source);
        continue;
      }
      const node = running.get(firing) ?? startNode(lowered, step, replay);
      running.set(firing, node);
      fireNode(node, plan, replay);
    }
    intact?.();
  }
  for (let index = group.firstStep; index < group.endStep; index++) {
    if (plan.steps[index]?.mode === "view") continue;
    const { fired = 0, firings = 1 } = running.get(index) ?? {};
    if (fired === firings) continue;
    const where = originName((nodes[index] as LoweredNode).node.origin);
    fail("TH3003", { where: [graph.name, where], found: `${fired} of ${firings} firings`, fix: defect });
  }
}

/**
 * Replays a plan on a map of the arena that knows which byte of which value every address holds. A firing may read only
 * rows that still lie in their places, and what it writes (outputs, scratch) must leave what it reads intact. It knows
 * nothing of how the plan was made. Throws TH3003 at the first violation.
 */
export function verifyPlan(graph: Graph, nodes: readonly LoweredNode[], plan: Plan): void {
  const outside = plan.buffers.find((b) => b.offset < 0 || b.offset + b.bytes > (plan.regions[b.region]?.bytes ?? 0));
  if (outside) fail("TH3003", { where: [graph.name, outside.name], found: "a buffer outside its arena", fix: defect });
  const replay = startReplay(graph, plan, nodes[0]?.placements ?? noPlacements);
  const persistent = [...graph.tensors.values()].filter((t) => t.variable);
  const constants = graph.outputs.map((id) => tensorOf(graph, id)).filter((t) => t.data !== null);
  const inputs = graph.inputs.map((id) => tensorOf(graph, id));
  for (const t of [...persistent, ...constants, ...inputs]) {
    replay.begin(t);
    if (t.id !== plan.pushed) replay.write(t, allRows(t));
  }
  const variables = [...plan.bufferOfVariable.values()].map((buffer) => replay.occupy(buffer, "a variable"));
  // What is neither a tensor nor a variable, but kept, are the addresses of arenas.
  const addresses = plan.buffers
    .filter((b) => b.kind === "state" && b.tensors.length === 0 && b.variable === null)
    .map((buffer) => replay.occupy(buffer, "the addresses of arenas"));
  for (const group of plan.groups) replayGroup(group, graph, nodes, plan, replay);
  for (const t of [...graph.outputs.map((id) => tensorOf(graph, id)), ...persistent])
    replay.check(t, allRows(t), "end of the graph", "for the caller or the next run");
  for (const intact of [...variables, ...addresses]) intact();
}
