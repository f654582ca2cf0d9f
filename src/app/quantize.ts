import { fail } from "../base/diagnostics.js";
import type { Dataset } from "../data/dataset.js";
import { originName } from "../ir/graph.js";
import type { Model } from "../ops/index.js";
import type { ActivationType } from "../quantize/affine.js";
import { equalize } from "../quantize/equalize.js";
import {
  bitsOf,
  fourBitLayers,
  type LayerSensitivity,
  layerSensitivities,
  noiseOf,
  outputsOf,
} from "../quantize/mixed.js";
import { type ObserverName, observers } from "../quantize/observers.js";
import { type Calibrated, calibrate, type Outputs, prepare, quantizeCalibrated } from "../quantize/quantize.js";
import type { WeightBits } from "../quantize/weights.js";
import { inspect } from "./api.js";
import { type Examples, type Preparation, preparationFor, preparationOf, readExamples } from "./examples.js";
import { type Judge, judgedByFloat, judgeOf, lossOf, powerOf, scoreOnHost } from "./judge.js";
import { fileOf, type ModelFile, type ModelFormat, sha256Of } from "./model-file.js";
import type { Score } from "./score.js";

export interface QuantizeJobOptions extends Preparation {
  readonly dataset: Dataset;
  readonly activations?: ActivationType;
  /** "auto": 4 bits for the layers that bear it best, as many as `flashBytes` or `maxLoss` ask for. Default 8. */
  readonly weightBits?: WeightBits | "auto";
  /** "auto" (default): the one whose outputs are closest to the float network's. */
  readonly observer?: ObserverName | "auto";
  readonly biasCorrection?: "on" | "off";
  /** Weights up or down so that layers' outputs change least (default), or to the nearest. */
  readonly rounding?: "adaptive" | "nearest";
  /** Whether channels between layers are brought to like ranges first; "auto" (default): where outputs come closer by it. */
  readonly equalize?: "on" | "off" | "auto";
  /** Weights and constants are to take at most so many bytes; layers get 4 bits until they do. */
  readonly flashBytes?: number;
  /** For "auto" bits: the most that accuracy may fall below the float network's, as a share (0.01: one point). */
  readonly maxLoss?: number;
  /** Examples for calibration, from the training split. Default 200. */
  readonly calibration?: number;
  /** Examples that are scored, from the test split (validation where there is none). Default all. */
  readonly evaluation?: number;
  readonly seed?: number;
  readonly onProgress?: (text: string, done: number, count: number) => void;
}

/** What `thimble quantize --json` prints; version 1. */
export interface QuantizeReport {
  readonly schemaVersion: 1;
  readonly model: { readonly name: string; readonly sha256: string; readonly format: ModelFormat };
  readonly activations: ActivationType;
  readonly observer: ObserverName;
  readonly equalized: boolean;
  readonly rounding: "adaptive" | "nearest";
  readonly weightBits: WeightBits | "mixed";
  /** Noise over signal of the outputs on the calibration examples, for each way that was tried. */
  readonly observers: readonly Tried[];
  /** Only where bits were chosen. */
  readonly layers: readonly { readonly layer: string; readonly bits: WeightBits }[];
  /** Most sensitive first; only where bits were chosen. */
  readonly sensitivities: readonly LayerSensitivity[];
  readonly floating: readonly string[];
  /** Weights and constants. */
  readonly flashBytes: number;
  readonly floatFlashBytes: number;
  /** `against` the float network: its outputs are no classes or targets of the data. */
  readonly evaluated: { readonly split: string; readonly count: number; readonly against: Judge };
  readonly float: Score;
  readonly quantized: Score;
}

/** A way to choose scales. */
interface Tried {
  readonly observer: ObserverName;
  readonly equalized: boolean;
  readonly noise: number;
}

export interface QuantizeJob extends ModelFile {
  readonly report: QuantizeReport;
}

/** Examples by which observers and layers are compared: each costs one run of the interpreter for each candidate. */
const comparedExamples = 24;

const flashOf = (model: Model): number => inspect(model, { plan: "layers", boards: [] }).totals.flashBytes;

type Samples = readonly (readonly [Float32Array])[];

