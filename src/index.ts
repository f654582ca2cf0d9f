/**
 * Thimble as a library: what the `thimble` command does, as functions. `loadModel`, `importTflite` or `importOnnx` gives a model;
 * `inspect`, `verify`, `run` and `build` do with it what the commands of the same names do. Problems of the input are
 * thrown as a DiagnosticError that carries all of them.
 */
export {
  type BuildOptions,
  type BuildReport,
  boardOf,
  build,
  type InspectOptions,
  inspect,
  run,
  type VerifyOptions,
  type VerifyReport,
  type VerifyTarget,
  verify,
} from "./app/api.js";
export { type CompileOptions, generate, type PlannedModel, planModel } from "./app/compile.js";
export { type Examples, type Preparation, readExamples } from "./app/examples.js";
export { importOnnx, loadModel } from "./app/files.js";
export { type PredictOptions, predictOnHost } from "./app/predict.js";
export { type QuantizeJobOptions, type QuantizeReport, quantize } from "./app/quantize.js";
export { renderHtml } from "./app/report/html.js";
export type { BufferReport, InspectReport, PortReport } from "./app/report/inspect.js";
export type { LayerReport } from "./app/report/layers.js";
export type { LayerProfile, ProfileReport } from "./app/report/profile.js";
export type { Mistake, Score } from "./app/score.js";
export { type TrainJobOptions, trainNetwork } from "./app/train.js";
export { type TrainModelOptions, type TrainModelReport, trainModel } from "./app/train-model.js";
export { version } from "./base/assets.js";
export {
  type Diagnostic,
  type DiagnosticCode,
  DiagnosticError,
  diagnosticCodes,
  formatDiagnostic,
} from "./base/diagnostics.js";
export type { DType, TensorData } from "./base/dtype.js";
export { type NpyArray, readNpy, writeNpy } from "./base/npy.js";
export type { Board, Core, MemoryRegion } from "./boards/board.js";
export { type BoardFit, fitBoard } from "./boards/fit.js";
export { boards, findBoard } from "./boards/table.js";
export type { GeneratedModel } from "./codegen/model.js";
export { type ProjectKind, projectKinds } from "./codegen/projects/index.js";
export type { Augmentation } from "./data/augment.js";
export type { Batch, CreateTransform, Normalization } from "./data/batch.js";
export type { Dataset, Sample, Split, TransformModule } from "./data/dataset.js";
export { openDataset } from "./data/open.js";
export type { DatasetOptions } from "./data/options.js";
export { type BatchSource, measureNormalization, openPipeline, type PipelineOptions } from "./data/pipeline.js";
export { exportOnnx } from "./formats/onnx/export/export.js";
export type { OnnxOperator } from "./formats/onnx/import/context.js";
export type { OnnxOptions } from "./formats/onnx/import/import.js";
export { onnxOperators } from "./formats/onnx/import/table.js";
export { importText } from "./formats/text.js";
export { exportTflite } from "./formats/tflite/export.js";
export { importTflite } from "./formats/tflite/import.js";
export { attachFrontend, frontendGraph } from "./frontends/frontend.js";
export type { Recipe } from "./frontends/recipe.js";
export { deviceInput, transformModule, withFrontend } from "./frontends/transform.js";
export type { Quantization, Tensor, TensorType } from "./ir/graph.js";
export { printGraph } from "./ir/print.js";
export {
  type ActivationName,
  type ConvOptions,
  type LayerOptions,
  Network,
  type PoolOptions,
  type Value,
} from "./nets/network.js";
export { type ZooOptions, zoo, zooNetwork } from "./nets/zoo.js";
export { type Graph, type Model, type Node, type OpName, operators } from "./ops/index.js";
export type { Plan } from "./plan/plan.js";
export type { Region } from "./plan/regions.js";
export { observers } from "./quantize/observers.js";
export { type QuantizeOptions, quantizeModel } from "./quantize/quantize.js";
export { testInputs } from "./run/inputs.js";
export { createSession, type Session } from "./run/interpreter.js";
export type { Loss } from "./train/losses.js";
export type { Optimizer } from "./train/optimizers.js";
export { type TrainOptions, type TrainResult, train } from "./train/trainer.js";
export { type Target, type TargetName, targetNames } from "./verify/target.js";
export { availableTargets, findTarget } from "./verify/targets.js";
export type { TargetOutcome } from "./verify/verify.js";
