import { fail } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { originName, type Tensor, tensorName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import { memoryMap, type ValueId } from "./memory-map.js";
import { firstRowNeeded } from "./overlap.js";
import type { Buffer, Plan, Step } from "./plan.js";
import { tensorBytes } from "./tensors.js";

const defect = "this is a defect of the planner: report it with the model";

/** The state of a replay: what every byte of the arena holds, and the value that each tensor stands for. */
interface Replay {
  readonly begin: (tensor: Tensor) => void;
  /** The tensor is computed row by row; `after` is called when each row has been written. */
  readonly beginByRows: (tensor: Tensor, after: (row: number) => void) => void;
  /** As check, for the rows from `first` on. */
  readonly checkRows: (tensor: Tensor, first: number, where: string) => void;
  /** The target is the same bytes as the source from now on. */
  readonly alias: (target: Tensor, source: Tensor) => void;
  readonly sameValue: (a: Tensor, b: Tensor) => boolean;
  readonly check: (tensor: Tensor, where: string, when: string) => void;
  /** Fills a buffer that has no tensor, and returns a question: is it untouched since? */
  readonly occupy: (buffer: Buffer) => () => boolean;
}

function startReplay(graph: Graph, plan: Plan): Replay {
  const memory = memoryMap();
  const values = new Map<TensorId, ValueId>();
  let next = 1;
  const intact = (t: Tensor): boolean => {
    const buffer = plan.bufferOf.get(t.id);
    const value = values.get(t.id);
    if (buffer === undefined || t.dtype === "resource") return true;
    return value !== undefined && memory.holds(buffer.offset, tensorBytes(t), value);
  };
  return {
    begin: (t) => {
      const buffer = plan.bufferOf.get(t.id);
      values.set(t.id, next);
      if (buffer) memory.write(buffer.offset, tensorBytes(t), next);
      next++;
    },
    beginByRows: (t, after) => {
      const buffer = plan.bufferOf.get(t.id);
      const rows = t.shape[1] ?? 1;
      const rowBytes = tensorBytes(t) / rows;
      const value = next++;
      values.set(t.id, value);
      for (let row = 0; row < rows; row++) {
        if (buffer) memory.write(buffer.offset + row * rowBytes, rowBytes, value, row * rowBytes);
        after(row);
      }
    },
    checkRows: (t, first, where) => {
      const buffer = plan.bufferOf.get(t.id);
      const value = values.get(t.id);
      const from = (tensorBytes(t) / (t.shape[1] ?? 1)) * first;
      if (buffer && value !== undefined && memory.holds(buffer.offset + from, tensorBytes(t) - from, value, from))
        return;
      const found = `row ${first} or a later one is overwritten before it is read`;
      fail("TH3003", { where: [graph.name, where, tensorName(t)], found, fix: defect });
    },
    alias: (target, source) => values.set(target.id, values.get(source.id) ?? 0),
    sameValue: (a, b) => values.get(a.id) === values.get(b.id),
    check: (t, where, when) => {
      if (intact(t)) return;
      fail("TH3003", {
        where: [graph.name, where, tensorName(t)],
        found: `its bytes are overwritten ${when}`,
        fix: defect,
      });
    },
    occupy: (buffer) => {
      const value = next++;
      memory.write(buffer.offset, buffer.bytes, value);
      return () => memory.holds(buffer.offset, buffer.bytes, value);
    },
  };
}

/** True if two tensors' buffers have addresses in common. */
function meets(plan: Plan, a: Tensor, b: Tensor): boolean {
  const [x, y] = [plan.bufferOf.get(a.id), plan.bufferOf.get(b.id)];
  if (!x || !y) return false;
  return x.offset < y.offset + tensorBytes(b) && y.offset < x.offset + tensorBytes(a);
}

/** A step whose output grows over inputs: after each row, the input rows that this or a later row reads must be there. */
function replayOverlap(
  lowered: LoweredNode,
  target: Tensor,
  overlapped: readonly Tensor[],
  replay: Replay,
  where: string,
): void {
  const firsts = lowered.view.inputs.flatMap((t, index) => {
    if (t === null || !overlapped.includes(t)) return [];
    const first = firstRowNeeded(lowered, index);
    if (first === null)
      fail("TH3003", {
        where: [where, tensorName(t)],
        found: "an output overlaps an input that may be read at any time",
        fix: defect,
      });
    return [{ t, first }];
  });
  replay.beginByRows(target, (row) => {
    for (const { t, first } of firsts) if (first(row) < (t.shape[1] ?? 1)) replay.checkRows(t, first(row), where);
  });
}

function replayStep(graph: Graph, plan: Plan, lowered: LoweredNode, step: Step, replay: Replay): void {
  const where = originName(lowered.node.origin);
  const inputs = lowered.view.inputs.filter((t): t is Tensor => t !== null && plan.bufferOf.has(t.id));
  for (const t of inputs) replay.check(t, where, "before this step reads it");
  const [source] = inputs;
  const [target] = lowered.view.outputs;
  if (step.elided) {
    if (source && target) replay.alias(target, source);
    return;
  }
  const scratch = step.scratch === null ? undefined : plan.buffers[step.scratch];
  const scratchIntact = scratch ? replay.occupy(scratch) : () => true;
  // An input whose storage the output takes over is read element by element, just before it is overwritten.
  const taken = step.inPlaceInput === null ? null : lowered.view.inputs[step.inPlaceInput];
  const others = inputs.filter((t) => !taken || !replay.sameValue(t, taken));
  const overlapped = others.filter((t) => target !== undefined && meets(plan, t, target));
  if (overlapped.length > 0 && target) replayOverlap(lowered, target, overlapped, replay, where);
  else for (const t of lowered.view.outputs) replay.begin(t);
  if (!scratchIntact())
    fail("TH3003", { where: [graph.name, where], found: "scratch and output share bytes", fix: defect });
  for (const t of others) if (!overlapped.includes(t)) replay.check(t, where, "while this step runs");
  for (const t of lowered.view.outputs) replay.check(t, where, "by another output of this step");
  for (const index of lowered.spec.traits.mutates) {
    const t = lowered.view.inputs[index];
    if (t) replay.begin(t);
  }
}

/**
 * Replays a plan on a map of the arena that knows which byte of which value every address holds. A step may read an
 * input only where all its bytes still lie, and what it writes (outputs, scratch) must leave the inputs it has not
 * finished with intact. It knows nothing of how the plan was made. Throws TH3003 at the first violation.
 */
export function verifyPlan(graph: Graph, nodes: readonly LoweredNode[], plan: Plan): void {
  const outside = plan.buffers.find((b) => b.offset < 0 || b.offset + b.bytes > plan.arenaBytes);
  if (outside) fail("TH3003", { where: [graph.name, outside.name], found: "a buffer outside the arena", fix: defect });
  const replay = startReplay(graph, plan);
  const persistent = [...graph.tensors.values()].filter((t) => t.variable);
  const constants = graph.outputs.map((id) => tensorOf(graph, id)).filter((t) => t.data !== null);
  for (const t of [...persistent, ...constants, ...graph.inputs.map((id) => tensorOf(graph, id))]) replay.begin(t);
  const variables = [...plan.bufferOfVariable.values()].map((buffer) => ({ buffer, intact: replay.occupy(buffer) }));
  for (const step of plan.steps) {
    const lowered = nodes[step.node];
    if (lowered !== undefined) replayStep(graph, plan, lowered, step, replay);
  }
  for (const id of graph.outputs) replay.check(tensorOf(graph, id), "end of the graph", "before the caller reads it");
  for (const t of persistent) replay.check(t, "end of the graph", "between invocations");
  for (const { buffer, intact } of variables) {
    if (!intact())
      fail("TH3003", { where: [graph.name, buffer.name], found: "a variable's bytes are overwritten", fix: defect });
  }
}
