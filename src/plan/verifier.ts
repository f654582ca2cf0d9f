import { fail } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { originName, type Tensor, tensorName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import { memoryMap, type ValueId } from "./memory-map.js";
import type { Buffer, Plan, Step } from "./plan.js";
import { tensorBytes } from "./storage.js";

const defect = "this is a defect of the planner: report it with the model";

/** The state of a replay: what every byte of the arena holds, and the value that each tensor stands for. */
interface Replay {
  readonly begin: (tensor: Tensor) => void;
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
  for (const t of lowered.view.outputs) replay.begin(t);
  if (!scratchIntact())
    fail("TH3003", { where: [graph.name, where], found: "scratch and output share bytes", fix: defect });
  for (const t of others) replay.check(t, where, "while this step runs");
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