/** Calibrates the network as it is, equalized, or both, and tries observers on a few examples; the best first. */
function calibrations(
  model: Model,
  samples: Samples,
  options: QuantizeJobOptions,
): readonly (Tried & { readonly calibrated: Calibrated })[] {
  const { observer = "auto", equalize: even = "auto", weightBits, onProgress } = options;
  const bits = weightBits === 4 ? 4 : 8;
  const names = observer === "auto" ? (Object.keys(observers) as ObserverName[]) : [observer];
  const compared = samples.slice(0, comparedExamples);
  let wanted: Outputs | null = null;
  const tried = (["off", "on"] as const)
    .filter((way) => even === "auto" || way === even)
    .flatMap((way) => {
      const equalized = way === "on";
      onProgress?.(`calibrating on ${samples.length} examples${equalized ? ", equalized" : ""}`, 0, 1);
      const main = equalized ? equalize(prepare(model)) : model.main;
      const calibrated = calibrate({ ...model, main }, samples);
      // Both ways compute the same; nothing is compared where there is one.
      if (names.length === 1 && even !== "auto")
        return names.map((o) => ({ observer: o, equalized, noise: 0, calibrated }));
      wanted ??= outputsOf(calibrated.graph, compared);
      return names.map((o) => {
        onProgress?.(`observer ${o}`, 0, 1);
        const { graph } = quantizeCalibrated(calibrated, { ...waysOf(options), observer: o, weightBits: bits });
        return { observer: o, equalized, noise: noiseOf(wanted ?? [], outputsOf(graph, compared)), calibrated };
      });
    });
  return tried.toSorted((a, b) => a.noise - b.noise);
}

/** What does not depend on examples. */
const waysOf = ({ activations = "int8", biasCorrection = "on", rounding = "adaptive" }: QuantizeJobOptions) => ({
  activations,
  biasCorrection,
  rounding,
});

/** Throws TH6003 for choices that do not go together: none of them is passed over. */
function checkChoices(options: QuantizeJobOptions): void {
  const { activations = "int8", weightBits = 8, flashBytes, maxLoss, calibration = 1, evaluation = 1 } = options;
  const refuse = (found: string, expected: string, fix: string): never => fail("TH6003", { found, expected, fix });
  if (activations === "int16" && weightBits !== 8)
    refuse("int16 activations with weights of 4 bits", "8 bits", "take int8 activations, or weights of 8 bits");
  if (maxLoss !== undefined && (weightBits !== "auto" || flashBytes !== undefined))
    refuse(
      `a greatest loss with ${flashBytes === undefined ? `weights of ${weightBits} bits` : "a limit of flash"}`,
      "weights whose bits are chosen (auto), by one limit",
      "leave one of them out",
    );
  if (calibration < 1 || evaluation < 1)
    refuse(`${calibration} examples to calibrate, ${evaluation} to score`, "at least one", "give more examples");
}

/** Throws TH7005 where weights and constants take more than they may. */
function checkFlash(bytes: number, limit: number | undefined, smallest: string): void {
  if (limit === undefined || bytes <= limit) return;
  fail("TH7005", {
    found: `${bytes} bytes with ${smallest}`,
    expected: `${limit}`,
    fix: "take a smaller network, or prune this one",
  });
}

/**
 * Quantizes a float model with real data: calibrates on the training examples, chooses how, and scores the generated C of
 * both on the test examples. Throws TH6003 for choices that do not go together, TH7002 and TH7003 for models and data that
 * cannot be used, and TH7005 where the flash does not suffice.
 */
