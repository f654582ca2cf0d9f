import { createHash } from "node:crypto";
import { existsSync as exists } from "node:fs";
import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import { seededRandom } from "../base/random.js";
import { exportOnnx } from "../formats/onnx/export/export.js";
import { tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { type Backend, workerBackend } from "./backend.js";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type Score, scorer } from "./evaluate.js";
import type { HostOptions } from "./host.js";
import { valuesOf } from "./optimizers.js";
import { packed, withParameters } from "./parameters.js";
import { rateAt, type Schedule } from "./schedules.js";
import { type BatchSource, mixedSeed } from "./source.js";
import { evaluationGraph, type StepOptions, type TrainStep, trainStep } from "./step.js";
import { onnxStorage } from "./storage.js";

/** An epoch's figures; written as a line of JSON, documented in the package's types. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly steps: number;
  readonly rate: number;
  readonly trainLoss: number;
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** Share of the time in which the runtime computed. */
  readonly busy: number;
}

/** What is known while training goes on. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly loss: number;
  readonly secondsLeft: number;
}

export interface TrainOptions extends Omit<StepOptions, "storage"> {
  readonly epochs: number;
  /** The learning rate at its peak. */
  readonly rate: number;
  readonly schedule?: Schedule;
  readonly seed?: number;
  readonly data: BatchSource;
  readonly validation?: BatchSource;
  /** Epochs without a better validation loss after which training ends; never unless given. */
  readonly patience?: number;
  /** Which weights are the result: of the best epoch by validation (default, where there is one), or of the last. */
  readonly keep?: "best" | "last";
  /** A file that is written after every epoch, and resumed from if it exists and `resume` is "if-there". */
  readonly checkpoint?: string;
  readonly resume?: "if-there" | "never";
  readonly onEpoch?: (metrics: EpochMetrics) => void;
  readonly onProgress?: (progress: TrainProgress) => void;
  readonly signal?: AbortSignal;
  readonly runtime?: HostOptions;
  /** Where steps run; a worker thread with onnxruntime-node unless given. */
  readonly backend?: (options: HostOptions) => Backend;
}

export interface TrainResult {
  /** The network with what it learnt, batch 1. */
  readonly graph: Graph;
  readonly history: readonly EpochMetrics[];
  /** Of the weights kept, on the validation data. */
  readonly score: Score | null;
  readonly bestEpoch: number;
}

/** What goes on between epochs and into checkpoints. */
interface Notes {
  readonly history: EpochMetrics[];
  readonly bestLoss: number;
  readonly bestEpoch: number;
}

/** Buffers of a batch, lent to the backend and given back. */
interface Buffers {
  readonly feeds: Record<string, Float32Array>;
}

/** Batches under way at a time: one that runs, one that waits, and a third being filled. */
const underWay = 2;

/** Fills a dropout mask; the same for the same step. */
function fillMask(mask: Float32Array, rate: number, seed: number): void {
  const random = seededRandom(seed);
  const kept = 1 / (1 - rate);
  for (let i = 0; i < mask.length; i++) mask[i] = random.unit() < rate ? 0 : kept;
}

/** A training that has been opened: sessions, vectors, and where it stands. */
class Training {
  private readonly names: readonly string[];
  private readonly shapes: ReadonlyMap<string, readonly number[]>;
  private readonly free: Buffers[] = [];
  readonly stepsPerEpoch: number;
  readonly steps: number;

  constructor(
    private readonly step: TrainStep,
    private readonly backend: Backend,
    private readonly options: TrainOptions,
  ) {
    this.names = step.state.map((s) => s.name);
    this.shapes = new Map(
      step.graph.inputs.map((id) => [tensorOf(step.graph, id).name, tensorOf(step.graph, id).shape]),
    );
    // The last partial batch of an epoch is dropped: the graph has one batch size, and every epoch another order.
    this.stepsPerEpoch = Math.floor(options.data.samples / options.batch);
    this.steps = this.stepsPerEpoch * options.epochs;
  }

  /** Runs one epoch from its first step on; returns its mean loss and the runtime's milliseconds. */
  async epoch(epoch: number, startedAt: number): Promise<{ readonly loss: number; readonly busyMs: number }> {
    const { onProgress, signal } = this.options;
    const running: Promise<{ loss: number; ms: number }>[] = [];
    let [total, busyMs, next, done] = [0, 0, 0, 0];
    while (done < this.stepsPerEpoch) {
      while (running.length < underWay && next < this.stepsPerEpoch) {
        const run = this.run(epoch, next++);
        // A failure is reported where its turn comes.
        run.catch(() => undefined);
        running.push(run);
        await Promise.resolve();
      }
      const { loss, ms } = await present(running.shift(), "step");
      signal?.throwIfAborted();
      total += loss;
      busyMs += ms;
      done++;
      const step = epoch * this.stepsPerEpoch + done;
      const perStep = (performance.now() - startedAt) / 1000 / (step - this.resumedAt);
      onProgress?.({ step, steps: this.steps, epoch, loss, secondsLeft: perStep * (this.steps - step) });
    }
    return { loss: total / Math.max(this.stepsPerEpoch, 1), busyMs };
  }

