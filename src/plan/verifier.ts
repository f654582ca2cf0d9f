import { fail } from "../base/diagnostics.js";
import type { TensorId } from "../base/units.js";
import { originName, type Tensor, tensorName, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import type { Plan } from "./plan.js";
import { tensorBytes } from "./storage.js";

/**
 * Replays a plan on an arena of tags: every byte knows which row of which value was last written to it. A step may
 * read an input only where all its bytes still carry that value's tags, and what it writes (outputs, scratch) must
 * leave the inputs it has not finished with intact. It knows nothing of how the plan was made.
 * Throws TH3003 at the first violation.
 */
export function verifyPlan(graph: Graph, nodes: readonly LoweredNode[], plan: Plan): void {
  const tags = new Int32Array(plan.arenaBytes);
  const values = new Map<TensorId, number>();
  let nextTag = 1;
  const rowsOf = (t: Tensor): number => (t.shape.length === 4 ? Math.max(t.shape[1] ?? 1, 1) : 1);
  /** The first tag of a value; row r carries tag + r. A view carries its source's. */
  const newValue = (t: Tensor): number => {
    values.set(t.id, nextTag);
    nextTag += rowsOf(t);
    return nextTag - rowsOf(t);
  };
  const offsetOf = (t: Tensor): number | undefined => plan.bufferOf.get(t.id)?.offset;
  const rowsTagged = new Map<number, { readonly rows: number; readonly rowBytes: number }>();
  const write = (t: Tensor, tag: number): void => {
    const offset = offsetOf(t);
    if (offset === undefined) return;
    const rows = rowsOf(t);
    const rowBytes = tensorBytes(t) / rows;
    rowsTagged.set(tag, { rows, rowBytes });
    for (let r = 0; r < rows; r++) tags.fill(tag + r, offset + r * rowBytes, offset + (r + 1) * rowBytes);
  };
  const intact = (t: Tensor): boolean => {
    const offset = offsetOf(t);
    const tag = values.get(t.id);
    if (offset === undefined || t.dtype === "resource") return true;
    if (tag === undefined) return false;
    const layout = rowsTagged.get(tag) ?? { rows: 1, rowBytes: 0 };
    for (let i = 0; i < tensorBytes(t); i++) {
      const row = layout.rowBytes === 0 ? 0 : Math.floor(i / layout.rowBytes);
      if (tags[offset + i] !== tag + row) return false;
    }
    return true;
  };
  const begin = (t: Tensor): void => write(t, newValue(t));
  const check = (t: Tensor, where: string, when: string): void => {
    if (intact(t)) return;
    fail("TH3003", {
      where: [graph.name, where, tensorName(t)],
      found: `its bytes are overwritten ${when}`,
      fix: "this is a defect of the planner: report it with the model; --plan layers may work around it",
    });
  };

  const persistent = [...graph.tensors.values()].filter((t) => t.variable);
  const constants = graph.outputs.map((id) => tensorOf(graph, id)).filter((t) => t.data !== null);
  for (const t of [...persistent, ...constants, ...graph.inputs.map((id) => tensorOf(graph, id))]) begin(t);
  for (const buffer of plan.bufferOfVariable.values()) {
    tags.fill(-1 - buffer.id, buffer.offset, buffer.offset + buffer.bytes);
  }

  for (const step of plan.steps) {
    const lowered = nodes[step.node];
    if (lowered === undefined) continue;
    const where = originName(lowered.node.origin);
    const inputs = lowered.view.inputs.filter((t): t is Tensor => t !== null && plan.bufferOf.has(t.id));
    for (const t of inputs) check(t, where, "before this step reads it");
    if (step.elided) {
      const [source] = inputs;
      const [target] = lowered.view.outputs;
      if (source && target) values.set(target.id, values.get(source.id) ?? 0);
      continue;
    }
    const scratch = step.scratch === null ? undefined : plan.buffers[step.scratch];
    if (scratch) tags.fill(0, scratch.offset, scratch.offset + scratch.bytes);
    for (const t of lowered.view.outputs) begin(t);
    if (scratch && !tags.subarray(scratch.offset, scratch.offset + scratch.bytes).every((tag) => tag === 0)) {
      fail("TH3003", {
        where: [graph.name, where],
        found: "scratch and output share bytes",
        fix: "this is a defect of the planner: report it with the model",
      });
    }
    const taken = step.inPlaceInput === null ? null : lowered.view.inputs[step.inPlaceInput];
    const takenValue = taken ? values.get(taken.id) : undefined;
    for (const t of inputs) {
      if (takenValue === undefined || values.get(t.id) !== takenValue) check(t, where, "while this step runs");
    }
    for (const t of lowered.view.outputs) check(t, where, "by another output of this step");
    for (const index of lowered.spec.traits.mutates) {
      const t = lowered.view.inputs[index];
      if (t) begin(t);
    }
  }
  for (const id of graph.outputs) check(tensorOf(graph, id), "end of the graph", "before the caller reads it");
  for (const t of persistent) check(t, "end of the graph", "between invocations");
  for (const buffer of plan.bufferOfVariable.values()) {
    for (let i = buffer.offset; i < buffer.offset + buffer.bytes; i++) {
      if (tags[i] === -1 - buffer.id) continue;
      fail("TH3003", {
        where: [graph.name, buffer.name],
        found: "a variable's bytes are overwritten",
        fix: "this is a defect of the planner: report it with the model",
      });
    }
  }
}
