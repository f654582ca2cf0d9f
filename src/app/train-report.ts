import type { BoardFit } from "../boards/fit.js";
import type { Split } from "../data/dataset.js";
import type { EpochMetrics } from "../train/trainer.js";
import type { Preparation } from "./examples.js";
import type { ModelFormat } from "./model-file.js";
import type { Score } from "./score.js";

/** What `thimble train --json` prints; version 1. */
export interface TrainModelReport {
  readonly schemaVersion: 1;
  readonly model: { readonly name: string; readonly sha256: string; readonly format: ModelFormat };
  readonly classes: readonly string[];
  readonly examples: Readonly<Record<Split, number>>;
  /** What the device must do to its values before the network: x' = (x - offset) * scale; or the front-end. */
  readonly preparation: Preparation;
  readonly parameters: number;
  readonly macs: number;
  readonly history: readonly EpochMetrics[];
  /** Epochs before quantization-aware training. */
  readonly floatEpochs: number;
  readonly seconds: number;
  /** Share of the training's time in which it did not wait for data. */
  readonly dataBusy: number;
  /** The split that was scored, by the generated C of both networks. */
  readonly evaluated: Split;
  readonly float: Score;
  readonly quantized: Score;
  /** Of the generated C with its front-end, which takes the signal itself; null without a front-end. */
  readonly withFrontend: Score | null;
  /** Of the quantized model with its front-end, streamed for the least RAM, integers in and out. */
  readonly peakBytes: number;
  readonly flashBytes: number;
  readonly fits: readonly BoardFit[];
  readonly out: string | null;
}

/** A network too large for a board, found before it is trained. */
export interface Misfit {
  readonly misfits: readonly BoardFit[];
}