export async function quantize(model: Model, options: QuantizeJobOptions): Promise<QuantizeJob> {
  checkChoices(options);
  const { dataset, activations = "int8", weightBits = 8, flashBytes, seed = 1, onProgress } = options;
  const against = judgeOf(model, dataset);
  const preparation = preparationFor(dataset, preparationOf(options));
  const read = (split: "train" | "validation" | "test", count: number | undefined) =>
    readExamples(dataset, model.main, { ...preparation, split, seed, ...(count === undefined ? {} : { count }) });
  onProgress?.("reading examples", 0, 1);
  const training = await read("train", options.calibration ?? 200);
  const samples = training.inputs.map((x): readonly [Float32Array] => [x]);
  const split = dataset.examples.some((e) => e.split === "test") ? "test" : "validation";
  const found = await read(split, options.evaluation);
  const tried = calibrations(model, samples, options);
  const [{ calibrated, observer, equalized }] = tried as [(typeof tried)[number]];
  const base = { ...waysOf(options), observer };
  const compared = samples.slice(0, comparedExamples);
  const floatFile = fileOf(calibrated.graph, model.name);
  onProgress?.("scoring the float network", 0, 1);
  const judged = (examples: Examples) => (against === "data" ? examples : judgedByFloat(floatFile.model, examples));
  const evaluation = await judged(found);
  const float = await scoreOnHost(floatFile.model, evaluation);

  const make = (fourBits: ReadonlySet<string> | WeightBits) => {
    const bits = typeof fourBits === "number" ? fourBits : bitsOf(fourBits);
    const converted = quantizeCalibrated(calibrated, { ...base, weightBits: bits });
    return { ...fileOf(converted.graph, model.name), converted };
  };
  const isChosen = weightBits === "auto" || (flashBytes !== undefined && weightBits === 8 && activations === "int8");
  let made = make(weightBits === "auto" ? 8 : weightBits);
  let sensitivities: readonly LayerSensitivity[] = [];
  let four: ReadonlySet<string> = new Set();
  if (isChosen) {
    sensitivities = layerSensitivities(calibrated, compared, base, (done, count) =>
      onProgress?.("sensitivity of layers", done, count),
    );
    const limit = { flashBytes, lossLimit: options.maxLoss, against };
    // Bits are chosen by examples that the final score does not know.
    const judging = split === "validation" ? training : await read("validation", undefined);
    const judge = await judged(judging.inputs.length > 0 ? judging : training);
    const reference = against === "data" ? await scoreOnHost(floatFile.model, judge) : powerOf(judge);
    ({ made, four } = await chooseBits(make, made, sensitivities, limit, reference, judge));
  }
  checkFlash(flashOf(made.model), flashBytes, `${activations} activations and weights of ${weightBits} bits`);
  onProgress?.("scoring the quantized network", 0, 1);
  const quantized = await scoreOnHost(made.model, evaluation);
  const report: QuantizeReport = {
    schemaVersion: 1,
    model: { name: model.name, sha256: sha256Of(made.file), format: made.format },
    activations,
    observer,
    equalized,
    rounding: base.rounding,
    weightBits: isChosen ? "mixed" : weightBits === 4 ? 4 : 8,
    observers: tried.map(({ calibrated: _, ...rest }) => rest),
    layers: sensitivities.map(({ layer }) => ({ layer, bits: four.has(layer) ? 4 : 8 })),
    sensitivities,
    floating: made.converted.floating.map((n) => originName(n.origin)),
    flashBytes: flashOf(made.model),
    floatFlashBytes: flashOf(floatFile.model),
    evaluated: { split, count: evaluation.inputs.length, against },
    float,
    quantized,
  };
  return { model: made.model, file: made.file, format: made.format, report };
}

type Made = ModelFile & { readonly converted: ReturnType<typeof quantizeCalibrated> };

/**
 * Gives layers 4 bits, those that matter least per byte first: until the weights fit, or (without a size) as many as the
 * loss allows. Throws TH7005 where even all of them are not enough.
 */
async function chooseBits(
  make: (fourBits: ReadonlySet<string>) => Made,
  eightBits: Made,
  sensitivities: readonly LayerSensitivity[],
  limit: { readonly flashBytes: number | undefined; readonly lossLimit: number | undefined; readonly against: Judge },
  float: Score,
  evaluation: Examples,
): Promise<{ readonly made: Made; readonly four: ReadonlySet<string> }> {
  let best = { made: eightBits, four: new Set<string>() as ReadonlySet<string> };
  const { flashBytes } = limit;
  if (flashBytes !== undefined) {
    let now = flashOf(eightBits.model);
    let save = now - flashBytes;
    while (now > flashBytes) {
      const four = fourBitLayers(sensitivities, save);
      best = { made: make(four), four };
      now = flashOf(best.made.model);
      save += Math.max(64, now - flashBytes);
      if (four.size === sensitivities.length) checkFlash(now, flashBytes, "4 bits everywhere");
    }
    return best;
  }
  // Halving: how many layers, from the least sensitive on, the loss allows.
  const allowed = limit.lossLimit ?? 0.005;
  let [low, high] = [0, sensitivities.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const four = new Set(sensitivities.slice(sensitivities.length - middle).map((s) => s.layer));
    const made = make(four);
    const score = await scoreOnHost(made.model, evaluation);
    if (lossOf(score, float, limit.against) <= allowed) {
      low = middle;
      best = { made, four };
    } else high = middle - 1;
  }
  return best;
}
