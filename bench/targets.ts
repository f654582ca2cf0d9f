/** Figures of peers and targets: targets.json beside the shared models. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { modelsFolder } from "./goldens.js";

/** TensorFlow Lite Micro with CMSIS-NN on a core. */
export interface TflmFigures {
  readonly arenaBytes: number;
  readonly stackBytes: number;
  readonly flashBesidesModelBytes: number;
  readonly instructions: number;
}

/** TinyEngine in one of its forms. */
export interface TinyEngineFigures {
  readonly instructions: number;
  readonly sramBytes: number;
  readonly imageBytesBesides: number;
  readonly stackBytes: number;
}

/** What is known of a model: by core, and what is to be reached. */
export interface ModelFigures {
  readonly tflm?: Readonly<Record<string, TflmFigures>>;
  readonly tinyengine?: Readonly<Record<string, Readonly<Record<string, TinyEngineFigures>>>>;
  readonly target?: {
    readonly residentBytes?: number;
    readonly pushedBytes?: number;
    readonly instructions?: Readonly<Record<string, number>>;
  };
}

/** A measured latency that somebody published, on a board with that core. */
export interface PublishedFigures {
  readonly megacycles: number;
  readonly by: string;
}

export interface Targets {
  readonly models: Readonly<Record<string, ModelFigures>>;
  /** By core, then by model. */
  readonly bestPublished?: Readonly<Record<string, Readonly<Record<string, PublishedFigures>>>>;
}

/** Reads the figures; none where the file is missing. */
export function readTargets(): Targets {
  const file = join(modelsFolder, "../targets.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Targets) : { models: {} };
}
