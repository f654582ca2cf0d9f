import { describe, expect, it } from "vitest";
import { addNode, addTensor, newDraft, toGraph, toModel } from "../../test/graphs.js";
import { perTensor } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { testInputs } from "../run/inputs.js";
import { createSession } from "../run/interpreter.js";
import { runPipeline } from "./pipeline.js";

const q = perTensor(0.1, -5);
const ops = (graph: Graph): readonly string[] => graph.nodes.map((n) => n.op);
const outputs = (graph: Graph) =>
  [0, 1].map((run) => createSession({ main: graph, subgraphs: [] }).invoke(testInputs(graph, run)));

/** Runs all passes with checks, and sees that the results stay the same. */
function optimized(graph: Graph): Graph {
  const after = runPipeline(toModel(graph), { check: "each" });
  expect(outputs(after)).toEqual(outputs(graph));
  return after;
}

/** input -> [PAD] -> CONV_2D -> [activation] -> output. */
function convolution(options: {
  pad?: boolean;
  relu?: "RELU" | "RELU6";
  shared?: boolean;
  padValue?: "same" | "other";
}): Graph {
  const d = newDraft();
  const input = addTensor(d, "x", [1, 4, 4, 2], { quant: q });
  let source = input;
  if (options.pad) {
    const amounts = addTensor(d, "amounts", [4, 2], { dtype: "int32", data: Int32Array.of(0, 0, 1, 0, 0, 1, 0, 0) });
    source = addTensor(d, "padded", [1, 5, 5, 2], { quant: q });
    addNode(d, "PAD", [input, amounts], [source]);
  }
  const size = options.pad ? 3 : 2;
  const weights = addTensor(d, "w", [3, 3, 3, 2], {
    quant: perTensor(0.02),
    data: Int8Array.from({ length: 54 }, (_, i) => ((i * 37) % 255) - 127),
  });
  const conv = addTensor(d, "conv", [1, size, size, 3], { quant: q });
  addNode(d, "CONV_2D", [source, weights, null], [conv], {
    padding: "VALID",
    stride: [1, 1],
    dilation: [1, 1],
    activation: "NONE",
  });
  const result = options.relu ? addTensor(d, "relu", [1, size, size, 3], { quant: q }) : conv;
  if (options.relu) addNode(d, options.relu, [conv], [result]);
  return toGraph(d, [input], options.shared ? [result, conv] : [result]);
}

describe("fusing", () => {
  it("puts zero padding into the convolution", () => {
    const after = optimized(convolution({ pad: true }));
    expect(ops(after)).toEqual(["CONV_2D"]);
    expect(after.nodes[0]?.attrs).toMatchObject({ padding: [1, 0, 0, 1] });
  });

  it("puts an activation into the convolution, exactly", () => {
    for (const relu of ["RELU", "RELU6"] as const) {
      const after = optimized(convolution({ relu }));
      expect(ops(after)).toEqual(["CONV_2D"]);
      expect(after.nodes[0]?.attrs).toMatchObject({ activation: relu });
    }
  });

  it("leaves an activation after an operator that has the option in files but no kernel for it", () => {
    const d = newDraft();
    const input = addTensor(d, "x", [1, 4], { quant: q });
    const twice = addTensor(d, "twice", [1, 8], { quant: q });
    const result = addTensor(d, "y", [1, 8], { quant: q });
    addNode(d, "CONCATENATION", [input, input], [twice], { axis: 1, activation: "NONE" });
    addNode(d, "RELU", [twice], [result]);
    expect(ops(optimized(toGraph(d, [input], [result])))).toEqual(["CONCATENATION", "RELU"]);
  });

  it("leaves an activation whose input is needed elsewhere", () => {
    expect(ops(optimized(convolution({ relu: "RELU", shared: true })))).toEqual(["CONV_2D", "RELU"]);
  });
});

