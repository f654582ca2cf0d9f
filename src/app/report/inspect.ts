import { bytesOf, elementsOf } from "../../base/dtype.js";
import type { TensorId } from "../../base/units.js";
import type { Board } from "../../boards/board.js";
import { type BoardFit, fitBoard } from "../../boards/fit.js";
import { type Tensor, tensorOf } from "../../ir/graph.js";
import { type LoweredNode, rowsOf } from "../../ops/lower.js";
import type { KernelCall } from "../../ops/spec.js";
import type { RemovedChannels } from "../../passes/dead-channels.js";
import type { Buffer, BufferKind, Plan, PlanRegion } from "../../plan/plan.js";
import { tensorBytes } from "../../plan/tensors.js";
import type { PlannedModel } from "../compile.js";
import { type IncrementalReport, incrementalReport } from "./incremental.js";

/** One operator of the planned graph. Bytes are device bytes, MACs those of one inference. */
export interface LayerReport {
  readonly index: number;
  /** The output tensor's name in the model. */
  readonly name: string;
  readonly op: string;
  /** Index of the operator in the file; -1 for one no file contains. */
  readonly fileIndex: number;
  /** Layers whose outputs this one reads; -1 for an input of the model. */
  readonly inputs: readonly number[];
  readonly outputShape: readonly number[];
  readonly outputType: string;
  readonly macs: number;
  readonly operations: number;
  readonly parameters: number;
  readonly weightsBytes: number;
  readonly scratchBytes: number;
  /** Bytes of all buffers alive while this layer runs. */
  readonly liveBytes: number;
  readonly kernel: string;
  /** How the output gets its memory; "ring": of its rows only the last `rowsKept` are there at a time. */
  readonly memory: "own" | "view" | "in place" | "over input" | "ring";
  /** Rows of the output, and how many of them are in memory at a time. */
  readonly rows: number;
  readonly rowsKept: number;
}

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
    /** Weights, other constants and parameters; the linked image after a build. */
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
}

/** The call that is compiled for a node. */
const callOf = (lowered: LoweredNode): KernelCall | null => lowered.whole ?? lowered.rows?.call ?? null;

/** Constant inputs that are passed to the kernel as they are. */
const passedConstants = (lowered: LoweredNode): readonly Tensor[] =>
  (callOf(lowered)?.args ?? [])
    .map((a) => (a.kind === "input" ? (lowered.view.inputs[a.index] ?? null) : null))
    .filter((t): t is Tensor => t !== null && t.data !== null);

/** Weights and biases; shapes, axes and paddings are constants too, but no kernel reads them. */
const learnedConstants = (lowered: LoweredNode): readonly Tensor[] => {
  const passed = passedConstants(lowered);
  const isLearned = (t: Tensor): boolean => passed.includes(t) || t.quant !== null || t.dtype === "float32";
  return lowered.view.inputs.filter((t): t is Tensor => t !== null && t.data !== null && isLearned(t));
};

const bytesOfAll = (tensors: Iterable<Tensor>): number => [...tensors].reduce((sum, t) => sum + tensorBytes(t), 0);

/** Each tensor once, though several nodes may share it. */
const distinct = (tensors: readonly Tensor[]): readonly Tensor[] => [
  ...new Map(tensors.map((t) => [t.id, t] as const)).values(),
];

/** Bytes of flash a node's kernel reads besides the node's own constants: multipliers, tables, parameters. */
function auxiliaryBytes(lowered: LoweredNode): number {
  const call = callOf(lowered);
  const args = (call?.args ?? []).reduce(
    (sum, a) => (a.kind === "constant" ? sum + bytesOf(a.dtype, a.data.length) : sum),
    0,
  );
  const fields = Object.values(call?.params?.fields ?? {});
  return args + fields.reduce<number>((sum, f) => sum + 4 * (Array.isArray(f) ? f.length : 1), 0);
}

/** How a layer's output gets its memory: as a view, element by element, in a ring, over dead rows of an input, or on its own. */
function memoryOf(lowered: LoweredNode, plan: Plan, index: number): LayerReport["memory"] {
  const step = plan.steps[index];
  if (step?.mode === "view") return "view";
  if (step && step.inPlaceInput !== null) return "in place";
  const of = (t: Tensor | null | undefined): Buffer | undefined => (t ? plan.bufferOf.get(t.id) : undefined);
  const output = of(lowered.view.outputs[0]);
  if (output && output.bytes < tensorBytes(lowered.view.outputs[0] as Tensor)) return "ring";
  const meets = (b: Buffer | undefined): boolean =>
    b !== undefined &&
    output !== undefined &&
    b.region === output.region &&
    b.offset < output.offset + output.bytes &&
    output.offset < b.offset + b.bytes;
  return lowered.view.inputs.some((t) => meets(of(t))) ? "over input" : "own";
}

function layerReports({ nodes, plan, graph }: PlannedModel): readonly LayerReport[] {
  const producer = new Map<TensorId, number>(nodes.flatMap((n, i) => n.node.outputs.map((id) => [id, i] as const)));
  return nodes.map((lowered, index) => {
    const output = lowered.view.outputs[0];
    const cost = lowered.spec.cost(lowered.view);
    const step = plan.steps[index];
    const constants = step?.mode === "view" ? [] : learnedConstants(lowered);
    const activations = lowered.node.inputs.filter(
      (id): id is TensorId => id !== null && tensorOf(graph, id).data === null,
    );
    return {
      index,
      name: output?.name ?? "",
      op: lowered.node.op,
      fileIndex: lowered.node.origin.index,
      inputs: activations.map((id) => producer.get(id) ?? -1),
      outputShape: output?.shape ?? [],
      outputType: output?.dtype ?? "none",
      macs: cost.macs,
      operations: cost.operations,
      parameters: constants.reduce((sum, t) => sum + elementsOf(t.shape), 0),
      weightsBytes: bytesOfAll(constants),
      scratchBytes: step?.scratch === null || step === undefined ? 0 : (plan.buffers[step.scratch]?.bytes ?? 0),
      liveBytes: plan.liveBytes[index] ?? 0,
      kernel: step?.mode === "view" ? "none" : lowered.kernel.name,
      memory: memoryOf(lowered, plan, index),
      rows: output ? rowsOf(output) : 0,
      rowsKept: output ? Math.min(plan.bufferOf.get(output.id)?.rows ?? rowsOf(output), rowsOf(output)) : 0,
    };
  });
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

/** Everything `inspect` knows of a planned model, against the given boards. */
export function inspectReport(planned: PlannedModel, boards: readonly Board[]): InspectReport {
  const { model, graph, nodes, plan } = planned;
  const layers = layerReports(planned);
  const active = nodes.filter((_, i) => plan.steps[i]?.mode !== "view");
  const learned = distinct(active.flatMap(learnedConstants));
  const weightsBytes = bytesOfAll(learned);
  const flashBytes =
    bytesOfAll(distinct(active.flatMap(passedConstants))) + active.reduce((sum, n) => sum + auxiliaryBytes(n), 0);
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
  };
}
