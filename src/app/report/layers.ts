import { elementsOf } from "../../base/dtype.js";
import type { TensorId } from "../../base/units.js";
import { type Tensor, tensorOf } from "../../ir/graph.js";
import { callOf, type LoweredNode, passedConstants, rowsOf } from "../../ops/lower.js";
import type { Buffer, Plan } from "../../plan/plan.js";
import { tensorBytes } from "../../plan/tensors.js";
import type { PlannedModel } from "../compile.js";

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

/** Weights and biases; shapes, axes and paddings are constants too, but no kernel reads them. */
export const learnedConstants = (lowered: LoweredNode): readonly Tensor[] => {
  const passed = passedConstants(lowered);
  const isLearned = (t: Tensor): boolean => passed.includes(t) || t.quant !== null || t.dtype === "float32";
  return lowered.view.inputs.filter((t): t is Tensor => t !== null && t.data !== null && isLearned(t));
};

export const bytesOfAll = (tensors: Iterable<Tensor>): number =>
  [...tensors].reduce((sum, t) => sum + tensorBytes(t), 0);

/** Each tensor once, though several nodes may share it. */
export const distinct = (tensors: readonly Tensor[]): readonly Tensor[] => [
  ...new Map(tensors.map((t) => [t.id, t] as const)).values(),
];

/** Bytes of a node's parameters, which its kernel reads from flash. */
export const parameterBytes = (lowered: LoweredNode): number =>
  Object.values(callOf(lowered)?.params?.fields ?? {}).reduce<number>(
    (sum, f) => sum + 4 * (Array.isArray(f) ? f.length : 1),
    0,
  );

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

/** Every operator of a planned model. */
export function layerReports({ nodes, plan, graph }: PlannedModel): readonly LayerReport[] {
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
