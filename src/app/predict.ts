import { elementsOf, fromBytes, type TensorData, toBytes } from "../base/dtype.js";
import { tensorOf } from "../ir/graph.js";
import type { Model } from "../ops/index.js";
import { findTarget } from "../verify/targets.js";
import { programOf } from "../verify/verify.js";
import { type CompileOptions, generate, planModel } from "./compile.js";

/** Requests of one process: a bound for the memory that its inputs and outputs take. */
const mostRequests = 2000;

export interface PredictOptions extends CompileOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, count: number) => void;
}

/**
 * The outputs of a model's generated C for many inputs, compiled for this machine with optimization: what the firmware
 * computes, at the speed of the host. Each entry of `inputs` has an array for each input of the model, in the element
 * type that it takes. Throws TH5001 without a C compiler.
 */
export async function predictOnHost(
  model: Model,
  inputs: readonly (readonly TensorData[])[],
  options: PredictOptions = {},
): Promise<readonly (readonly TensorData[])[]> {
  const { signal, onProgress, ...compileOptions } = options;
  const planned = planModel(model, { plan: "layers", isa: "portable", ...compileOptions });
  const program = programOf(generate(planned));
  const { graph } = planned;
  const types = graph.inputs.map((id) => tensorOf(graph, id).dtype);
  const results: TensorData[][] = [];
  for (let first = 0; first < inputs.length; first += mostRequests) {
    const requests = inputs.slice(first, first + mostRequests).map((values) => ({
      model: 0,
      inputs: values.map((data, i) => toBytes(types[i] ?? "float32", data)),
    }));
    const run = { sanitizers: "off", timeoutMs: 600_000, ...(signal ? { signal } : {}) } as const;
    const report = await findTarget("host").run(program, requests, run);
    for (const { outputs } of report.runs) {
      results.push(
        graph.outputs.map((id, i) => {
          const t = tensorOf(graph, id);
          return fromBytes(t.dtype, outputs[i] ?? new Uint8Array(0), elementsOf(t.shape));
        }),
      );
    }
    onProgress?.(Math.min(inputs.length, first + mostRequests), inputs.length);
  }
  return results;
}
