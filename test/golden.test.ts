import { describe, expect, it } from "vitest";
import { generateModel } from "../src/codegen/model.js";
import { perTensor } from "../src/ir/graph.js";
import { printGraph } from "../src/ir/print.js";
import { lower } from "../src/ops/lower.js";
import { runPipeline } from "../src/passes/pipeline.js";
import { planLayers } from "../src/plan/planner.js";
import { addNode, addTensor, type Draft, newDraft, toGraph, toModel } from "./graphs.js";

// What is generated for one small network of each kind, to be read in the diff: `npx vitest run test/golden -u` rewrites it.

type Kind = "int8" | "int16" | "float32";

function weights(d: Draft, kind: Kind): { w: number; b: number } {
  const shape = [2, 1, 1, 2];
  if (kind === "float32") {
    return {
      w: addTensor(d, "w", shape, { dtype: "float32", data: Float32Array.of(0.5, -1.25, 0.1, 3) }),
      b: addTensor(d, "b", [2], { dtype: "float32", data: Float32Array.of(0, 1e-7) }),
    };
  }
  const w = addTensor(d, "w", shape, {
    quant: { scales: [0.02, 0.03].map(Math.fround), zeroPoints: [0, 0], axis: 0 },
    data: Int8Array.of(5, -7, 127, -127),
  });
  const b =
    kind === "int8"
      ? addTensor(d, "b", [2], { dtype: "int32", data: Int32Array.of(100, -200) })
      : addTensor(d, "b", [2], { dtype: "int64", data: BigInt64Array.of(100n, -200n) });
  return { w, b };
}

/** Pad, pointwise convolution, activation, and a flattened copy of the result. */
function network(kind: Kind) {
  const d = newDraft();
  const quant = kind === "float32" ? null : perTensor(0.05, kind === "int8" ? -3 : 0);
  const options = { dtype: kind, quant };
  const input = addTensor(d, "image", [1, 2, 3, 2], options);
  const amounts = addTensor(d, "amounts", [4, 2], { dtype: "int32", data: Int32Array.of(0, 0, 1, 0, 0, 1, 0, 0) });
  const padded = addTensor(d, "padded", [1, 3, 4, 2], options);
  const { w, b } = weights(d, kind);
  const conv = addTensor(d, "conv", [1, 3, 4, 2], options);
  const relu = addTensor(d, "relu", [1, 3, 4, 2], options);
  const flat = addTensor(d, "flat", [1, 24], options);
  addNode(d, "PAD", [input, amounts], [padded]);
  addNode(d, "CONV_2D", [padded, w as never, b as never], [conv], {
    padding: "VALID",
    stride: [1, 1],
    dilation: [1, 1],
    activation: "NONE",
  });
  addNode(d, "RELU", [conv], [relu], {});
  addNode(d, "RESHAPE", [relu], [flat], { shape: [1, 24] });
  return toGraph(d, [input], [flat]);
}

/** The version is in every file's head; a release should not change the goldens. */
const stable = (text: string): string => text.replace(/thimble \d+\.\d+\.\d+/, "thimble VERSION");

describe("generated text", () => {
  for (const kind of ["int8", "int16", "float32"] as const) {
    it(`of a small ${kind} network`, async () => {
      const graph = runPipeline(toModel(network(kind)), { check: "each" });
      await expect(printGraph(graph)).toMatchFileSnapshot(`golden/${kind}.graph.txt`);
      const nodes = lower(graph);
      const { files } = generateModel({
        name: "small",
        graph,
        nodes,
        plan: planLayers(graph, nodes),
        sha256: "0".repeat(64),
        commandLine: "thimble build small.tflite",
      });
      await expect(stable(files.get("small.c") ?? "")).toMatchFileSnapshot(`golden/${kind}.model.c`);
      await expect(stable(files.get("small.h") ?? "")).toMatchFileSnapshot(`golden/${kind}.model.h`);
    });
  }
});
