import * as ort from "onnxruntime-node";
import { elementsOf } from "../src/base/dtype.js";
import { seededRandom } from "../src/base/random.js";
import { zooNetwork } from "../src/nets/zoo.js";
import type { Graph, Node } from "../src/ops/index.js";
import { type Backend, localBackend } from "../src/train/backend.js";
import type { Runtime } from "../src/train/host.js";
import type { Lowering } from "../src/train/lowering.js";
import { packed } from "../src/train/parameters.js";
import { type TrainStep, trainStep } from "../src/train/step.js";

/** The networks whose training is timed. */
export interface TrainCase {
  readonly name: string;
  readonly network: Graph;
  readonly batch: number;
  /** Least speed beside PyTorch's. */
  readonly target: number;
  /**
   * The learning rate of comparisons. MobileNet, 27 normalizations deep, doubles rounding errors at every step of a usual
   * one: PyTorch in float32 is then as far from itself in float64 as from any other.
   */
  readonly rate: number;
}

/** Dropout is left out, so that both sides compute the same. */
const withoutDropout = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((n): Node => (n.op === "DROPOUT" ? { ...n, attrs: { rate: 0 } } : n)),
});

export const trainCases = (): readonly TrainCase[] => [
  {
    name: "ds-cnn",
    network: withoutDropout(zooNetwork("ds-cnn", { input: [49, 10, 1] })),
    batch: 64,
    target: 1.5,
    rate: 0.01,
  },
  {
    name: "resnet-8",
    network: withoutDropout(zooNetwork("resnet-8", { input: [32, 32, 3] })),
    batch: 64,
    target: 1,
    rate: 0.01,
  },
  {
    name: "mobilenet-v1",
    network: withoutDropout(zooNetwork("mobilenet-v1", { input: [96, 96, 3], width: 0.25, classes: 2 })),
    batch: 32,
    target: 1,
    rate: 1e-6,
  },
];

/** What all of them train with. */
export const hyper = { momentum: 0.9, weightDecay: 1e-4 } as const;

/**
 * A batch of classes in turn: waves of a class's own lengths, and noise. Of noise alone gradients are so small that
 * rounding decides them.
 */
export function waveBatch(step: Pick<TrainStep, "inputShape" | "targetShape">): {
  readonly x: Float32Array;
  readonly targets: Float32Array;
} {
  const random = seededRandom(11);
  const [, height = 1, width = 1, channels = 1] = step.inputShape;
  const [rows = 1, classes = 1] = step.targetShape;
  const x = new Float32Array(elementsOf(step.inputShape));
  const targets = new Float32Array(rows * classes);
  let at = 0;
  for (let n = 0; n < rows; n++) {
    const label = n % classes;
    const phase = random.unit();
    targets[n * classes + label] = 1;
    for (let i = 0; i < height * width * channels; i++) {
      const [row, column, c] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels];
      const turns = (row * (1 + label)) / height + (column * (1 + ((label * 7) % 5))) / width + c / 3 + phase;
      x[at++] = Math.sin(2 * Math.PI * turns) + 0.3 * random.normal();
    }
  }
  return { x, targets };
}

/** A step that is ready to run. */
export interface OpenStep {
  readonly step: TrainStep;
  readonly backend: Backend;
  /** Runs steps on the same batch; milliseconds of each, and losses. */
  readonly run: (count: number) => Promise<{ readonly ms: readonly number[]; readonly losses: readonly number[] }>;
}

/** Opens a step in this thread. */
export async function openStep(c: TrainCase, lowering: Lowering, threads: number): Promise<OpenStep> {
  const step = trainStep(c.network, {
    batch: c.batch,
    loss: { kind: "cross-entropy" },
    optimizer: { kind: "sgd", momentum: hyper.momentum, weightDecay: hyper.weightDecay },
    storage: lowering.storage,
  });
  const backend = localBackend(ort as unknown as Runtime, { threads });
  await backend.open("step", lowering.model(step.graph));
  const state = Object.fromEntries(step.state.map(({ name, length }) => [name, new Float32Array(length)]));
  await backend.store({
    ...state,
    weights: packed(c.network, step.parameters.weights),
    statistics: packed(c.network, step.parameters.statistics),
  });
  const { x, targets } = waveBatch(step);
  const names = step.state.map((s) => s.name);
  const request = {
    session: "step",
    feeds: {
      [step.inputName]: { data: x, shape: step.inputShape },
      [step.targetName]: { data: targets, shape: step.targetShape },
      rate: { data: Float32Array.of(c.rate), shape: [1] },
    },
    stored: names.map((name) => [name, name] as const),
    updates: names.map((name) => [`next_${name}`, name] as const),
    commit: names,
    results: ["loss"],
  };
  return {
    step,
    backend,
    run: async (count) => {
      const [ms, losses]: [number[], number[]] = [[], []];
      for (let i = 0; i < count; i++) {
        const found = await backend.run(request);
        ms.push(found.ms);
        losses.push(found.results["loss"]?.[0] ?? Number.NaN);
      }
      return { ms, losses };
    },
  };
}