  resumedAt = 0;

  private async run(epoch: number, index: number): Promise<{ loss: number; ms: number }> {
    const { step, options } = this;
    const buffers = this.free.pop() ?? this.newBuffers();
    const array = (name: string): Float32Array => present(buffers.feeds[name], name);
    await options.data.fill(epoch, index * options.batch, array(step.inputName), array(step.targetName));
    const count = epoch * this.stepsPerEpoch + index;
    const seed = options.seed ?? 1;
    step.masks.forEach((mask, m) => {
      fillMask(array(mask.name), mask.rate, mixedSeed(seed, count, m));
    });
    const rate = rateAt(options.schedule ?? { kind: "cosine" }, options.rate, count, this.steps);
    const accumulate = options.accumulate ?? 1;
    const applied = (count + 1) % accumulate === 0;
    valuesOf(options.optimizer, rate, Math.floor(count / accumulate) + 1).forEach((value, i) => {
      array(step.values[i] ?? "").fill(value);
    });
    if (step.continues !== null) array(step.continues).fill(count % accumulate === 0 ? 0 : 1);
    const feeds = Object.fromEntries(
      Object.entries(buffers.feeds).map(([name, data]) => [name, { data, shape: this.shapes.get(name) ?? [] }]),
    );
    const commit = applied ? this.names : this.names.filter((n) => n === "accumulated" || n === "statistics");
    const response = await this.backend.run({
      session: "step",
      feeds,
      stored: this.names.map((name) => [name, name] as const),
      updates: this.names.map((name) => [`next_${name}`, name] as const),
      commit,
      results: [step.lossName],
    });
    this.free.push({ feeds: { ...response.feeds } });
    const loss = response.results[step.lossName]?.[0] ?? Number.NaN;
    if (!Number.isFinite(loss))
      fail("TH2016", {
        where: [`step ${count + 1}`],
        found: `a loss of ${loss}`,
        fix: "lower the learning rate, warm it up, or clip gradients; check the data for NaN",
      });
    return { loss, ms: response.ms };
  }

  private newBuffers(): Buffers {
    const { inputName, targetName, masks, values, continues } = this.step;
    const names = [
      inputName,
      targetName,
      ...masks.map((m) => m.name),
      ...values,
      ...(continues === null ? [] : [continues]),
    ];
    return {
      feeds: Object.fromEntries(names.map((n) => [n, new Float32Array(elementsOf(this.shapes.get(n) ?? []))])),
    };
  }
}

/** Scores the vectors that the backend holds, or `source` of them, on data. */
async function evaluated(backend: Backend, step: TrainStep, options: TrainOptions, data: BatchSource): Promise<Score> {
  const { batch, loss } = options;
  const last = step.targetShape.at(-1) ?? 1;
  const size = elementsOf(step.targetShape) / batch;
  const counted = scorer(loss, last);
  const hasStatistics = step.parameters.statisticCount > 0;
  const stored = [["weights", options.ema === undefined ? "weights" : "average"] as const];
  let x = new Float32Array(elementsOf(step.inputShape));
  const targets = new Float32Array(elementsOf(step.targetShape));
  for (let first = 0; first < data.samples; first += batch) {
    await data.fill(0, first, x, targets);
    const response = await backend.run({
      session: "evaluation",
      feeds: { [step.inputName]: { data: x, shape: step.inputShape } },
      stored: hasStatistics ? [...stored, ["statistics", "statistics"]] : stored,
      updates: [],
      commit: [],
      results: ["output"],
    });
    x = present(response.feeds[step.inputName], "input") as Float32Array<ArrayBuffer>;
    counted.add(present(response.results["output"], "output"), targets, Math.min(batch, data.samples - first), size);
    options.signal?.throwIfAborted();
  }
  return counted.score();
}

/** What a checkpoint must agree with. */
function fingerprintOf(step: TrainStep, options: TrainOptions): string {
  const { batch, loss, optimizer, clip, accumulate, ema, batchNorm, epochs, rate, schedule, seed } = options;
  const of = { batch, loss, optimizer, clip, accumulate, ema, batchNorm, epochs, rate, schedule, seed };
  const slots = [...step.parameters.weights, ...step.parameters.statistics].map((s) => [s.name, s.shape, s.order]);
  return createHash("sha256")
    .update(JSON.stringify([of, slots, options.data.samples]))
    .digest("hex");
}

/** The vectors that a training begins with. */
function firstVectors(network: Graph, step: TrainStep): Record<string, Float32Array> {
  const weights = packed(network, step.parameters.weights);
  const statistics = packed(network, step.parameters.statistics);
  const known: Record<string, Float32Array> = { weights, statistics, average: weights };
  return {
    // Frozen statistics are no state of the step, but evaluation reads them.
    ...(statistics.length > 0 ? { statistics } : {}),
    ...Object.fromEntries(step.state.map(({ name, length }) => [name, known[name] ?? new Float32Array(length)])),
  };
}

