import { elementsOf } from "../../base/dtype.js";
import type { Board } from "../../boards/board.js";
import { type BoardFit, fitBoard } from "../../boards/fit.js";
import { type Tensor, tensorOf } from "../../ir/graph.js";
import { constantBytes, type LoweredNode, passedConstants } from "../../ops/lower.js";
import type { RemovedChannels } from "../../passes/dead-channels.js";
import type { Buffer, BufferKind, PlanRegion } from "../../plan/plan.js";
import { tensorBytes } from "../../plan/tensors.js";
import type { PlannedModel } from "../compile.js";
import { type Latency, latencyOf } from "../latency.js";
import { type IncrementalReport, incrementalReport } from "./incremental.js";
import { bytesOfAll, distinct, type LayerReport, layerReports, learnedConstants, parameterBytes } from "./layers.js";

/** Layers that run together. */
export interface GroupReport {
  readonly firstLayer: number;
  readonly lastLayer: number;
  /** True if they stream rows to each other; false for a layer on its own. */
  readonly streams: boolean;
  /** The most bytes alive while they run, and while the same layers run one after the other. */
  readonly liveBytes: number;
  readonly layersLiveBytes: number;
}

/** A buffer of an arena, alive from `firstStep` to `lastStep`, both included. */
export interface BufferReport {
  readonly tensor: string;
  readonly kind: BufferKind;
  /** The arena: an index into the plan's regions. */
  readonly region: number;
  readonly offset: number;
  readonly bytes: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

export interface PortReport {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly scale: number | null;
  readonly zeroPoint: number | null;
}

/** What `thimble inspect --json` prints; version 1. */
export interface InspectReport {
  readonly schemaVersion: 1;
  readonly model: {
    readonly name: string;
    readonly sha256: string;
    readonly format: string;
    readonly fileBytes: number;
  };
  readonly totals: {
    readonly macs: number;
    readonly parameters: number;
    readonly weightsBytes: number;
    /** Weights and biases as kernels read them, multipliers, tables. */
    readonly constantsBytes: number;
    /** Constants and parameters of kernels; the linked image after a build. */
    readonly flashBytes: number;
    /** Every byte of RAM that inference needs besides the C stack. */
    readonly peakBytes: number;
    /** All arenas together. */
    readonly arenaBytes: number;
    readonly inputBytes: number;
    readonly outputBytes: number;
  };
  /** What was taken out because it cannot change any output; `totals` no longer has it. */
  readonly removed: RemovedChannels;
  readonly inputs: readonly PortReport[];
  readonly outputs: readonly PortReport[];
  readonly layers: readonly LayerReport[];
  readonly plan: {
    readonly strategy: string;
    readonly feed: string;
    /** Why this plan was chosen. */
    readonly reason: string;
    /** What the same layers need one after the other. */
    readonly layersPeakBytes: number;
    readonly groups: readonly GroupReport[];
    readonly steps: readonly {
      readonly index: number;
      readonly op: string;
      readonly layer: number;
      readonly liveBytes: number;
    }[];
    readonly buffers: readonly BufferReport[];
    /** The arenas, fastest memory first: one, unless no single memory of a board holds everything. */
    readonly regions: readonly PlanRegion[];
    readonly peakStep: number;
    /** The most bytes alive at a time: no placement of this plan's buffers can use less. */
    readonly liveLowerBoundBytes: number;
    readonly recomputedMacs: number;
    /** Of incremental inference: what a hop of rows costs, beside a window; null for other plans. */
    readonly incremental: IncrementalReport | null;
  };
  readonly fits: readonly BoardFit[];
  /** Time and energy of one inference on the boards that were asked for, where their cores are known. */
  readonly latencies: readonly Latency[];
}

/** The most of the values from `first` up to, not including, `end`. */
const mostOf = (values: readonly number[], first: number, end: number): number =>
  Math.max(0, ...values.slice(first, end));

const groupReports = ({ plan, layers }: PlannedModel): readonly GroupReport[] =>
  plan.groups
    .filter((g) => g.endStep > g.firstStep)
    .map(({ firstStep, endStep }) => ({
      firstLayer: firstStep,
      lastLayer: endStep - 1,
      streams: endStep - firstStep > 1,
      liveBytes: mostOf(plan.liveBytes, firstStep, endStep),
      layersLiveBytes: mostOf(layers.liveBytes, firstStep, endStep),
    }));

const bufferReport = (b: Buffer): BufferReport => ({
  tensor: b.name,
  kind: b.kind,
  region: b.region,
  offset: b.offset,
  bytes: b.bytes,
  firstStep: b.firstStep,
  lastStep: b.lastStep,
});

const portReport = (t: Tensor): PortReport => ({
  name: t.name,
  dtype: t.dtype,
  shape: t.shape,
  bytes: tensorBytes(t),
  scale: t.quant?.scales[0] ?? null,
  zeroPoint: t.quant?.zeroPoints[0] ?? null,
});

/** Bytes of the arrays that kernels read; a tensor that several read as it is counts once. */
function constantBytesOf(nodes: readonly LoweredNode[]): number {
  const passed = nodes.flatMap(passedConstants);
  return nodes.reduce((sum, n) => sum + constantBytes(n), 0) - bytesOfAll(passed) + bytesOfAll(distinct(passed));
}

/**
 * Everything `inspect` knows of a planned model, against the given boards.
 * @param timed boards whose latency is estimated: those that the plan was made for
 */
export function inspectReport(
  planned: PlannedModel,
  boards: readonly Board[],
  timed: readonly Board[] = [],
): InspectReport {
  const { model, graph, nodes, plan } = planned;
  const layers = layerReports(planned);
  const active = nodes.filter((_, i) => plan.steps[i]?.mode !== "view");
  const learned = distinct(active.flatMap(learnedConstants));
  const weightsBytes = bytesOfAll(learned);
  const constantsBytes = constantBytesOf(active);
  const flashBytes = constantsBytes + active.reduce((sum, n) => sum + parameterBytes(n), 0);
  const inputs = graph.inputs.map((id) => portReport(tensorOf(graph, id)));
  const outputs = graph.outputs.map((id) => portReport(tensorOf(graph, id)));
  const need = { peakBytes: plan.peakBytes, flashBytes, linked: false, arenas: plan.regions };
  return {
    schemaVersion: 1,
    model: { name: model.name, sha256: model.sha256, format: model.format, fileBytes: model.fileBytes },
    totals: {
      macs: layers.reduce((sum, l) => sum + l.macs, 0),
      parameters: learned.reduce((sum, t) => sum + elementsOf(t.shape), 0),
      weightsBytes,
      constantsBytes,
      flashBytes,
      peakBytes: plan.peakBytes,
      arenaBytes: plan.peakBytes,
      inputBytes: inputs.reduce((sum, p) => sum + p.bytes, 0),
      outputBytes: outputs.reduce((sum, p) => sum + p.bytes, 0),
    },
    removed: planned.removed,
    inputs,
    outputs,
    layers,
    plan: {
      strategy: plan.strategy,
      feed: plan.feed,
      reason: planned.reason,
      layersPeakBytes: planned.layers.peakBytes,
      groups: groupReports(planned),
      steps: plan.steps.map((s) => ({
        index: s.index,
        op: layers[s.index]?.op ?? "",
        layer: s.index,
        liveBytes: plan.liveBytes[s.index] ?? 0,
      })),
      buffers: plan.buffers.map(bufferReport),
      regions: plan.regions,
      peakStep: plan.peakStep,
      liveLowerBoundBytes: Math.max(0, ...plan.liveBytes),
      recomputedMacs: plan.recomputedMacs,
      incremental: incrementalReport(planned),
    },
    fits: boards.map((board) => fitBoard(board, need)),
    latencies: timed.map((board) => latencyOf(planned, board)).filter((l): l is Latency => l !== null),
  };
}
