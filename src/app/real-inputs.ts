import { elementsOf, makeData, rangeOf, type TensorData } from "../base/dtype.js";
import { type Dataset, examplesOf, type Split } from "../data/dataset.js";
import { deviceInput } from "../frontends/transform.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { Graph } from "../ops/index.js";
import { type Preparation, preparationFor, readExamples } from "./examples.js";

export interface RealInputOptions extends Preparation {
  /** Default: test, or validation where there is no test split. */
  readonly split?: Split;
  /** At most so many, evenly from the split's order. Default all. */
  readonly count?: number;
}

/** Real values as a tensor holds them: rounded and saturated by its quantization. */
function stored(values: Float32Array, { dtype, quant }: Tensor): TensorData {
  if (dtype === "float32") return values;
  const data = makeData(dtype, values.length);
  const { min, max } = rangeOf(dtype);
  const [scale, zero] = [quant?.scales[0] ?? 1, quant?.zeroPoints[0] ?? 0];
  values.forEach((v, i) => {
    data[i] = Math.max(min, Math.min(max, Math.round(v / scale) + zero));
  });
  return data;
}

/** So many of a list, evenly from its order. */
const spread = <T>(all: readonly T[], count: number): readonly T[] =>
  count >= all.length ? all : Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)] as T);

/**
 * Examples as a compiled graph's input takes them: the signal itself where the graph has the preparation's front-end, else
 * features or normalized values, in the input's element type. Throws TH6002 where their size is not that of the input.
 */
export async function realInputs(
  graph: Graph,
  dataset: Dataset,
  options: RealInputOptions = {},
): Promise<readonly (readonly TensorData[])[]> {
  const split = options.split ?? (examplesOf(dataset, "test").length > 0 ? "test" : "validation");
  const input = tensorOf(graph, graph.inputs[0] as never);
  const { frontend } = options;
  const count = options.count ?? Infinity;
  if (frontend !== undefined) {
    const toSignal = deviceInput(frontend, dataset.shape ?? []);
    const chosen = spread(examplesOf(dataset, split), count);
    const isSignal = (data: TensorData | undefined): boolean =>
      data?.length === elementsOf(input.shape) && data.constructor === makeData(input.dtype, 0).constructor;
    const first = chosen[0];
    if (first === undefined) return [];
    if (isSignal(toSignal(dataset.read(first).data))) return chosen.map((i) => [toSignal(dataset.read(i).data)]);
  }
  const { inputs } = await readExamples(dataset, graph, { ...preparationFor(dataset, options), split });
  return spread(inputs, count).map((values) => [stored(values, input)]);
}
