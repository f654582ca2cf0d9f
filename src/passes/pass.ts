import type { Graph, Model } from "../ops/index.js";

/** What a pass may consult besides the graph. */
export interface PassContext {
  /** Subgraphs that CALL_ONCE refers to. */
  readonly subgraphs: Model["subgraphs"];
}

/** A pure function from graph to graph. Rewritten nodes keep the origin of the operator they stand for. */
export interface Pass {
  readonly name: string;
  readonly run: (graph: Graph, context: PassContext) => Graph;
}
