import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { elementsOf } from "../src/base/dtype.js";
import { type Random, seededRandom } from "../src/base/random.js";
import { tensorOf } from "../src/ir/graph.js";
import { type ConvOptions, Network, type Value } from "../src/nets/network.js";
import type { Graph } from "../src/ops/index.js";
import { localBackend } from "../src/train/backend.js";
import { blockedLowering } from "../src/train/blocked.js";
import type { Runtime } from "../src/train/host.js";
import type { Loss } from "../src/train/losses.js";
import { plainLowering } from "../src/train/lowering.js";
import { type Optimizer, valuesOf } from "../src/train/optimizers.js";
import { packed } from "../src/train/parameters.js";
import { type StepOptions, type TrainStep, trainStep } from "../src/train/step.js";
import { type Doubles, runInDouble } from "./doubles.js";

/*
 * Whole training steps: ONNX Runtime on the exported graph against the references in double on the same graph.
 */

/** Every kind of layer that a small network has. */
function network(): Graph {
  const net = new Network("small", { seed: 3 });
  let x = net.input([9, 8, 3]);
  x = net.conv(x, 8, { stride: 2 });
  x = net.depthwise(x, { activation: "hard-swish" });
  x = net.residual(x, (y) => net.conv(net.pointwise(y, 6, { activation: "relu6" }), 8, { activation: "none" }), "relu");
  x = net.depthwise(x, { stride: 2, multiplier: 2, activation: "leaky-relu" });
  x = net.maxPool(x, { size: 2, stride: 1, padding: "same" });
  x = net.dropout(net.squeezeExcite(x, 4), 0.3);
  return net.graph([net.dense(net.globalPool(net.conv(x, 12, { kernel: [3, 1], padding: "valid" })), 5)]);
}

type Vectors = Record<string, Float32Array | Float64Array>;

const randomArray = (random: Random, shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: elementsOf(shape) }, () => random.normal());

/** The inputs of one step. */
function batchOf(step: TrainStep, optimizer: Optimizer, random: Random, count: number): Vectors {
  const targets = new Float32Array(elementsOf(step.targetShape));
  const classes = step.targetShape.at(-1) ?? 1;
  for (let i = 0; i < targets.length / classes; i++) targets[i * classes + random.integer(0, classes - 1)] = 1;
  const values = valuesOf(optimizer, 0.05, count);
  return {
    [step.inputName]: randomArray(random, step.inputShape),
    [step.targetName]: targets,
    ...Object.fromEntries(
      step.masks.map((m) => [m.name, randomArray(random, m.shape).map((v) => (v < -0.5 ? 0 : 1 / (1 - m.rate)))]),
    ),
    ...(step.continues === null ? {} : { [step.continues]: Float32Array.of(count % 2 === 1 ? 0 : 1) }),
    ...Object.fromEntries(step.values.map((name, i) => [name, Float32Array.of(values[i] ?? 0)])),
  };
}

const initialState = (step: TrainStep, graph: Graph): Record<string, Float32Array> =>
  Object.fromEntries(
    step.state.map(({ name, length }) => {
      if (name === "weights") return [name, packed(graph, step.parameters.weights)];
      if (name === "statistics") return [name, packed(graph, step.parameters.statistics)];
      return [name, new Float32Array(length)];
    }),
  );

/** One step by the references. */
function referenceStep(step: TrainStep, batch: Vectors, state: Vectors): { loss: number; state: Vectors } {
  const given: Doubles = new Map();
  for (const id of step.graph.inputs) {
    const { name } = tensorOf(step.graph, id);
    given.set(id, Float64Array.from(batch[name] ?? state[name] ?? []));
  }
  const values = runInDouble(step.graph, given);
  const [loss, , ...next] = step.graph.outputs.map((id) => values.get(id) as Float64Array);
  return {
    loss: loss?.[0] ?? Number.NaN,
    state: Object.fromEntries(step.state.map(({ name }, i) => [name, next[i] as Float64Array])),
  };
}

function relative(want: ArrayLike<number>, found: ArrayLike<number>): number {
  let [worst, largest] = [0, 1e-9];
  for (let i = 0; i < want.length; i++) {
    worst = Math.max(worst, Math.abs((want[i] as number) - (found[i] as number)));
    largest = Math.max(largest, Math.abs(want[i] as number));
  }
  return worst / largest;
}

async function compare(
  options: Omit<StepOptions, "batch" | "storage">,
  { graph = network(), batch: size = 4, lowering = plainLowering, steps = 3 } = {},
): Promise<void> {
  const step = trainStep(graph, { ...options, batch: size, storage: lowering.storage });
  const backend = localBackend(ort as unknown as Runtime, { threads: 1 });
  await backend.open("step", lowering.model(step.graph));
  const state = initialState(step, graph);
  await backend.store(state);
  let want: Vectors = state;
  const random = seededRandom(5);
  const names = step.state.map((s) => s.name);
  const shapes = new Map(
    step.graph.inputs.map((id) => [tensorOf(step.graph, id).name, tensorOf(step.graph, id).shape]),
  );
  for (let i = 1; i <= steps; i++) {
    const batch = batchOf(step, options.optimizer, random, i);
    const reference = referenceStep(step, batch, want);
    want = reference.state;
    const feeds = Object.fromEntries(
      Object.entries(batch).map(([name, data]) => [
        name,
        { data: data as Float32Array, shape: shapes.get(name) ?? [] },
      ]),
    );
    const updates = names.map((name) => [`next_${name}`, name] as const);
    const found = await backend.run({
      session: "step",
      feeds,
      stored: names.map((name) => [name, name] as const),
      updates,
      commit: names,
      results: ["loss"],
    });
    expect(found.results["loss"]?.[0], `loss of step ${i}`).toBeCloseTo(reference.loss, 4);
  }
  const found = await backend.load(names);
  for (const name of names) expect(relative(want[name] ?? [], found[name] ?? []), name).toBeLessThan(2e-4);
}

