import { createHash } from "node:crypto";
import { existsSync as exists } from "node:fs";
import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import { exportOnnx } from "../formats/onnx/export/export.js";
import type { Graph } from "../ops/index.js";
import { type Backend, workerBackend } from "./backend.js";
import { blockedLowering } from "./blocked.js";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type Score, scorer } from "./evaluate.js";
import { evaluationGraph } from "./evaluation-graph.js";
import { type Lowering, plainLowering } from "./lowering.js";
import type { EpochMetrics, TrainOptions, TrainResult } from "./options.js";
import { packed, withParameters } from "./parameters.js";
import { rateAt } from "./schedules.js";
import type { BatchSource } from "./source.js";
import { type StepOptions, type TrainStep, trainStep } from "./step.js";
import { Training } from "./training.js";

export type { EpochMetrics, TrainOptions, TrainProgress, TrainResult } from "./options.js";

/** What goes on between epochs and into checkpoints. */
interface Notes {
  readonly history: EpochMetrics[];
  readonly bestLoss: number;
  readonly bestEpoch: number;
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

/** Blocked forms are those of onnxruntime-node on the CPU. */
async function loweringOf({ forms, backend, runtime }: TrainOptions): Promise<Lowering> {
  const isCpu = backend === undefined && (runtime?.providers ?? ["cpu"]).join() === "cpu";
  return forms !== "plain" && isCpu ? ((await blockedLowering()) ?? plainLowering) : plainLowering;
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
  if (!(options.rate > 0 && Number.isFinite(options.rate)))
    fail("TH6003", { found: `a rate of ${options.rate}`, expected: "more than 0", fix: "try 0.001" });
  const lowering = await loweringOf(options);
  const stepOptions: StepOptions = { ...options, storage: lowering.storage };
  const step = trainStep(network, stepOptions);
  const backend = (options.backend ?? workerBackend)(options.runtime ?? {});
  try {
    await backend.open("step", lowering.model(step.graph));
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
