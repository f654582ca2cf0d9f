import { elementsOf, type TensorData } from "../../../base/dtype.js";
import type { TensorId } from "../../../base/units.js";
import type { NodeView, Tensor } from "../../../ir/graph.js";
import { type Activation, floatActivationRange } from "../../../ops/common/activation.js";
import { type ExportContext, onnxTypeOf } from "./context.js";
import { arrange, arranged, axesOf, blocked, identity, keepsPlaces, type Layout, nchw } from "./layouts.js";

/*
 * Words that lowerings share: operands as they broadcast, factors that were left for later, sums, activations.
 */

/**
 * The value of a tensor that broadcasts to `rank` axes, in a layout of those. What is shorter gets axes of size 1 in front,
 * as numpy gives it.
 */
export function operand(c: ExportContext, tensor: Tensor, rank: number, layout: Layout): string {
  const missing = rank - tensor.shape.length;
  if (missing === 0) return c.take(tensor, layout);
  if (elementsOf(tensor.shape) === 1) return c.reshape(c.take(tensor, identity(tensor.shape.length)), []);
  const shape = [...new Array<number>(missing).fill(1), ...tensor.shape];
  const order = axesOf(layout);
  if (tensor.data !== null && c.layouts(tensor).size === 0)
    return c.writer.constant(
      onnxTypeOf(tensor),
      arranged(shape, layout),
      arrange(tensor.data as TensorData, shape, layout),
    );
  const flat = c.take(tensor, identity(tensor.shape.length));
  if (keepsPlaces(shape, order)) return c.reshape(flat, arranged(shape, layout));
  return c.op("Transpose", [c.reshape(flat, shape)], { perm: order });
}

/** The layout to compute an output in: that of an input as large as it, if there is one. */
export function commonLayout(c: ExportContext, view: NodeView<never>, output: Tensor): Layout {
  const rank = output.shape.length;
  const size = elementsOf(output.shape);
  const inputs = view.inputs.filter((t): t is Tensor => t !== null && t.shape.length === rank && t.data === null);
  const whole = inputs.find((t) => elementsOf(t.shape) === size) ?? inputs[0];
  const isBlocked = inputs.some((t) => elementsOf(t.shape) === size && c.layouts(t).has(blocked));
  const layout = isBlocked ? blocked : whole ? c.home(whole) : identity(rank);
  if (layout !== blocked) return layout;
  // Blocks cannot broadcast, and constants would have to be reordered.
  const alike = view.inputs.every(
    (t) => t === null || elementsOf(t.shape) === 1 || (t.data === null && elementsOf(t.shape) === size),
  );
  const channels = output.shape.at(-1) ?? 0;
  return alike && (channels % c.block === 0 || ofZeros.has(view.op)) ? layout : nchw;
}

/** Operators that give finite numbers for the zeros with which a block is filled up. */
const ofZeros: ReadonlySet<string> = new Set([
  ...["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "ABS", "NEG", "IN_RANGE", "FAKE_QUANTIZE"],
  ...["RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "ELU", "GELU", "HARD_SWISH", "LOGISTIC", "TANH"],
]);

/** A tensor of no node: a step on the way to another one, which has its shape. */
export const stepOf = (tensor: Tensor): Tensor => ({ ...tensor, id: (-1 - tensor.id) as TensorId });

/** What a linear operator reads of a tensor, and the factor [c] that is left for its result; null for none. */
export function factored(c: ExportContext, tensor: Tensor): { readonly base: Tensor; readonly factor: string | null } {
  return c.products.get(tensor.id) ?? { base: tensor, factor: null };
}

/** A value of a shape times a factor for each element of its first axis; null for none. */
export function timesFirst(c: ExportContext, value: string, factor: string | null, shape: readonly number[]): string {
  if (factor === null) return value;
  return c.op("Mul", [value, c.reshape(factor, [shape[0] ?? 1, ...shape.slice(1).fill(1)])]);
}

/** The sum over a value's first axis, [n, ...] to [...], as a product by ones: it runs in all threads, ReduceSum does not. */
export function sumOfFirst(c: ExportContext, value: string, n: number, shape: readonly number[]): string {
  const rows = c.reshape(value, [n, elementsOf(shape)]);
  return c.reshape(c.op("MatMul", [c.floats([n], new Array<number>(n).fill(1)), rows]), shape);
}

/** Applies an activation. */
export function activated(c: ExportContext, activation: Activation, value: string): string {
  if (activation === "NONE") return value;
  if (activation === "RELU") return c.op("Relu", [value]);
  const { min, max } = floatActivationRange(activation);
  return c.op("Clip", [value, c.floats([], [min]), c.floats([], [max])]);
}
