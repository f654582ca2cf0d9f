import type { Graph } from "../ops/index.js";
import type { Backend } from "./backend.js";
import type { Score } from "./evaluate.js";
import type { HostOptions } from "./host.js";
import type { Schedule } from "./schedules.js";
import type { BatchSource } from "./source.js";
import type { StepOptions } from "./step.js";

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
  /**
   * "fastest" (default) takes the runtime's own blocked operators where it has them and they agree with the plain ones;
   * "plain" is the same on every machine.
   */
  readonly forms?: "fastest" | "plain";
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
