import { present } from "../base/assert.js";
import { bytesOf, elementsOf } from "../base/dtype.js";
import { alignUp, type TensorId } from "../base/units.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import type { LoweredNode } from "../ops/lower.js";
import { assignOffsets, type Overlap } from "./offsets.js";
import { overlapDistance } from "./overlap.js";
import type { Buffer, Plan, Step } from "./plan.js";
import { mapStorage, type Storage, type StorageMap } from "./storage.js";
import { verifyPlan } from "./verifier.js";

export interface PlanOptions {
  /** Unused bytes between buffers and no sharing of storage, so that stray writes can be found; default 0. */
  readonly guardBytes?: number;
}

/** Every buffer starts at a multiple of this, so that kernels may load words. */
const bufferAlignment = 4;
const arenaAlignment = 16;

type Unplaced = Omit<Buffer, "offset" | "id">;

/** A step's output that may begin below the end of one of its inputs, and where. */
interface StepOverlap extends Overlap {
  readonly step: number;
}

/** The overlaps that each step allows between its output and the inputs that die with it. */
function stepOverlaps(
  nodes: readonly LoweredNode[],
  map: StorageMap,
  buffers: ReadonlyMap<Storage, number>,
): readonly StepOverlap[] {
  return nodes.flatMap((lowered, step) => {
    const output = lowered.view.outputs[0];
    const lower = output && map.of.get(output.id);
    if (lower === undefined || map.sharing[step]?.kind !== "own" || lower.firstStep !== step) return [];
    const byStorage = new Map<Storage, number | null>();
    lowered.node.inputs.forEach((id, index) => {
      const upper = id === null ? undefined : map.of.get(id);
      if (upper === undefined || upper === lower || upper.kind === "state" || upper.lastStep !== step) return;
      const distance = overlapDistance(lowered, index);
      const known = byStorage.get(upper);
      // A storage that is read twice must allow it both times.
      const both = distance === null || known === null ? null : Math.max(distance, known ?? 0);
      byStorage.set(upper, both);
    });
    return [...byStorage].flatMap(([upper, distance]) =>
      distance === null
        ? []
        : [
            {
              step,
              lower: present(buffers.get(lower), "buffer"),
              upper: present(buffers.get(upper), "buffer"),
              distance,
            },
          ],
    );
  });
}

/** Bytes that are alive at a step: all buffers, less what the step's best overlap saves. */
function liveBytesAt(step: number, buffers: readonly Buffer[], overlaps: readonly StepOverlap[]): number {
  const live = buffers.reduce((sum, b) => (b.firstStep <= step && step <= b.lastStep ? sum + b.bytes : sum), 0);
  const saved = overlaps
    .filter((o) => o.step === step)
    .map(({ lower, upper, distance }) => {
      const [out, input] = [buffers[lower]?.bytes ?? 0, buffers[upper]?.bytes ?? 0];
      return out + input - Math.max(out, distance + input);
    });
  return live - Math.max(0, ...saved);
}

function storageBuffer(graph: Graph, storage: Storage): Unplaced {
  const tensor = tensorOf(graph, present(storage.tensors[0], "tensor of storage"));
  const rows = tensor.shape.length === 4 ? present(tensor.shape[1], "height") : 1;
  return {
    kind:
      storage.kind === "activation" && storage.tensors.some((id) => graph.outputs.includes(id))
        ? "output"
        : storage.kind,
    tensors: storage.tensors,
    variable: null,
    name: tensor.name,
    bytes: storage.bytes,
    rows,
    rowBytes: rows === 0 ? 0 : storage.bytes / rows,
    alignment: Math.max(bufferAlignment, ...storage.tensors.map((id) => bytesOf(tensorOf(graph, id).dtype, 1))),
    firstStep: storage.firstStep,
    lastStep: storage.lastStep,
  };
}

/** Plans execution one node at a time in the graph's order; the result is verified by replay before it is returned. */
export function planLayers(graph: Graph, nodes: readonly LoweredNode[], options: PlanOptions = {}): Plan {
  const guardBytes = options.guardBytes ?? 0;
  const storage = mapStorage(graph, nodes, guardBytes > 0 ? "separate" : "share");
  const end = Math.max(nodes.length - 1, 0);
  const storages = [...new Set(storage.of.values())];
  const unplaced: Unplaced[] = storages.map((s) => storageBuffer(graph, s));
  const overlaps = guardBytes > 0 ? [] : stepOverlaps(nodes, storage, new Map(storages.map((s, i) => [s, i])));
  for (const v of graph.variables) {
    const bytes = bytesOf(v.dtype, elementsOf(v.shape));
    unplaced.push({
      kind: "state",
      tensors: [],
      variable: v.name,
      name: v.name,
      bytes,
      rows: 1,
      rowBytes: bytes,
      alignment: 8,
      firstStep: 0,
      lastStep: end,
    });
  }
  const scratchOf = nodes.map((lowered, step): number | null => {
    const bytes = lowered.call.scratchBytes;
    const elided = storage.sharing[step]?.kind === "view";
    if (bytes === 0 || elided) return null;
    unplaced.push({
      kind: "scratch",
      tensors: [],
      variable: null,
      name: `scratch of ${lowered.node.op}`,
      bytes,
      rows: 1,
      rowBytes: bytes,
      alignment: 8,
      firstStep: step,
      lastStep: step,
    });
    return unplaced.length - 1;
  });

  const placement = assignOffsets({ requests: unplaced, overlaps, guardBytes });
  const buffers = unplaced.map((b, id): Buffer => ({ ...b, id, offset: present(placement.offsets[id], "offset") }));
  const bufferOf = new Map<TensorId, Buffer>(buffers.flatMap((b) => b.tensors.map((id) => [id, b] as const)));
  const steps = nodes.map((lowered, index): Step => {
    const sharing = storage.sharing[index];
    const output = lowered.view.outputs[0];
    return {
      index,
      node: index,
      firstRow: 0,
      endRow: output && output.shape.length === 4 ? present(output.shape[1], "height") : 1,
      scratch: scratchOf[index] ?? null,
      elided: sharing?.kind === "view",
      inPlaceInput: sharing?.kind === "inPlace" ? sharing.input : null,
    };
  });
  const liveBytes = steps.map((s) => liveBytesAt(s.index, buffers, overlaps));
  const arenaBytes = alignUp(placement.extent === Infinity ? 0 : placement.extent, bufferAlignment);
  const plan: Plan = {
    strategy: "layers",
    steps,
    buffers,
    bufferOf,
    bufferOfVariable: new Map(buffers.flatMap((b) => (b.variable === null ? [] : [[b.variable, b] as const]))),
    arenaBytes,
    arenaAlignment,
    peakBytes: arenaBytes,
    peakStep: liveBytes.reduce((best, live, i) => (live > (liveBytes[best] ?? 0) ? i : best), 0),
    liveBytes,
    recomputedMacs: 0,
  };
  verifyPlan(graph, nodes, plan);
  return plan;
}