const blocked = await blockedLowering();

const sgd: Optimizer = { kind: "sgd", momentum: 0.9, weightDecay: 1e-3 };
const losses: readonly Loss[] = [
  { kind: "cross-entropy" },
  { kind: "cross-entropy", smoothing: 0.1 },
  { kind: "mse" },
  { kind: "l1" },
  { kind: "cosine" },
];

/** A network whose channels fill whole blocks, so that every blocked form is taken. */
function wideNetwork(): Graph {
  const net = new Network("wide", { seed: 4 });
  let x = net.conv(net.input([10, 8, 3]), 16);
  x = net.depthwise(x, { stride: 2 });
  x = net.residual(x, (y) => net.conv(net.conv(y, 32), 32, { activation: "none" }), "relu");
  x = net.residual(x, (y) => net.conv(net.conv(y, 48, { stride: 2 }), 48, { activation: "none" }), "relu");
  return net.graph([net.dense(net.globalPool(net.pointwise(net.depthwise(x, { activation: "relu6" }), 16)), 5)]);
}

interface Layer extends ConvOptions {
  readonly depthwise?: true;
  /** Of the image before it; default 16. */
  readonly channels?: number;
  readonly filters?: number;
  readonly size?: readonly [number, number];
}

/** Convolutions of which each takes its own way through a lowering: steps, taps, borders, channels. */
const layers: readonly Layer[] = [
  { filters: 32, size: [6, 5] },
  { kernel: [5, 2], size: [6, 5] },
  { filters: 32, stride: 2, channels: 32 },
  { stride: 2, size: [7, 5] },
  { stride: [2, 1], kernel: 5 },
  { stride: 3, kernel: 4, size: [9, 6] },
  { stride: 2, kernel: 2, padding: "valid" },
  { padding: "valid", filters: 32 },
  { stride: 2, padding: "valid", kernel: 4 },
  { dilation: [2, 1] },
  { dilation: [1, 2], size: [5, 7] },
  { kernel: 1, stride: 2, filters: 32 },
  { kernel: 1, size: [12, 10] },
  { kernel: 1, channels: 24, filters: 8 },
  { channels: 8, filters: 16, stride: 2 },
  { channels: 24, filters: 32 },
  { depthwise: true, size: [6, 5] },
  { depthwise: true, stride: 2, channels: 32 },
  { depthwise: true, stride: 2, size: [7, 5], kernel: 5 },
  { depthwise: true, padding: "valid" },
  { depthwise: true, dilation: 2 },
  { depthwise: true, kernel: [1, 4], size: [3, 40] },
  { depthwise: true, stride: 2, size: [40, 14] },
  { depthwise: true, channels: 12, size: [18, 18] },
];

/** The layer between two others, so that all its gradients are needed; once with normalization, once without. */
function networkOf({ depthwise, channels = 16, filters = 16, size = [8, 6], ...options }: Layer): Graph {
  const net = new Network("layer", { seed: 6 });
  const apply = (x: Value, norm: "batch" | "none"): Value =>
    depthwise ? net.depthwise(x, { ...options, norm }) : net.conv(x, filters, { ...options, norm });
  const x = net.pointwise(net.input([...size, 3]), channels);
  return net.graph([net.dense(net.globalPool(net.concat([apply(x, "batch"), apply(x, "none")])), 3)]);
}

describe("a training step in ONNX Runtime and by the references", () => {
  it.each(losses)("loss %o", async (loss) => compare({ loss, optimizer: sgd }));
  const optimizers: readonly Optimizer[] = [
    { kind: "sgd", momentum: 0, weightDecay: 0 },
    { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 1e-2 },
    { kind: "adamw", weightDecay: 0.05 },
  ];
  it.each(optimizers)("optimizer %o", async (optimizer) => compare({ loss: { kind: "cross-entropy" }, optimizer }));
  it("clipped, accumulated, averaged", async () =>
    compare({ loss: { kind: "cross-entropy" }, optimizer: sgd, clip: 0.1, accumulate: 2, ema: 0.9 }));
  it("frozen normalization and layers", async () =>
    compare({
      loss: { kind: "cross-entropy" },
      optimizer: sgd,
      batchNorm: "freeze",
      frozen: (name) => name.startsWith("conv/"),
    }));
  it.skipIf(blocked === null)("blocked operators", async () => {
    if (blocked === null) return;
    const options = { loss: { kind: "cross-entropy" }, optimizer: sgd } as const;
    await compare(options, { graph: wideNetwork(), batch: 16, lowering: blocked });
    // Channels that fill no block take the plain forms.
    await compare(options, { lowering: blocked });
  });
  const lowerings = blocked === null ? [plainLowering] : [plainLowering, blocked];
  it.each(lowerings.flatMap((lowering) => layers.map((layer) => [lowering.name, layer, lowering] as const)))(
    "%s, %o",
    async (_, layer, lowering) => {
      const options = { loss: { kind: "mse" }, optimizer: sgd } as const;
      await compare(options, { graph: networkOf(layer), batch: 16, lowering, steps: 1 });
    },
  );
});
