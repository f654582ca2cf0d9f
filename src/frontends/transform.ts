import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { present } from "../base/assert.js";
import { packageRoot } from "../base/assets.js";
import { elementsOf, makeData, type TensorData } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { type NodeView, type Tensor, tensorOf, viewOf } from "../ir/graph.js";
import { type Graph, specOf } from "../ops/index.js";
import type { ExecView } from "../ops/spec.js";
import { frontendGraph, type ResultType } from "./frontend.js";
import { checkRecipe, type Recipe } from "./recipe.js";

/**
 * A front-end for the data pipeline, where batches are made: `{ module: transformModule, options }`. Results are the
 * operators' own, float32 or, with `result`, what the quantized network's input holds, as real numbers.
 */
export interface TransformOptions {
  readonly recipe: Recipe;
  readonly result?: ResultType;
}

/** The path of this module, compiled, as the pipeline's workers import it. */
export const transformModule: string = import.meta.url.endsWith(".ts")
  ? join(packageRoot, "dist/src/frontends/transform.js")
  : fileURLToPath(import.meta.url);

/** Runs a graph of stateless nodes on one input, with storage that is made once. */
function runner(graph: Graph): (input: TensorData) => TensorData {
  const values = new Map<TensorId, TensorData>();
  for (const t of graph.tensors.values()) values.set(t.id, t.data ?? makeData(t.dtype, elementsOf(t.shape)));
  const dataOf = (id: TensorId): TensorData => present(values.get(id), `value of tensor ${id}`);
  const steps = graph.nodes.map((node) => {
    const view = viewOf(graph, node) as NodeView<object>;
    const none = (): TensorData => new Uint8Array(0);
    return (): void => {
      const data = node.inputs.map((id) => (id === null ? null : dataOf(id)));
      specOf(node).reference({ ...view, in: data, out: node.outputs.map(dataOf), variable: none } as ExecView<object>);
    };
  });
  const [input, output] = [graph.inputs[0], graph.outputs[0]] as [TensorId, TensorId];
  return (data) => {
    values.set(input, data);
    for (const step of steps) step();
    return dataOf(output);
  };
}

/** Rounds to what the input's type holds; series come as parts of their full scale. */
function signalOf(values: Float32Array, input: Tensor, unit: readonly number[], data: TensorData): void {
  const [low, high] = input.dtype === "uint8" ? [0, 255] : [-32768, 32767];
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.max(low, Math.min(high, Math.round((values[i] as number) * (unit[i % unit.length] as number))));
  }
}

/** The transform of a recipe for examples of a shape, in the units that files have. Throws as `frontendGraph`. */
export function createTransform(options: unknown, shape: readonly number[]) {
  const { recipe, result = { dtype: "float32", quant: null } } = options as TransformOptions;
  const graph = frontendGraph(recipe, shape, result);
  const checked = checkRecipe(recipe);
  const unit = checked.kind === "imu-features" ? checked.fullScale.map((full) => 32768 / full) : [1];
  const input = tensorOf(graph, graph.inputs[0] as TensorId);
  const output = tensorOf(graph, graph.outputs[0] as TensorId);
  const signal = makeData(input.dtype, elementsOf(input.shape));
  const run = runner(graph);
  const [scale, zero] = [output.quant?.scales[0] ?? 1, output.quant?.zeroPoints[0] ?? 0];
  return {
    shape: output.shape.slice(1),
    apply: (values: Float32Array, out: Float32Array): void => {
      signalOf(values, input, unit, signal);
      const data = run(signal);
      for (let i = 0; i < out.length; i++) out[i] = (Number(data[i]) - zero) * scale;
    },
  };
}
