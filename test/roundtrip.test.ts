import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exampleModel } from "../bench/example.js";
import { modelsFolder, modelsMissing } from "../bench/goldens.js";
import { elementsOf, toBytes } from "../src/base/dtype.js";
import { importText } from "../src/formats/text.js";
import { exportTflite } from "../src/formats/tflite/export.js";
import { importTflite } from "../src/formats/tflite/import.js";
import { printGraph } from "../src/ir/print.js";
import { type Graph, type Model, operators } from "../src/ops/index.js";
import { sampleCase } from "../src/ops/sample.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";

/** A graph as text with ids replaced by their order, so that renumbering does not count. */
function normalized(graph: Graph): string {
  const order = new Map([...graph.tensors.keys()].map((id, i) => [id, i]));
  const renumber = (id: number | null): number | null => (id === null ? null : (order.get(id as never) ?? -1));
  const tensors = [...graph.tensors.values()].map((t) => ({
    ...t,
    id: renumber(t.id),
    data: t.data ? Buffer.from(toBytes(t.dtype, t.data)).toString("base64") : null,
  }));
  const nodes = graph.nodes.map((n) => ({
    ...n,
    inputs: n.inputs.map(renumber),
    outputs: n.outputs.map(renumber),
    origin: n.origin.op,
  }));
  return JSON.stringify({ tensors, nodes, inputs: graph.inputs.map(renumber), outputs: graph.outputs.map(renumber) });
}

const outputs = (model: Model): string =>
  JSON.stringify(
    createSession(model)
      .invoke(testInputs(model.main, 0))
      .map((d) => Array.from(d as ArrayLike<number>, Number)),
  );

function files(): readonly (readonly [name: string, bytes: Uint8Array])[] {
  const own = [["example", exampleModel()] as const];
  if (modelsMissing() !== null) return own;
  const small = readdirSync(modelsFolder).filter((f) => f.endsWith(".tflite") && f !== "mcunetv2_large.tflite");
  const layers = readdirSync(join(modelsFolder, "seanet")).map((op) => `seanet/${op}/${op}1.tflite`);
  return [
    ...own,
    ...[...small, ...layers].map((f) => [f, new Uint8Array(readFileSync(join(modelsFolder, f)))] as const),
  ];
}

describe(`files${modelsMissing() === null ? "" : ` (only the example: ${modelsMissing()})`}`, () => {
  for (const [name, bytes] of files()) {
    it(`${name}: what is written reads back to the same graph, results and bytes`, () => {
      const model = importTflite(bytes, "m");
      const written = exportTflite(model);
      const again = importTflite(written, "m");
      expect(normalized(again.main)).toBe(normalized(model.main));
      expect(outputs(again)).toBe(outputs(model));
      expect(Buffer.compare(exportTflite(again), written)).toBe(0);
    });

    it(`${name}: the text form reads back to the same graph`, () => {
      const model = importTflite(bytes, "m");
      const text = printGraph(model.main);
      const again = importText(text, "m");
      expect(printGraph(again.main)).toBe(text);
      expect(outputs(again)).toBe(outputs(model));
    });
  }
});

/** Explicit padding has no TFLite form. */
const writable = (attrs: object): boolean => !Array.isArray((attrs as { padding?: unknown }).padding);

describe("samples of every operator", () => {
  for (const op of operators.filter((o) => o.tflite !== "none" && o.kernels.length > 0)) {
    it(`${op.name}: through a .tflite file and through text`, () => {
      for (const sample of op.samples.filter((s) => writable(s.attrs) && s.inputs.every((t) => !t?.resource))) {
        const { graph, inputs } = sampleCase(op, sample);
        const expected = createSession({ main: graph, subgraphs: [] }).invoke(inputs);
        const text = importText(printGraph(graph), "m", sample.name);
        expect(createSession(text).invoke(inputs), `${sample.name}, text`).toEqual(expected);
        const read = importTflite(exportTflite({ main: graph, subgraphs: [] }), "m", sample.name);
        expect(createSession(read).invoke(inputs), `${sample.name}, tflite`).toEqual(expected);
        expect(read.main.outputs.map((id) => elementsOf(read.main.tensors.get(id)?.shape ?? []))).toEqual(
          expected.map((d) => d.length),
        );
      }
    });
  }
});
