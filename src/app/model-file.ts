import { createHash } from "node:crypto";
import { fail } from "../base/diagnostics.js";
import { importText } from "../formats/text.js";
import { exportTflite } from "../formats/tflite/export.js";
import { importTflite } from "../formats/tflite/import.js";
import { printGraph } from "../ir/print.js";
import { type Graph, type Model, specOf } from "../ops/index.js";

/** Ends of file names: TensorFlow Lite's, and that of Thimble's own text form, for operators which the first does not have. */
export type ModelFormat = "tflite" | "thimble";

/** A model and the file that users get of it. */
export interface ModelFile {
  readonly model: Model;
  readonly file: Uint8Array;
  readonly format: ModelFormat;
}

/** The format that a graph is written in. */
export const formatOf = (graph: Graph): ModelFormat =>
  graph.nodes.every((node) => specOf(node).tflite !== "none") ? "tflite" : "thimble";

/** A graph as a file, and as the model that is read from it. */
export function fileOf(graph: Graph, name: string): ModelFile {
  const format = formatOf(graph);
  if (format === "tflite") {
    const file = exportTflite({ main: graph, subgraphs: [] });
    return { file, format, model: importTflite(file, name, `${name}.tflite`) };
  }
  const text = printGraph(graph);
  return { file: new TextEncoder().encode(text), format, model: importText(text, name, `${name}.thimble`) };
}

export const sha256Of = (file: Uint8Array): string => createHash("sha256").update(file).digest("hex");

/** Throws TH1012 for a path that promises TensorFlow Lite's format where a graph cannot be written in it. */
export function checkFormat(graph: Graph, path: string): void {
  if (!path.toLowerCase().endsWith(".tflite") || formatOf(graph) === "tflite") return;
  const names = new Set(graph.nodes.filter((node) => specOf(node).tflite === "none").map((node) => node.op));
  fail("TH1012", {
    where: [path],
    found: [...names].join(", "),
    expected: "operators that TensorFlow Lite has",
    fix: "name the file .thimble: that is Thimble's own text form, which every command reads",
  });
}
