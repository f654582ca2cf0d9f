import { describe, expect, it } from "vitest";
import { generate, planModel } from "../src/app/compile.js";
import { toBytes } from "../src/base/dtype.js";
import { exportTflite } from "../src/formats/tflite/export.js";
import { importTflite } from "../src/formats/tflite/import.js";
import type { Model } from "../src/ops/index.js";
import { createSession } from "../src/run/interpreter.js";
import { findTarget } from "../src/verify/targets.js";
import { programOf } from "../src/verify/verify.js";
import { addNode, addTensor, newDraft, toGraph, toModel } from "./graphs.js";

/** A running sum: a variable that CALL_ONCE starts at [100, 200, 300], to which each input is added. */
function accumulator(): Model {
  const start = newDraft();
  const handle = addTensor(start, "h", [], { dtype: "resource" });
  const initial = addTensor(start, "initial", [3], { dtype: "int32", data: Int32Array.of(100, 200, 300) });
  addNode(start, "VAR_HANDLE", [], [handle], { container: "", sharedName: "sum" });
  addNode(start, "ASSIGN_VARIABLE", [handle, initial], []);

  const main = newDraft();
  const input = addTensor(main, "x", [3], { dtype: "int32" });
  const resource = addTensor(main, "h", [], { dtype: "resource" });
  const before = addTensor(main, "before", [3], { dtype: "int32" });
  const after = addTensor(main, "after", [3], { dtype: "int32" });
  addNode(main, "CALL_ONCE", [], [], { subgraph: 1 });
  addNode(main, "VAR_HANDLE", [], [resource], { container: "", sharedName: "sum" });
  addNode(main, "READ_VARIABLE", [resource], [before]);
  addNode(main, "ADD", [before, input], [after], { activation: "NONE", potScaleInt16: false });
  addNode(main, "ASSIGN_VARIABLE", [resource, after], []);
  const written = exportTflite(toModel(toGraph(main, [input], [after]), [toGraph(start, [], [])]));
  return importTflite(written, "sum");
}

const inputs = [1, 2, 3].map((k) => Int32Array.of(k, 10 * k, -k));
const sums = [
  [101, 210, 299],
  [103, 230, 297],
  [106, 260, 294],
];

describe("variables", () => {
  it("keep their value between invocations, from what CALL_ONCE assigned", () => {
    const session = createSession(accumulator());
    expect(inputs.map((x) => Array.from(session.invoke([x])[0] as Int32Array))).toEqual(sums);
    session.reset();
    expect(Array.from(session.invoke([inputs[0] as Int32Array])[0] as Int32Array)).toEqual(sums[0]);
  });

  it("become initial contents at compile time", () => {
    const { graph, plan } = planModel(accumulator());
    expect(graph.nodes.map((n) => n.op)).toEqual(["READ_VARIABLE", "ADD", "ASSIGN_VARIABLE"]);
    expect(Array.from(graph.variables[0]?.initial as Int32Array)).toEqual([100, 200, 300]);
    expect(plan.bufferOfVariable.get("sum")?.kind).toBe("state");
  });

  const host = findTarget("host");
  it.skipIf(host.missingTool() !== null)("live in the arena of the generated C", async () => {
    const generated = generate(planModel(accumulator()));
    const requests = inputs.map((x, i) => ({
      model: 0,
      inputs: [toBytes("int32", x)],
      ...(i > 0 ? { keepState: true as const } : {}),
    }));
    const { runs } = await host.run(programOf(generated), requests, {});
    expect(runs.map((r) => Array.from(new Int32Array((r.outputs[0] as Uint8Array).slice().buffer)))).toEqual(sums);
  });
});
