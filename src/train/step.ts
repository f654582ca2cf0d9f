import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import { type Tensor, tensorName, tensorOf } from "../ir/graph.js";
import { add, mul, scale } from "../ops/common/gradients.js";
import { type GraphEmitter, graphEmitter } from "../ops/emitter.js";
import type { Graph } from "../ops/index.js";
import { differentiate, neededNodes } from "./autodiff.js";
import { type BatchStatistics, type DropoutMask, emitForward } from "./forward.js";
import { emitLoss, type Loss } from "./losses.js";
import { emitClipped, emitUpdate, momentsOf, type Optimizer, stepValues, valuesOf } from "./optimizers.js";
import type { Parameters, Slot, StorageOf } from "./parameters.js";
import { prepared } from "./prepare.js";
import { emitPacked, emitUnpacked } from "./vectors.js";

/** What a training step computes. */
export interface StepOptions {
  readonly batch: number;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Longest gradient; none unless given. */
  readonly clip?: number;
  /** Steps whose gradients are averaged before the weights change; default 1. */
  readonly accumulate?: number;
  /** Part of the averaged weights that a step keeps, such as 0.999; none unless given. */
  readonly ema?: number;
  /** "train": normalize by the batch and learn running statistics (default); "freeze": use those there are. */
  readonly batchNorm?: "train" | "freeze";
  /** Share of the batch's statistics in the running ones; default 0.1, as in PyTorch. */
  readonly statisticsMomentum?: number;
  /** Constants that stay as they are, by name. */
  readonly frozen?: (name: string) => boolean;
  readonly storage?: StorageOf;
}

/**
 * A whole step - forward, loss, backward, update - as one graph. What it learns lives in flat vectors that go in and come
 * out, named alike: the output `next_NAME` replaces the input NAME.
 */
export interface TrainStep {
  readonly graph: Graph;
  readonly parameters: Parameters;
  /** Input of the images, and of what the outputs should be: both float32, batch first. */
  readonly inputName: string;
  readonly targetName: string;
  readonly inputShape: readonly number[];
  readonly targetShape: readonly number[];
  readonly masks: readonly DropoutMask[];
  /** Vectors that carry over from step to step, and their lengths. */
  readonly state: readonly { readonly name: string; readonly length: number }[];
  /** Inputs of one element each; `valuesOf` gives them. */
  readonly values: readonly string[];
  /** An input that is 0 where gradients begin to accumulate anew and else 1; null where they do not. */
  readonly continues: string | null;
  /** Outputs that are no state. */
  readonly lossName: "loss";
  readonly outputName: "output";
}

const nextName = (name: string): string => `next_${name}`;

function checkTrainable(graph: Graph, parameters: Parameters): void {
  const [input, output] = [...graph.inputs, ...graph.outputs].map((id) => tensorOf(graph, id));
  const ports = graph.inputs.length === 1 && graph.outputs.length === 1;
  if (!ports || input?.dtype !== "float32" || output?.dtype !== "float32")
    fail("TH2015", {
      where: [graph.name, ...[...graph.inputs, ...graph.outputs].map((id) => tensorName(tensorOf(graph, id)))],
      expected: "one float32 input and one float32 output",
      fix: "train the float model, and quantize it after",
    });
  if (parameters.weightCount === 0)
    fail("TH2015", {
      where: [graph.name],
      found: "no float32 weights that are not frozen",
      fix: "leave some layers to train",
    });
}

