/**
 * LiteRT, Google's TensorFlow Lite runtime compiled to WebAssembly (npm @litertjs/core), as an independent judge of
 * the files Thimble writes and of its operators.
 *
 * The package's JavaScript layer wants a browser and takes float32 and int32 only; the emscripten module beneath it
 * runs in Node as it is and takes every element type, so this uses the module directly. Nothing leaks: the module's
 * script runs as a function of its own, and a module that failed is thrown away with its memory.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compileFunction } from "node:vm";
import { present } from "../src/base/assert.js";
import { type DType, elementsOf, fromBytes, type TensorData, toBytes } from "../src/base/dtype.js";
import { type Tensor, tensorOf } from "../src/ir/graph.js";
import type { Graph } from "../src/ops/index.js";

interface Deletable {
  readonly delete: () => void;
}

/** An enumerator as embind hands it out. */
interface Enumerator {
  readonly value: number;
}

interface Vector<T> extends Deletable {
  readonly size: () => number;
  readonly get: (index: number) => T;
  readonly push_back: (item: T) => void;
}

interface TensorType extends Deletable {
  readonly elementType: () => Enumerator;
  readonly bytes: () => number;
}

interface Signature extends Deletable {
  readonly inputNames: () => Vector<string>;
}

interface LoadedModel extends Deletable {
  readonly getSignature: (index: number) => Signature;
}

interface Buffer extends Deletable {
  readonly lock: (mode: Enumerator) => number;
  readonly unlock: () => void;
  readonly packedSize: () => number;
}

interface CompiledModel extends Deletable {
  readonly run: (signature: number, inputs: readonly Buffer[]) => readonly Buffer[] | Promise<readonly Buffer[]>;
}

/** The part of the module's interface that is used here; the package's types do not export it. */
interface Module {
  readonly HEAPU8: Uint8Array;
  readonly _malloc: (bytes: number) => number;
  readonly _free: (at: number) => void;
  readonly setupLogging: () => void;
  readonly LiteRtEnvironment: { readonly create: (device: null) => object };
  readonly loadModel: (environment: object, at: number, bytes: number) => LoadedModel;
  readonly compileModel: (
    environment: object,
    model: LoadedModel,
    options: { readonly accelerator: "wasm"; readonly cpuOptions: { readonly numThreads: number } },
  ) => CompiledModel | Promise<CompiledModel>;
  readonly VectorInt32: new () => Vector<number>;
  readonly ElementType: Readonly<Record<string, Enumerator>>;
  readonly LiteRtLayout: { readonly create: (dimensions: Vector<number>) => Deletable };
  readonly LiteRtRankedTensorType: { readonly create: (type: Enumerator, layout: Deletable) => TensorType };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: Enumerator };
  readonly LiteRtTensorBufferLockMode: { readonly READ: Enumerator; readonly WRITE: Enumerator };
  readonly LiteRtTensorBuffer: {
    readonly createManaged: (environment: object, memory: Enumerator, type: TensorType, bytes: number) => Buffer;
  };
}

type ModuleFactory = (options: { readonly printErr: (line: string) => void }) => Promise<Module>;

/** A started module and what it has printed since its last job. */
interface Runtime {
  readonly wasm: Module;
  readonly environment: object;
  readonly log: string[];
}

async function startRuntime(): Promise<Runtime> {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve("@litertjs/core")), "../wasm");
  // "compat" does without relaxed SIMD, whose results may differ between machines.
  const file = join(folder, "litert_wasm_compat_internal.js");
  // The script is CommonJS inside a package that says it is ESM, so require() would not take it.
  const names = ["module", "require", "__dirname", "__filename"];
  const script = compileFunction(readFileSync(file, "utf8"), [...names, "exports"], { filename: file });
  const module: { exports: unknown } = { exports: {} };
  script(module, require, folder, file, module.exports);
  const log: string[] = [];
  const wasm = await (module.exports as ModuleFactory)({ printErr: (line) => void log.push(line) });
  wasm.setupLogging();
  return { wasm, environment: wasm.LiteRtEnvironment.create(null), log };
}

let current: Promise<Runtime> | undefined;

function createBuffer({ wasm, environment }: Runtime, tensor: Tensor, data: TensorData): Buffer {
  const dimensions = new wasm.VectorInt32();
  for (const size of tensor.shape) dimensions.push_back(size);
  const layout = wasm.LiteRtLayout.create(dimensions);
  const elementType = present(wasm.ElementType[tensor.dtype.toUpperCase()], "element type");
  const type = wasm.LiteRtRankedTensorType.create(elementType, layout);
  const buffer = wasm.LiteRtTensorBuffer.createManaged(
    environment,
    wasm.LiteRtTensorBufferType.HOST_MEMORY,
    type,
    type.bytes(),
  );
  const at = buffer.lock(wasm.LiteRtTensorBufferLockMode.WRITE);
  wasm.HEAPU8.set(toBytes(tensor.dtype, data), at);
  buffer.unlock();
  for (const owned of [dimensions, layout, type]) owned.delete();
  return buffer;
}

