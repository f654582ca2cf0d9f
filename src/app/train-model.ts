import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { BoardFit } from "../boards/fit.js";
import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { exportOnnx } from "../formats/onnx/export/export.js";
import { tensorOf } from "../ir/graph.js";
import { printGraph } from "../ir/print.js";
import { type Graph, type Model, modelOf } from "../ops/index.js";
import { calibrate, prepare, quantizeCalibrated } from "../quantize/quantize.js";
import type { WeightBits } from "../quantize/weights.js";
import type { EpochMetrics } from "../train/trainer.js";
import { inspect } from "./api.js";
import { preparationFor, preparationOf, readExamples } from "./examples.js";
import { scoreSignals, withFrontend } from "./frontend.js";
import { scoreOnHost } from "./judge.js";
import { fileOf, type ModelFile, sha256Of } from "./model-file.js";
import { checkWritable, writeOutputFile } from "./output.js";
import { quantizationAwareTraining } from "./qat.js";
import { quantize } from "./quantize.js";
import { renderTrainHtml } from "./report/train-html.js";
import type { Score } from "./score.js";
import {
  checkPorts,
  networkFor,
  openSplit,
  type TrainJob,
  type TrainJobOptions,
  taughtWith,
  trainDefaults,
  trainNetwork,
} from "./train.js";
import type { Misfit, TrainModelReport } from "./train-report.js";

export interface TrainModelOptions extends TrainJobOptions {
  readonly name: string;
  /** Boards that the model is to fit; checked before training, which is refused if it cannot. */
  readonly boards?: readonly string[];
  /** Epochs of quantization-aware training after the float ones; with none, quantization is post-training. Default 0. */
  readonly qatEpochs?: number;
  readonly weightBits?: WeightBits;
  /** A folder for the results. */
  readonly out?: string;
  readonly onStage?: (text: string) => void;
}

/** Examples that scales come from when only sizes matter. */
const fewExamples = 4;
const calibrationExamples = 200;

const samplesOf = (inputs: readonly Float32Array[]) => inputs.map((x) => [x] as const);

/** The boards that the untrained network would not fit: sizes do not depend on what is learnt. */
async function misfitsOf(options: TrainModelOptions): Promise<readonly BoardFit[]> {
  const { boards = [], dataset, seed = 1, weightBits = 8, frontend } = options;
  if (boards.length === 0) return [];
  const source = await openSplit({ ...options, workers: 0 }, "train");
  await source.close();
  const graph = networkFor(options.network, dataset, source.shape, seed);
  const { inputs } = await readExamples(dataset, graph, {
    ...preparationOf(options),
    split: "train",
    count: fewExamples,
  });
  const { graph: integer } = quantizeCalibrated(calibrate(modelOf(graph), samplesOf(inputs)), { weightBits });
  const { model } = fileOf(integer, options.name);
  const whole = frontend ? withFrontend(model, frontend, dataset) : model;
  return inspect(whole, { boards, floatEdges: "drop" }).fits.filter((f) => !f.fits);
}

/** What became of the float network. */
interface Quantized extends ModelFile {
  readonly float: Score;
  readonly quantized: Score;
  readonly history: readonly EpochMetrics[];
}

async function quantizeTrained(trained: Model, split: Split, options: TrainModelOptions): Promise<Quantized> {
  const { dataset, qatEpochs = 0, weightBits = 8, name, onStage } = options;
  const preparation = preparationOf(options);
  if (qatEpochs === 0) {
    onStage?.("quantizing");
    const { report, ...made } = await quantize(trained, { ...preparation, dataset, weightBits });
    return { ...made, float: report.float, quantized: report.quantized, history: [] };
  }
  onStage?.("quantization-aware training");
  const read = (of: Split, count?: number) =>
    readExamples(dataset, trained.main, { ...preparation, split: of, ...(count === undefined ? {} : { count }) });
  const calibrated = calibrate(trained, samplesOf((await read("train", calibrationExamples)).inputs));
  const { network: _, checkpoint: __, ...rest } = options;
  const { converted, training } = await quantizationAwareTraining(calibrated, {
    ...rest,
    epochs: qatEpochs,
    rate: (options.rate ?? trainDefaults.rate) / 10,
    weightBits: () => weightBits,
  });
  const made = fileOf(converted.graph, name);
  const test = await read(split);
  const float = await scoreOnHost(fileOf(calibrated.graph, name).model, test);
  return { ...made, float, quantized: await scoreOnHost(made.model, test), history: training.history };
}