/** Builds the step of a float network of batch 1. Throws TH2014 and TH2015 where it cannot be trained. */
export function trainStep(network: Graph, options: StepOptions): TrainStep {
  const { graph, parameters } = prepared(network, options.batch, options);
  checkTrainable(graph, parameters);
  const e = graphEmitter(graph);
  const x = tensorOf(graph, present(graph.inputs[0], "input"));
  const y = tensorOf(graph, present(graph.outputs[0], "output"));
  const targets = e.input("targets", y.shape);
  const vector = (name: string, length: number): Tensor => e.input(name, [length]);
  const weights = vector("weights", parameters.weightCount);
  emitUnpacked(e, weights, parameters.weights);
  const found: BatchStatistics = new Map();
  const masks = emitForward(e, graph, options.batchNorm ?? "train", found);
  const loss = emitLoss(e, options.loss, y, targets);
  const ids = new Set(parameters.weights.map((p) => p.id));
  const gradients = differentiate(e, loss, ids);
  const zeros = (s: Slot): Tensor => e.constant(s.shape, new Float32Array(s.size));
  let gradient = emitPacked(e, parameters.weights, (s) => gradients.get(s.id) ?? zeros(s));

  const state: { input: Tensor; next: Tensor }[] = [];
  const carry = (name: string, length: number, next: (before: Tensor) => Tensor): void => {
    const input = vector(name, length);
    state.push({ input, next: next(input) });
  };
  const accumulate = options.accumulate ?? 1;
  const extra: Tensor[] = [];
  if (accumulate > 1) {
    const continues = e.input("continues", [1]);
    extra.push(continues);
    carry("accumulated", parameters.weightCount, (before) => {
      gradient = add(e, mul(e, before, continues), scale(e, gradient, 1 / accumulate));
      return gradient;
    });
  }
  if (options.clip !== undefined) gradient = emitClipped(e, gradient, options.clip);
  const values = valuesOf(options.optimizer, 0, 1).map((_, i) => e.input(stepValues[i] ?? "", [1]));
  const moments = momentsOf(options.optimizer).map((name) => vector(name, parameters.weightCount));
  const updated = emitUpdate(e, options.optimizer, {
    weights,
    gradient,
    moments,
    values,
    decays: decayMask(e, options, parameters),
  });
  state.unshift(
    { input: weights, next: updated.weights },
    ...moments.map((input, i) => ({ input, next: present(updated.moments[i], "moment") })),
  );
  if (options.ema !== undefined) {
    const { ema } = options;
    carry("average", parameters.weightCount, (before) =>
      add(e, scale(e, before, ema), scale(e, updated.weights, 1 - ema)),
    );
  }
  // All of a network's batch normalizations learn, or none.
  if (found.size > 0) {
    const trained = parameters.statistics;
    const momentum = options.statisticsMomentum ?? 0.1;
    carry("statistics", parameters.statisticCount, (before) => {
      const batch = emitPacked(e, trained, (s) => present(found.get(s.id), "statistic").value);
      const share = Float32Array.from(
        trained.flatMap((s) =>
          new Array<number>(s.size).fill(momentum * unbiased(s.kind, found.get(s.id)?.count ?? 1)),
        ),
      );
      return add(e, scale(e, before, 1 - momentum), mul(e, batch, e.constant([share.length], share)));
    });
  }
  return finished(e, graph, { x, targets, y, loss, values, extra, state, masks, parameters });
}

/** A sample's variance from its population's, as PyTorch counts it. */
const unbiased = (kind: "mean" | "variance", count: number): number =>
  kind === "variance" && count > 1 ? count / (count - 1) : 1;

function decayMask(e: GraphEmitter, { optimizer }: StepOptions, { weights, weightCount }: Parameters): Tensor | null {
  if (optimizer.weightDecay === 0) return null;
  const mask = new Float32Array(weightCount);
  for (const p of weights) if (p.decays) mask.fill(1, p.offset, p.offset + p.size);
  return e.constant([weightCount], mask);
}

interface Parts {
  readonly x: Tensor;
  readonly targets: Tensor;
  readonly y: Tensor;
  readonly loss: Tensor;
  readonly values: readonly Tensor[];
  readonly extra: readonly Tensor[];
  readonly state: readonly { readonly input: Tensor; readonly next: Tensor }[];
  readonly masks: readonly DropoutMask[];
  readonly parameters: Parameters;
}

function finished(e: GraphEmitter, graph: Graph, p: Parts): TrainStep {
  const masks = p.masks.map((m) =>
    present(
      [...e.tensors().values()].find((t) => t.name === m.name),
      "mask",
    ),
  );
  const inputs = [p.x, p.targets, ...masks, ...p.values, ...p.extra, ...p.state.map((s) => s.input)];
  // Copies, so that an output that is an input or one of another name has its own.
  const named = (t: Tensor, name: string): Tensor => {
    const copy = present(e.node("RESHAPE", [t], { shape: t.shape })[0], "copy");
    const tensor = { ...copy, name };
    e.append([], [tensor]);
    return tensor;
  };
  const outputs = [
    named(p.loss, "loss"),
    named(p.y, "output"),
    ...p.state.map((s) => named(s.next, nextName(s.input.name))),
  ];
  const ids = outputs.map((t) => t.id);
  const nodes = neededNodes(e.nodes(), ids);
  const step: Graph = {
    name: `${graph.name}_training`,
    tensors: e.tensors(),
    nodes,
    inputs: inputs.map((t) => t.id),
    outputs: ids,
    variables: [],
  };
  return {
    graph: step,
    parameters: p.parameters,
    inputName: p.x.name,
    targetName: "targets",
    inputShape: p.x.shape,
    targetShape: p.targets.shape,
    masks: p.masks,
    state: p.state.map((s) => ({ name: s.input.name, length: elementsOf(s.input.shape) })),
    values: p.values.map((t) => t.name),
    continues: p.extra[0]?.name ?? null,
    lossName: "loss",
    outputName: "output",
  };
}