/**
 * Trains a float network of batch 1 and returns it with what it learnt. Deterministic: the same network, data, options and
 * number of threads give the same bits, also when resumed from a checkpoint. Throws TH2014, TH2015 (it cannot be trained),
 * TH2016 (it diverged), TH6001 (a bad checkpoint) and TH6003 (bad options).
 */
export async function train(network: Graph, options: TrainOptions): Promise<TrainResult> {
  if (options.data.samples < options.batch || options.epochs < 1)
    fail("TH6003", {
      found: `${options.data.samples} samples, batch ${options.batch}, ${options.epochs} epochs`,
      expected: "at least one batch and one epoch",
      fix: "make the batch smaller, or bring more data",
    });
  const stepOptions: StepOptions = { ...options, storage: onnxStorage };
  const step = trainStep(network, stepOptions);
  const backend = (options.backend ?? workerBackend)(options.runtime ?? {});
  try {
    await backend.open("step", exportOnnx(step.graph));
    if (options.validation)
      await backend.open("evaluation", exportOnnx(evaluationGraph(network, options.batch, stepOptions)));
    return await trained(network, step, backend, options);
  } finally {
    await backend.close();
  }
}

async function trained(network: Graph, step: TrainStep, backend: Backend, options: TrainOptions): Promise<TrainResult> {
  const fingerprint = fingerprintOf(step, options);
  const all = firstVectors(network, step);
  const result = [options.ema === undefined ? "weights" : "average", ...("statistics" in all ? ["statistics"] : [])];
  const bestNames = result.map((name) => `best_${name}`);
  let notes: Notes = { history: [], bestLoss: Infinity, bestEpoch: -1 };
  let first = 0;
  let best: Record<string, Float32Array> = Object.fromEntries(result.map((name) => [name, present(all[name], name)]));
  if (options.checkpoint !== undefined && options.resume === "if-there" && exists(options.checkpoint)) {
    const saved = readCheckpoint(options.checkpoint, fingerprint);
    const found = saved.notes as Omit<Notes, "bestLoss"> & { readonly bestLoss: number | null };
    notes = { ...found, bestLoss: found.bestLoss ?? Infinity };
    for (const name of Object.keys(all)) all[name] = present(saved.vectors[name], name);
    best = Object.fromEntries(result.map((name, i) => [name, present(saved.vectors[bestNames[i] ?? ""], name)]));
    first = notes.history.length;
  }
  await backend.store(all);
  const training = new Training(step, backend, options);
  training.resumedAt = first * training.stepsPerEpoch;
  const startedAt = performance.now();
  for (let epoch = first; epoch < options.epochs; epoch++) {
    const began = performance.now();
    const { loss, busyMs } = await training.epoch(epoch, startedAt);
    const seconds = (performance.now() - began) / 1000;
    const score = options.validation ? await evaluated(backend, step, options, options.validation) : null;
    const metrics: EpochMetrics = {
      epoch,
      steps: (epoch + 1) * training.stepsPerEpoch,
      rate: rateAt(
        options.schedule ?? { kind: "cosine" },
        options.rate,
        (epoch + 1) * training.stepsPerEpoch - 1,
        training.steps,
      ),
      trainLoss: loss,
      validationLoss: score?.loss ?? null,
      validationAccuracy: score?.accuracy ?? null,
      seconds,
      samplesPerSecond: (training.stepsPerEpoch * options.batch) / seconds,
      busy: busyMs / 1000 / seconds,
    };
    notes.history.push(metrics);
    const judged = score?.loss ?? -Infinity;
    if (judged < notes.bestLoss || options.keep === "last" || score === null) {
      notes = { ...notes, bestLoss: score === null ? notes.bestLoss : judged, bestEpoch: epoch };
      best = { ...(await backend.load(result)) };
    }
    if (options.checkpoint !== undefined) {
      const vectors = await backend.load(Object.keys(all));
      const kept = Object.fromEntries(result.map((name, i) => [bestNames[i] ?? "", present(best[name], name)]));
      writeCheckpoint(options.checkpoint, {
        fingerprint,
        step: metrics.steps,
        notes: { ...notes, bestLoss: Number.isFinite(notes.bestLoss) ? notes.bestLoss : null },
        vectors: { ...vectors, ...kept },
      });
    }
    options.onEpoch?.(metrics);
    if (options.patience !== undefined && epoch - notes.bestEpoch >= options.patience) break;
  }
  const [weightsName = "weights"] = result;
  await backend.store({ weights: present(best[weightsName], "weights"), ...best });
  const score = options.validation ? await evaluated(backend, step, options, options.validation) : null;
  const statistics = best["statistics"] ?? new Float32Array(0);
  const graph = withParameters(network, step.parameters, present(best[weightsName], "weights"), statistics);
  return { graph, history: notes.history, score, bestEpoch: notes.bestEpoch };
}