const metricsFile = "metrics.jsonl";
const lineOf = (m: EpochMetrics): string => `${JSON.stringify(m)}\n`;

/**
 * Adds a line for each epoch as it ends, so that a training can be watched. Nothing is written before the first has ended:
 * a training that cannot begin leaves what is there.
 */
function metricsWriter(out: string, { resume, onEpoch }: TrainModelOptions): (metrics: EpochMetrics) => void {
  const path = join(out, metricsFile);
  let goesOn = resume === "if-there" && existsSync(path);
  return (metrics) => {
    if (goesOn) appendFileSync(path, lineOf(metrics));
    else writeOutputFile(path, lineOf(metrics));
    goesOn = true;
    onEpoch?.(metrics);
  };
}

/** Trains the network; a graph with no epochs to go stays as it is. */
async function trainOrKeep(options: TrainModelOptions): Promise<Pick<TrainJob, "graph" | "history" | "dataBusy">> {
  if (options.epochs !== 0 || !("graph" in options.network)) {
    options.onStage?.("training");
    return trainNetwork(options);
  }
  const { graph } = options.network;
  checkPorts(graph, options.dataset, tensorOf(graph, graph.inputs[0] as never).shape.slice(1));
  return { graph, history: [], dataBusy: 1 };
}

/** Trains, quantizes, scores and writes. A network that does not fit one of the boards is not trained at all. */
export async function trainModel(asked: TrainModelOptions): Promise<TrainModelReport | Misfit> {
  const given = { ...asked, dataset: taughtWith(asked.dataset, asked.network) };
  const { dataset, name, boards = [], out, frontend } = given;
  const { normalization } = preparationFor(dataset, given);
  const watched = out === undefined ? given : { ...given, onEpoch: metricsWriter(out, given) };
  const options = normalization ? { ...watched, normalization } : watched;
  if (out !== undefined) checkWritable(out, "folder");
  const misfits = await misfitsOf(options);
  if (misfits.length > 0) return { misfits };
  const began = performance.now();
  const job = await trainOrKeep(options);
  const trained = { ...modelOf(job.graph), name };
  const evaluated: Split = examplesOf(dataset, "test").length > 0 ? "test" : "validation";
  const { file, format, model, float, quantized, history } = await quantizeTrained(trained, evaluated, options);
  const whole = frontend ? withFrontend(model, frontend, dataset) : model;
  const { totals, fits } = inspect(whole, { boards, floatEdges: "drop", optimize: "memory" });
  const count = (split: Split): number => examplesOf(dataset, split).length;
  const report: TrainModelReport = {
    schemaVersion: 1,
    model: { name, sha256: sha256Of(file), format },
    classes: dataset.classes,
    examples: { train: count("train"), validation: count("validation"), test: count("test") },
    preparation: { ...(frontend ? { frontend } : normalization ? { normalization } : {}) },
    parameters: totals.parameters,
    macs: totals.macs,
    history: [...job.history, ...history],
    floatEpochs: job.history.length,
    seconds: (performance.now() - began) / 1000,
    dataBusy: job.dataBusy,
    evaluated,
    float,
    quantized,
    withFrontend: frontend ? await scoreSignals(whole, model, dataset, { split: evaluated, frontend }) : null,
    peakBytes: totals.peakBytes,
    flashBytes: totals.flashBytes,
    fits: boards.length > 0 ? fits : [],
    out: out ?? null,
  };
  if (out !== undefined)
    writeResults(out, { dataset, graph: job.graph, trained, file, whole: frontend ? whole : null }, report);
  return report;
}

interface Results {
  readonly dataset: Dataset;
  readonly graph: Graph;
  readonly trained: Model;
  readonly file: Uint8Array;
  /** The integer network behind its front-end. */
  readonly whole: Model | null;
}

function writeResults(out: string, { dataset, graph, trained, file, whole }: Results, report: TrainModelReport): void {
  const write = (name: string, content: string | Uint8Array): void => writeOutputFile(join(out, name), content);
  write(`model.${report.model.format}`, file);
  // TensorFlow Lite has no such front-ends, so this is Thimble's own text form.
  if (whole !== null) write("model-with-frontend.thimble", printGraph(whole.main));
  const float = fileOf(prepare(trained), trained.name);
  write(`float.${float.format}`, float.file);
  write("float.onnx", exportOnnx(graph));
  write("labels.txt", report.classes.map((c) => `${c}\n`).join(""));
  write(metricsFile, report.history.map(lineOf).join(""));
  write("report.json", `${JSON.stringify(report, null, 2)}\n`);
  write("report.html", renderTrainHtml(report, dataset));
}
