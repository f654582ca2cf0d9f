import { fail } from "../base/diagnostics.js";
import { type NodeView, originName, viewOf } from "../ir/graph.js";
import { matchesTypes } from "./check.js";
import { type AnyOp, type Graph, type Node, specOf } from "./index.js";
import type { Kernel, KernelCall } from "./spec.js";

/** A node with the kernel that will compute it. Planning needs its scratch, code generation the rest. */
export interface LoweredNode {
  readonly node: Node;
  readonly spec: AnyOp;
  readonly view: NodeView<object>;
  readonly kernel: Kernel<object>;
  readonly call: KernelCall;
}

/** The first kernel of the operator that takes the node, or undefined. */
const kernelFor = (spec: AnyOp, view: NodeView<object>): Kernel<object> | undefined =>
  spec.kernels.find((k) => matchesTypes(view, k.types) && (k.matches?.(view) ?? true));

/** Chooses a kernel for every node; throws TH4001 naming the first node that none takes. */
export function lower(graph: Graph): readonly LoweredNode[] {
  return graph.nodes.map((node) => {
    const spec = specOf(node);
    const view = viewOf(graph, node) as NodeView<object>;
    const kernel = kernelFor(spec, view);
    if (kernel === undefined) {
      fail("TH4001", {
        where: [graph.name, originName(node.origin)],
        found: view.inputs.map((t) => t?.dtype ?? "none").join(", "),
        fix: "use a type combination of those that `thimble operators` lists, or run constant folding first",
      });
    }
    return { node, spec, view, kernel, call: kernel.call(view) };
  });
}
