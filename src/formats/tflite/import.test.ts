import { Builder } from "flatbuffers";
import { describe, expect, it } from "vitest";
import { addNode, addTensor, type Draft, newDraft, toGraph, toModel } from "../../../test/graphs.js";
import { type Diagnostic, DiagnosticError } from "../../base/diagnostics.js";
import { perTensor } from "../../ir/graph.js";
import { exportTflite } from "./export.js";
import { importTflite } from "./import.js";
import { slots } from "./schema.js";
import { writeInt32s, writeOffsets, writeTable } from "./writer.js";

const q = perTensor(0.1, -5);

/** The diagnostics that reading these bytes gives. */
function problems(bytes: Uint8Array): readonly Diagnostic[] {
  try {
    importTflite(bytes, "m");
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics;
    throw error;
  }
  return [];
}

const codes = (bytes: Uint8Array): readonly string[] => problems(bytes).map((d) => d.code);

/** A file of one RELU over [1, 4], after `change` has had its way with the draft. */
function file(change: (d: Draft, x: number, y: number) => void = () => {}): Uint8Array {
  const d = newDraft();
  const x = addTensor(d, "x", [1, 4], { quant: q });
  const y = addTensor(d, "y", [1, 4], { quant: q });
  addNode(d, "RELU", [x], [y]);
  change(d, x, y);
  return exportTflite(toModel(toGraph(d, [x], [y])));
}

/** The file with every occurrence of one byte string replaced by another of the same length. */
function patched(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const out = Buffer.from(bytes);
  const at = out.indexOf(from);
  expect(at).toBeGreaterThan(0);
  out.set(to, at);
  return new Uint8Array(out);
}

const replaceTensor = (d: Draft, id: number, change: object): void => {
  const tensor = d.tensors.get(id as never);
  if (tensor) d.tensors.set(tensor.id, { ...tensor, ...change });
};

