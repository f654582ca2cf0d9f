import { createHash } from "node:crypto";
import { DiagnosticError, DiagnosticSink } from "../base/diagnostics.js";
import { originName } from "../ir/graph.js";
import { parseGraph } from "../ir/parse.js";
import { checkGraph } from "../ops/check-graph.js";
import { findOp, type Graph, type Model } from "../ops/index.js";

/** Reads the text form of a graph and checks it as an importer does. Throws all problems at once. */
export function importText(text: string, name: string, file = `${name}.txt`): Model {
  const parsed = parseGraph(text, file);
  const sink = new DiagnosticSink();
  for (const node of parsed.nodes) {
    if (findOp(node.op) === undefined)
      sink.report("TH2001", {
        where: [file, originName(node.origin)],
        found: node.op,
        fix: "use one that `thimble operators` lists",
      });
  }
  if (sink.hasErrors) throw new DiagnosticError(sink.all);
  const main = checkGraph(parsed as Graph, sink, [file]);
  if (main.nodes.length === 0 || main.outputs.length === 0)
    sink.report("TH1011", { where: [file], fix: "give the graph a node and an output" });
  sink.throwIfErrors();
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { name, sha256, format: "text", fileBytes: text.length, main: { ...main, name }, subgraphs: [] };
}
