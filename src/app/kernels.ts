/** Which of the kernels that take a node is used: the fastest, the one with the least flash, one with less scratch. */
import type { TensorId } from "../base/units.js";
import { codeBytesOf, type MeasuredCore, nodeCycles } from "../cost/cycles.js";
import type { Graph, Node } from "../ops/index.js";
import type { Isa } from "../ops/isa.js";
import { callOf, constantBytes, type LoweredNode, type LowerOptions, lower } from "../ops/lower.js";
import type { Kernel } from "../ops/spec.js";
import type { Plan } from "../plan/plan.js";
import type { Objective } from "./compile-options.js";

/** Kernels by the first output of their node; nodes that are not in it get the preferred one. */
export type KernelMap = ReadonlyMap<TensorId, Kernel<object>>;

const keyOf = (node: Node): TensorId => node.outputs[0] as TensorId;

/** Chooses what the map says. */
export const chooserOf =
  (kernels: KernelMap): NonNullable<LowerOptions["choose"]> =>
  ({ node }) =>
    kernels.get(keyOf(node)) ?? null;

/** Each kernel that takes a node, as it would be called. */
function variantsOf(graph: Graph, isa: Isa): ReadonlyMap<TensorId, readonly LoweredNode[]> {
  const first = lower(graph, { isa });
  const counts = first.map((n) => n.kernels());
  const most = Math.max(0, ...counts.map((k) => k.length));
  const columns = Array.from({ length: most }, (_, i) =>
    i === 0 ? first : lower(graph, { isa, choose: ({ node }) => counts[graph.nodes.indexOf(node)]?.[i] ?? null }),
  );
  return new Map(
    first.map((n, at) => {
      const own = columns.slice(0, counts[at]?.length ?? 1).map((nodes) => nodes[at] ?? n);
      return [keyOf(n.node), own] as const;
    }),
  );
}

const symbolOf = (node: LoweredNode): string => callOf(node)?.symbol ?? "";

/** Flash of nodes with the kernels they have: the functions, each once, and what they read. */
function flashOf(nodes: Iterable<LoweredNode>): number {
  let bytes = 0;
  const symbols = new Set<string>();
  for (const node of nodes) {
    bytes += constantBytes(node);
    symbols.add(symbolOf(node));
  }
  return [...symbols].reduce((sum, symbol) => sum + codeBytesOf(symbol), bytes);
}

/**
 * The kernels with the least flash: from the most general ones on, a function is taken for all nodes that it takes wherever
 * that makes the whole smaller.
 */
export function smallestKernels(graph: Graph, isa: Isa): KernelMap {
  const variants = variantsOf(graph, isa);
  let chosen = new Map([...variants].map(([id, own]) => [id, own.at(-1) as LoweredNode] as const));
  const symbols = new Set([...variants.values()].flat().map(symbolOf));
  let bytes = flashOf(chosen.values());
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (const symbol of symbols) {
      const tried = new Map(
        [...chosen].map(([id, n]) => [id, variants.get(id)?.find((v) => symbolOf(v) === symbol) ?? n] as const),
      );
      const triedBytes = flashOf(tried.values());
      if (triedBytes >= bytes) continue;
      [chosen, bytes, isBetter] = [tried, triedBytes, true];
    }
  }
  return new Map([...chosen].map(([id, n]) => [id, n.kernel] as const));
}

/** What part of all cycles a step must take to have its kernel to itself. */
const foldedShare: Readonly<Record<Objective, number>> = { latency: 0, balanced: 0.03, memory: 0.03, size: 1 };

/** The steps whose kernel is compiled for their sizes alone, which is faster but costs its code once more. */
export function foldedSteps(
  nodes: readonly LoweredNode[],
  core: MeasuredCore,
  objective: Objective,
): ReadonlySet<number> {
  const least = foldedShare[objective] * totalCycles(nodes, core);
  return new Set(nodes.flatMap((n, i) => (objective !== "size" && nodeCycles(n, core) >= least ? [i] : [])));
}

/** Cycles of all nodes, by estimate. */
export const totalCycles = (nodes: readonly LoweredNode[], core: MeasuredCore): number =>
  nodes.reduce((sum, n) => sum + nodeCycles(n, core), 0);

const scratchOf = ({ whole, rows }: LoweredNode): number =>
  Math.max(whole?.scratchBytes ?? 0, rows?.call.scratchBytes ?? 0);

/**
 * The kernels of a plan, but where its peak is, those that take the most scratch there replaced by the fastest that take
 * less. Null if there are none.
 */
export function leanerKernels(
  graph: Graph,
  nodes: readonly LoweredNode[],
  plan: Plan,
  { isa, core }: { readonly isa: Isa; readonly core: MeasuredCore },
): KernelMap | null {
  const group = plan.groups.find((g) => g.firstStep <= plan.peakStep && plan.peakStep < g.endStep);
  if (group === undefined) return null;
  const atPeak = nodes.slice(group.firstStep, group.endStep);
  const most = Math.max(0, ...atPeak.map(scratchOf));
  if (most === 0) return null;
  const kernels = new Map(nodes.map((n) => [keyOf(n.node), n.kernel] as const));
  const variants = variantsOf(graph, isa);
  for (const node of atPeak) {
    if (scratchOf(node) < most) continue;
    const lean = (variants.get(keyOf(node.node)) ?? []).filter((v) => scratchOf(v) < most && isByRowsAs(v, node));
    const best = lean.reduce<LoweredNode | null>(
      (a, b) => (a === null || nodeCycles(b, core) < nodeCycles(a, core) ? b : a),
      null,
    );
    if (best === null) return null;
    kernels.set(keyOf(node.node), best.kernel);
  }
  return kernels;
}

/** A kernel that cannot stream where another does would cost more memory than scratch. */
const isByRowsAs = (variant: LoweredNode, node: LoweredNode): boolean => node.rows === null || variant.rows !== null;