describe("reading a sound file", () => {
  it("gives the graph", () => {
    const model = importTflite(file(), "m");
    expect(model.main.nodes.map((n) => n.op)).toEqual(["RELU"]);
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("problems of a file", () => {
  it("that is no model", () => {
    expect(codes(new Uint8Array(0))).toEqual(["TH1001"]);
    expect(codes(new TextEncoder().encode("not a model at all"))).toEqual(["TH1001"]);
    expect(codes(file().slice(0, 12))).toEqual(["TH1002"]);
  });

  it("of another schema version", () => {
    const bytes = file();
    // The version is the only field of the root table with this value right behind the table's offset.
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const root = view.getUint32(0, true);
    const vtable = root - view.getInt32(root, true);
    const at = root + view.getUint16(vtable + 4, true);
    expect(view.getUint32(at, true)).toBe(3);
    view.setUint32(at, 2, true);
    expect(codes(bytes)).toContain("TH1004");
  });

  it("with an operator that Thimble does not have: its name, version, place and the way out", () => {
    const bytes = file((d) => replaceNode(d, 0, { origin: { index: 0, op: "RELU", version: 1 } }));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    // RELU is builtin 19, in the 8-bit field and in the 32-bit one; WHILE is 119.
    let changed = 0;
    for (let i = 0; i + 4 <= bytes.length; i += 4) {
      if (view.getUint32(i, true) !== 19) continue;
      view.setUint32(i, 119, true);
      changed++;
    }
    expect(changed).toBe(1);
    const [problem] = problems(bytes);
    expect(problem).toMatchObject({ code: "TH2001", where: ["m.tflite", "op 0 WHILE"], found: "WHILE version 1" });
    expect(problem?.fix).toContain("unroll");
  });

  it("with an operator version that is too new", () => {
    const bytes = file((d) => replaceNode(d, 0, { origin: { index: 0, op: "RELU", version: 99 } }));
    expect(problems(bytes)).toMatchObject([{ code: "TH2002", found: "RELU version 99" }]);
  });

  it("all at once, each naming its operator", () => {
    const d = newDraft();
    const x = addTensor(d, "x", [1, 4], { quant: q });
    const a = addTensor(d, "a", [1, 5], { quant: q });
    const b = addTensor(d, "b", [1, 5]);
    const c = addTensor(d, "c", [1, 5], { dtype: "int16" });
    addNode(d, "RELU", [x], [a]);
    addNode(d, "RELU", [a], [b]);
    addNode(d, "ADD", [b, c], [c], { activation: "NONE", potScaleInt16: false });
    const found = problems(exportTflite(toModel(toGraph(d, [x], [c]))));
    expect(found.map((p) => [p.code, p.where[1]])).toEqual(
      expect.arrayContaining([
        ["TH2010", "op 0 RELU"],
        ["TH2006", "op 1 RELU"],
        ["TH2009", "op 2 ADD"],
        ["TH2004", "op 2 ADD"],
      ]),
    );
    for (const p of found) expect(p.fix).not.toBe("");
  });

  it("with a tensor that refers to nothing, is negative, or is badly quantized", () => {
    const negative = file((d, x) => replaceTensor(d, x, { shape: [1, -4] }));
    expect(codes(negative)).toContain("TH1008");
    const scale = file((d, x) => replaceTensor(d, x, { quant: { scales: [-1], zeroPoints: [0], axis: 0 } }));
    expect(codes(scale)).toEqual(["TH1009"]);
    const zero = file((d, x) => replaceTensor(d, x, { quant: { scales: [0.1], zeroPoints: [300], axis: 0 } }));
    expect(codes(zero)).toEqual(["TH1009"]);
    const channels = file((d, x) =>
      replaceTensor(d, x, { quant: { scales: [0.1, 0.2, 0.3], zeroPoints: [0, 0, 0], axis: 1 } }),
    );
    expect(codes(channels)).toEqual(["TH1009"]);
    const huge = file((d, x) => replaceTensor(d, x, { shape: [65536, 65536] }));
    expect(codes(huge)).toContain("TH1010");
  });

  it("with a constant whose buffer is too short", () => {
    const d = newDraft();
    const x = addTensor(d, "x", [1, 4], { dtype: "float32" });
    const w = addTensor(d, "w", [4], { dtype: "float32", data: Float32Array.of(1, 2, 3, 4) });
    const y = addTensor(d, "y", [1, 4], { dtype: "float32" });
    addNode(d, "MUL", [x, w], [y], { activation: "NONE" });
    const bytes = exportTflite(toModel(toGraph(d, [x], [y])));
    const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const length = (n: number): Uint8Array => Uint8Array.from([n, 0, 0, 0, ...data]);
    expect(codes(patched(bytes, length(16), length(12)))).toEqual(["TH1005"]);
  });

  it("that reads a tensor nothing computes, or computes one twice", () => {
    const before = newDraft();
    const x = addTensor(before, "x", [1, 4], { quant: q });
    const y = addTensor(before, "y", [1, 4], { quant: q });
    const z = addTensor(before, "z", [1, 4], { quant: q });
    addNode(before, "RELU", [y], [z]);
    addNode(before, "RELU", [x], [y]);
    addNode(before, "RELU", [y], [z]);
    expect(codes(exportTflite(toModel(toGraph(before, [x], [z]))))).toEqual(["TH2009", "TH2011", "TH2011"]);
  });

  it("that points at the same bytes over and over ends in a diagnostic, quickly", () => {
    const builder = new Builder(1 << 20);
    const shape = writeInt32s(builder, new Array<number>(30000).fill(1));
    const tensor = writeTable(builder, { [slots.tensor.shape]: { kind: "offset", value: shape } });
    const tensors = writeOffsets(builder, new Array<number>(30000).fill(tensor));
    const subgraph = writeTable(builder, { [slots.subgraph.tensors]: { kind: "offset", value: tensors } });
    const subgraphs = writeOffsets(builder, [subgraph]);
    const root = writeTable(builder, {
      [slots.model.version]: { kind: "uint32", value: 3 },
      [slots.model.subgraphs]: { kind: "offset", value: subgraphs },
    });
    builder.finish(root, "TFL3");
    const start = performance.now();
    expect(codes(builder.asUint8Array())).toContain("TH1002");
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("whose words become huge numbers, one after the other", () => {
    const bytes = file();
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const start = performance.now();
    for (let i = 0; i + 4 <= bytes.length; i += 4) {
      const old = view.getUint32(i, true);
      view.setUint32(i, 0x00ffffff, true);
      expect(() => problems(bytes)).not.toThrow();
      view.setUint32(i, old, true);
    }
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

function replaceNode(d: Draft, index: number, change: object): void {
  const node = d.nodes[index];
  if (node) d.nodes[index] = { ...node, ...change } as typeof node;
}