describe("simplifying", () => {
  it("removes operators that change nothing and merges views", () => {
    const d = newDraft();
    const input = addTensor(d, "x", [1, 2, 3, 4], { quant: q });
    const same = addTensor(d, "same", [1, 2, 3, 4], { quant: q });
    const flat = addTensor(d, "flat", [24], { quant: q });
    const square = addTensor(d, "square", [1, 6, 4], { quant: q });
    const turned = addTensor(d, "turned", [6, 1, 4], { quant: q });
    const result = addTensor(d, "y", [6, 1, 4], { quant: q });
    const order = addTensor(d, "order", [3], { dtype: "int32", data: Int32Array.of(1, 0, 2) });
    addNode(d, "RESHAPE", [input], [same], { shape: [1, 2, 3, 4] });
    addNode(d, "RESHAPE", [same], [flat], { shape: [24] });
    addNode(d, "RESHAPE", [flat], [square], { shape: [1, 6, 4] });
    addNode(d, "TRANSPOSE", [square, order], [turned]);
    addNode(d, "RELU", [turned], [result]);
    expect(ops(optimized(toGraph(d, [input], [result])))).toEqual(["RESHAPE", "RELU"]);
  });

  it("keeps a transpose that moves elements", () => {
    const d = newDraft();
    const input = addTensor(d, "x", [2, 3], { quant: q });
    const order = addTensor(d, "order", [2], { dtype: "int32", data: Int32Array.of(1, 0) });
    const output = addTensor(d, "y", [3, 2], { quant: q });
    addNode(d, "TRANSPOSE", [input, order], [output]);
    expect(ops(optimized(toGraph(d, [input], [output])))).toEqual(["TRANSPOSE"]);
  });

  it("keeps an identity whose output the model must compute", () => {
    const d = newDraft();
    const input = addTensor(d, "x", [2, 3], { quant: q });
    const output = addTensor(d, "y", [2, 3], { quant: q });
    addNode(d, "RESHAPE", [input], [output], { shape: [2, 3] });
    expect(ops(optimized(toGraph(d, [input], [output])))).toEqual(["RESHAPE"]);
  });
});

describe("folding and dead code", () => {
  it("evaluates constants and drops what nothing uses", () => {
    const d = newDraft();
    const input = addTensor(d, "x", [3], { dtype: "float32" });
    const half = addTensor(d, "half", [3], { dtype: "float16", data: Uint16Array.of(0x3c00, 0xc000, 0x3555) });
    const real = addTensor(d, "real", [3], { dtype: "float32" });
    const unused = addTensor(d, "unused", [3], { dtype: "float32" });
    const output = addTensor(d, "y", [3], { dtype: "float32" });
    addNode(d, "DEQUANTIZE", [half], [real]);
    addNode(d, "RELU", [input], [unused]);
    addNode(d, "MUL", [input, real], [output], { activation: "NONE" });
    const after = optimized(toGraph(d, [input], [output]));
    expect(ops(after)).toEqual(["MUL"]);
    expect(Array.from(after.tensors.get(real)?.data as Float32Array)).toEqual([1, -2, 0.333251953125]);
    expect(after.tensors.has(unused)).toBe(false);
  });
});

describe("float edges", () => {
  it("are dropped when asked, and the quantized ports give the same values", () => {
    const d = newDraft();
    const input = addTensor(d, "x", [4], { dtype: "float32" });
    const a = addTensor(d, "a", [4], { quant: q });
    const b = addTensor(d, "b", [4], { quant: q });
    const output = addTensor(d, "y", [4], { dtype: "float32" });
    addNode(d, "QUANTIZE", [input], [a]);
    addNode(d, "RELU", [a], [b]);
    addNode(d, "DEQUANTIZE", [b], [output]);
    const graph = toGraph(d, [input], [output]);
    const after = runPipeline(toModel(graph), { floatEdges: "drop", check: "each" });
    expect(ops(after)).toEqual(["RELU"]);
    expect([after.inputs, after.outputs]).toEqual([[a], [b]]);
    expect(ops(runPipeline(toModel(graph)))).toEqual(["QUANTIZE", "RELU", "DEQUANTIZE"]);
  });
});

describe("open batch sizes", () => {
  it("SHAPE, STRIDED_SLICE and PACK before a RESHAPE fold away", () => {
    const d = newDraft();
    const vector = (name: string, ...values: number[]) =>
      addTensor(d, name, [values.length], { dtype: "int32", data: Int32Array.from(values) });
    const input = addTensor(d, "x", [1, 2, 3, 4], { quant: q });
    const sizes = addTensor(d, "sizes", [4], { dtype: "int32" });
    const batch = addTensor(d, "batch", [], { dtype: "int32" });
    const features = addTensor(d, "features", [], { dtype: "int32", data: Int32Array.of(24) });
    const wanted = addTensor(d, "wanted", [2], { dtype: "int32" });
    const flat = addTensor(d, "flat", [1, 24], { quant: q });
    const output = addTensor(d, "y", [1, 24], { quant: q });
    const slice = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 1, offset: false };
    addNode(d, "SHAPE", [input], [sizes], { dtype: "int32" });
    addNode(d, "STRIDED_SLICE", [sizes, vector("begin", 0), vector("end", 1), vector("step", 1)], [batch], slice);
    addNode(d, "PACK", [batch, features], [wanted], { count: 2, axis: 0 });
    addNode(d, "RESHAPE", [input, wanted], [flat], { shape: [] });
    addNode(d, "RELU", [flat], [output]);
    const after = optimized(toGraph(d, [input], [output]));
    expect(ops(after)).toEqual(["RESHAPE", "RELU"]);
  });
});
