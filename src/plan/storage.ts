import { elementsOf } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import { mayAlias, tensorBytes } from "./tensors.js";

/** Tensors that share bytes: views of each other, and results computed in place. */
export interface Storage {
  readonly tensors: TensorId[];
  bytes: number;
  firstStep: number;
  lastStep: number;
  readonly kind: "input" | "output" | "activation" | "state";
}

/** How a node's first output gets its storage. */
export type Sharing =
  | { readonly kind: "own" }
  | { readonly kind: "view" }
  | { readonly kind: "inPlace"; readonly input: number };

export interface StorageMap {
  readonly of: ReadonlyMap<TensorId, Storage>;
  /** For each node, in order. */
  readonly sharing: readonly Sharing[];
}

/** The last step that reads each tensor; Infinity for outputs of the graph. */
function lastReads(graph: Graph): ReadonlyMap<TensorId, number> {
  const last = new Map<TensorId, number>();
  graph.nodes.forEach((node, step) => {
    for (const id of node.inputs) if (id !== null) last.set(id, step);
  });
  for (const id of graph.outputs) last.set(id, Infinity);
  return last;
}

/** An output may take over an input that dies here, if elements are read before they are overwritten. */
function inPlaceInput(
  lowered: LoweredNode,
  storages: ReadonlyMap<TensorId, Storage>,
  dies: (s: Storage) => boolean,
): number | null {
  const output = lowered.view.outputs[0];
  if (output === undefined || lowered.view.outputs.length > 1) return null;
  for (const index of lowered.spec.traits.inPlace) {
    const input = lowered.view.inputs[index];
    const storage = input && storages.get(input.id);
    if (!input || !storage || storage.kind === "state" || !dies(storage)) continue;
    // The same storage must not feed another input in another role.
    const again = lowered.node.inputs.some((id, i) => i !== index && id !== null && storages.get(id) === storage);
    if (again || !mayAlias(input, output) || elementsOf(input.shape) !== elementsOf(output.shape)) continue;
    if (tensorBytes(output) <= tensorBytes(input)) return index;
  }
  return null;
}

/**
 * Decides which tensors share storage, and from which step to which each storage is alive.
 * @param canShare false keeps every tensor apart, for tests that watch for stray writes
 */
export function mapStorage(graph: Graph, nodes: readonly LoweredNode[], mode: "share" | "separate"): StorageMap {
  const of = new Map<TensorId, Storage>();
  const last = lastReads(graph);
  const end = Math.max(nodes.length - 1, 0);
  const add = (tensor: Tensor, kind: Storage["kind"], firstStep: number): void => {
    if (tensor.data !== null && kind !== "state" && kind !== "output") return;
    if (of.has(tensor.id) || tensor.dtype === "resource") return;
    const lastStep = kind === "state" ? end : Math.min(last.get(tensor.id) ?? firstStep, end);
    of.set(tensor.id, {
      tensors: [tensor.id],
      bytes: tensorBytes(tensor),
      firstStep: kind === "state" ? 0 : firstStep,
      lastStep,
      kind,
    });
  };
  for (const tensor of graph.tensors.values()) if (tensor.variable) add(tensor, "state", 0);
  for (const id of graph.inputs) add(tensorOf(graph, id), "input", 0);
  // A constant output is copied into the arena once, by the initialisation.
  for (const id of graph.outputs) if (tensorOf(graph, id).data !== null) add(tensorOf(graph, id), "output", 0);

  const sharing = nodes.map((lowered, step): Sharing => {
    const dies = (s: Storage): boolean => s.lastStep <= step;
    const [first] = lowered.view.outputs;
    let shared: Sharing = { kind: "own" };
    let into: Storage | undefined;
    if (mode === "share" && first !== undefined) {
      const source = lowered.view.inputs[0];
      const storage = source && of.get(source.id);
      if (lowered.spec.traits.view && storage && storage.kind !== "state" && storage.bytes >= tensorBytes(first)) {
        shared = { kind: "view" };
        into = storage;
      } else {
        const input = inPlaceInput(lowered, of, dies);
        const tensor = input === null ? null : lowered.view.inputs[input];
        if (input !== null && tensor) {
          shared = { kind: "inPlace", input };
          into = of.get(tensor.id);
        }
      }
    }
    if (into !== undefined && first !== undefined) {
      into.tensors.push(first.id);
      into.lastStep = Math.max(into.lastStep, Math.min(last.get(first.id) ?? step, end));
      of.set(first.id, into);
    }
    for (const tensor of lowered.view.outputs) {
      add(tensor, graph.outputs.includes(tensor.id) ? "output" : "activation", step);
    }
    return shared;
  });
  return { of, sharing };
}
