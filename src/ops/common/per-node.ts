import type { NodeView } from "../../ir/graph.js";
import { inputOf, optionalInput, outputOf } from "./view.js";
import type { WeightedIndex } from "./weighted.js";

/**
 * A function of a node with weights that is computed once: kernels ask for packed weights when they are matched, planned and
 * called. It may depend on attributes, weights, bias, the input's channels, and the quantization of input and output, but on
 * no other size. The last answer is kept for as long as the weights are.
 */
export function perNode<A, T>(index: WeightedIndex, compute: (view: NodeView<A>) => T): (view: NodeView<A>) => T {
  const known = new WeakMap<object, { readonly of: readonly unknown[]; readonly result: T }>();
  return (view) => {
    const [input, weights, output] = [inputOf(view, index.input), inputOf(view, index.weights), outputOf(view, 0)];
    const of = [view.attrs, optionalInput(view, index.bias), input.shape.at(-1), input.quant, output.quant, view.op];
    const last = known.get(weights);
    if (last?.of.every((value, i) => value === of[i])) return last.result;
    const result = compute(view);
    known.set(weights, { of, result });
    return result;
  };
}