function readBuffer({ wasm }: Runtime, buffer: Buffer, dtype: DType, elements: number): TensorData {
  const at = buffer.lock(wasm.LiteRtTensorBufferLockMode.READ);
  const bytes = wasm.HEAPU8.slice(at, at + buffer.packedSize());
  buffer.unlock();
  return fromBytes(dtype, bytes, elements);
}

/** The tensors of one invocation, in the file's order; and those of several, between which state is kept. */
export type Values = readonly TensorData[];
export type Runs = readonly Values[];

/** A .tflite file with its ports and the inputs of each invocation. */
interface Job {
  readonly file: Uint8Array;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly runs: Runs;
}

async function runOn(runtime: Runtime, job: Job): Promise<Runs> {
  const { wasm, environment } = runtime;
  const at = wasm._malloc(job.file.length);
  wasm.HEAPU8.set(job.file, at);
  const model = wasm.loadModel(environment, at, job.file.length);
  const compiled = await wasm.compileModel(environment, model, {
    accelerator: "wasm",
    cpuOptions: { numThreads: 1 },
  });
  const results: Values[] = [];
  for (const data of job.runs) {
    const inputs = job.inputs.map((tensor, i) => createBuffer(runtime, tensor, present(data[i], "input")));
    const outputs = await compiled.run(0, inputs);
    results.push(
      job.outputs.map((tensor, i) => {
        return readBuffer(runtime, present(outputs[i], "output"), tensor.dtype, elementsOf(tensor.shape));
      }),
    );
    for (const buffer of [...inputs, ...outputs]) buffer.delete();
  }
  compiled.delete();
  model.delete();
  wasm._free(at);
  return results;
}

/** Outputs of each invocation, or what LiteRT says against the file. */
export type Outcome =
  | { readonly kind: "ran"; readonly outputs: Runs }
  | { readonly kind: "refused"; readonly why: string };

/** The tensors of a graph's inputs or outputs. */
export const portsOf = (graph: Graph, side: "inputs" | "outputs"): readonly Tensor[] =>
  graph[side].map((id) => tensorOf(graph, id));

/** Runs a file in LiteRT; `graph` is what it holds, for the types of its inputs and outputs. */
export async function runLiteRt(file: Uint8Array, graph: Graph, runs: Runs): Promise<Outcome> {
  current ??= startRuntime();
  const runtime = await current;
  runtime.log.length = 0;
  const errors = (): readonly string[] => runtime.log.filter((line) => line.startsWith("ERROR"));
  try {
    const outputs = await runOn(runtime, {
      file,
      inputs: portsOf(graph, "inputs"),
      outputs: portsOf(graph, "outputs"),
      runs,
    });
    // An operator that will not prepare is only logged: the run then "succeeds" and leaves the outputs as they were.
    if (errors().length === 0) return { kind: "ran", outputs };
    return { kind: "refused", why: errors().join("; ") };
  } catch (error) {
    // What failed halfway, or aborted, has left its memory behind.
    current = undefined;
    return { kind: "refused", why: [...errors(), (error as Error).message.split("\n")[0]].join("; ") };
  }
}

/** How two results differ. */
export interface Difference {
  readonly elements: number;
  readonly differing: number;
  /** The largest difference, in the steps of its tensor. */
  readonly worst: number;
}

/** Compares results element by element; `stepOf` is what to measure a difference by, given the largest element. */
export function difference(
  tensors: readonly Tensor[],
  want: Values,
  found: Values,
  stepOf: (tensor: Tensor, largest: number) => number,
): Difference {
  let [elements, differing, worst] = [0, 0, 0];
  tensors.forEach((tensor, t) => {
    const [a, b] = [present(want[t], "result"), present(found[t], "result")];
    const largest = Array.from(a, Number).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    const step = stepOf(tensor, largest);
    elements += a.length;
    for (let i = 0; i < a.length; i++) {
      if (a[i] === b[i] || Object.is(a[i], b[i])) continue;
      const steps = Math.abs(Number(a[i]) - Number(b[i])) / step;
      differing++;
      // A NaN or a missing element on one side only is no small difference.
      worst = Number.isNaN(steps) ? Infinity : Math.max(worst, steps);
    }
  });
  return { elements, differing, worst };
}
