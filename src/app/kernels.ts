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

/** Each kernel that takes a node, as it would be called, by the node's first output. */
export type Variants = ReadonlyMap<TensorId, readonly LoweredNode[]>;

export function variantsOf(graph: Graph, isa: Isa): Variants {
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

/**
 * What part of all cycles a step must take to have its kernel to itself. Portable kernels gain a fifth by it, those in
 * assembly some percent around their loops.
 */
const foldedShare = (kernel: Kernel<object>): number => (kernel.isa === undefined ? 0.03 : 0.1);

/** The steps whose kernel is compiled for their sizes alone, which is faster but costs its code once more. */
export function foldedSteps(
  nodes: readonly LoweredNode[],
  core: MeasuredCore,
  objective: Objective,
): ReadonlySet<number> {
  if (objective === "size") return new Set();
  const all = totalCycles(nodes, core);
  const isWorth = (n: LoweredNode): boolean => nodeCycles(n, core) >= foldedShare(n.kernel) * all;
  return new Set(nodes.flatMap((n, i) => (objective === "latency" || isWorth(n) ? [i] : [])));
}

/** Cycles of a row's turn in a schedule besides its kernel: the loop, the call, the row pointers. Measured on a Cortex-M4. */
export const cyclesPerFiring = 80;

/** Cycles of a plan, by estimate: kernels, and the schedules of groups that stream. */
export function planCycles(nodes: readonly LoweredNode[], plan: Plan, core: MeasuredCore): number {
  const firings = plan.groups.reduce((sum, g) => sum + (g.order?.length ?? 0), 0);
  return nodes.reduce((sum, node, i) => {
    const step = plan.steps[i];
    if (step === undefined || step.mode === "view") return sum;
    const streams = (plan.groups[step.group]?.order ?? null) !== null;
    return sum + nodeCycles(node, core, streams || node.whole === null);
  }, firings * cyclesPerFiring);
}

/** Cycles of all nodes, by estimate. */
const totalCycles = (nodes: readonly LoweredNode[], core: MeasuredCore): number =>
  nodes.reduce((sum, n) => sum + nodeCycles(n, core), 0);

const scratchOf = ({ whole, rows }: LoweredNode): number =>
  Math.max(whole?.scratchBytes ?? 0, rows?.call.scratchBytes ?? 0);

/** The most scratch that any kernel takes. */
export const mostScratch = (nodes: readonly LoweredNode[]): number => Math.max(0, ...nodes.map(scratchOf));

/** How many limits of scratch are tried at most. */
const mostLimits = 10;

/** Limits of scratch that make a difference, from the largest on; all kernels keep to the first. */
function scratchLimits(variants: Variants): readonly number[] {
  const sizes = [...new Set([...variants.values()].flat().map(scratchOf))].sort((a, b) => b - a);
  const step = Math.max(1, sizes.length / mostLimits);
  return [...new Set(Array.from({ length: mostLimits }, (_, i) => sizes[Math.round((i + 1) * step)] ?? 0))];
}

/** The fastest kernels that keep to a limit of scratch, or, where none does, those with the least. */
function kernelsWithin(variants: Variants, limit: number, core: MeasuredCore): KernelMap {
  return new Map(
    [...variants].map(([id, own]) => {
      const streams = own.filter(isByRowsAs(own[0] as LoweredNode));
      const least = Math.min(...streams.map(scratchOf));
      const fitting = streams.filter((n) => scratchOf(n) <= Math.max(limit, least));
      const fastest = fitting.reduce((a, b) => (nodeCycles(b, core) < nodeCycles(a, core) ? b : a));
      return [id, fastest.kernel] as const;
    }),
  );
}

/** A kernel that cannot stream where the preferred one does would cost more memory than scratch. */
const isByRowsAs =
  (preferred: LoweredNode) =>
  (variant: LoweredNode): boolean =>
    preferred.rows === null || variant.rows !== null;

/** Kernels with ever less scratch, to try where RAM is short. */
export const leanerKernels = (variants: Variants, core: MeasuredCore): readonly KernelMap[] =>
  scratchLimits(variants).map((limit) => kernelsWithin(variants, limit, core));

/** The nodes that run at a plan's peak. */
function nodesAtPeak(nodes: readonly LoweredNode[], plan: Plan): readonly LoweredNode[] {
  const group = plan.groups.find((g) => g.firstStep <= plan.peakStep && plan.peakStep < g.endStep);
  return group === undefined ? [] : nodes.slice(group.firstStep, group.endStep);
}

/** The most scratch of a kernel there. */
export const scratchAtPeak = (nodes: readonly LoweredNode[], plan: Plan): number =>
  mostScratch(nodesAtPeak(nodes, plan));

/**
 * The kernels of a plan, but where its peak is, those that take the most scratch there replaced by the fastest that take
 * less. Null if there are none.
 */
export function kernelsBelowPeak(
  { nodes, plan }: { readonly nodes: readonly LoweredNode[]; readonly plan: Plan },
  variants: Variants,
  core: MeasuredCore,
): KernelMap | null {
  const atPeak = nodesAtPeak(nodes, plan);
  const most = scratchAtPeak(nodes, plan);
  const kernels = new Map(nodes.map((n) => [keyOf(n.node), n.kernel] as const));
  const heavy = atPeak.filter((n) => most > 0 && scratchOf(n) === most);
  for (const node of heavy) {
    const lean = (variants.get(keyOf(node.node)) ?? []).filter((v) => scratchOf(v) < most && isByRowsAs(node)(v));
    if (lean.length === 0) return null;
    const best = lean.reduce((a, b) => (nodeCycles(b, core) < nodeCycles(a, core) ? b : a));
    kernels.set(keyOf(node.node), best.kernel);
  }
  return heavy.length === 0 ? null : kernels;
}

/** Cycles of all nodes with given kernels, computed by rows. */
export const cyclesWith = (variants: Variants, kernels: KernelMap, core: MeasuredCore): number =>
  [...variants].reduce((sum, [id, own]) => {
    const node = own.find((v) => v.kernel === kernels.get(id)) ?? own[0];
    return sum + (node === undefined ? 0 : nodeCycles(node, core));
  }, 0);
