import { exportOnnx } from "../formats/onnx/export/export.js";
import type { Graph } from "../ops/index.js";
import type { StorageOf } from "./parameters.js";
import { onnxStorage } from "./storage.js";

/** How a step becomes a model that a runtime executes. */
export interface Lowering {
  readonly name: string;
  readonly storage: StorageOf;
  readonly model: (step: Graph) => Uint8Array;
}

/** Ordinary operators, which every ONNX Runtime has. */
export const plainLowering: Lowering = { name: "plain", storage: onnxStorage, model: (step) => exportOnnx(step) };
