import type { Tensor } from "../../../ir/graph.js";
import { plainRecurrent, type RecurrentAttrs } from "../../../ops/common/recurrent-layer.js";
import { countTo, noActivation } from "./arithmetic.js";
import { float, type OnnxNode, type OnnxOperator, operator, requireOption } from "./context.js";

/** Activations that our layers have, in the node's order for one direction. */
const defaults = { LSTM: ["Sigmoid", "Tanh", "Tanh"], GRU: ["Sigmoid", "Tanh"], RNN: ["Tanh"] } as const;
type Layer = keyof typeof defaults;

/** The activation of RNN, of which there are two; of the others there is one set. */
function activationOf(n: OnnxNode, layer: Layer, direction: number): "TANH" | "RELU" {
  const given = n.attr.texts("activations");
  const count = defaults[layer].length;
  const names = given.length === 0 ? defaults[layer] : given.slice(direction * count, (direction + 1) * count);
  const isRelu = layer === "RNN" && names[0] === "Relu";
  const isDefault = names.every((name, i) => name === defaults[layer][i]);
  requireOption(n, isRelu || isDefault, "activations", names, defaults[layer].join(", "));
  return isRelu ? "RELU" : "TANH";
}

/** Checks what the layers do not have: sequences of different lengths, coupled gates. */
function checkOptions(n: OnnxNode, steps: number): void {
  if (n.has(4)) {
    const lengths = n.constants(4, "sequence_lens");
    requireOption(
      n,
      lengths.every((length) => length === steps),
      "sequence_lens",
      lengths,
      `all ${steps}`,
    );
  }
  requireOption(n, n.attr.int("input_forget", 0) === 0, "input_forget", 1, "0");
}

/** Slice `d` of the first axis, which it loses. */
const take = (n: OnnxNode, t: Tensor | null, d: number): Tensor | null =>
  t && n.b.reshape(n.b.sliceAxis(t, 0, d, d + 1), t.shape.slice(1));

/** A tensor with a new axis of size 1; no reshape, whose shape would fix the batch. */
const withAxis = (n: OnnxNode, t: Tensor, axis: number): Tensor => n.b.emit("EXPAND_DIMS", [t, n.b.ints([axis])]);

/** A state [batch, units] unless it is one of zeros, which is what there is without. */
const stateOf = (t: Tensor | null): Tensor | null =>
  t?.data && (t.data as Float32Array).every((v) => v === 0) ? null : t;

/** Both halves of biases [2 * rows]. */
function biasesOf(n: OnnxNode, bias: Tensor | null): readonly [Tensor | null, Tensor | null] {
  if (bias === null) return [null, null];
  const rows = (bias.shape[0] ?? 0) / 2;
  return [n.b.sliceAxis(bias, 0, 0, rows), n.b.sliceAxis(bias, 0, rows, 2 * rows)];
}

function joined(n: OnnxNode, parts: readonly Tensor[], axis: number): Tensor {
  return parts.length === 1 ? (parts[0] as Tensor) : n.b.emit("CONCATENATION", parts, { axis, ...noActivation });
}

/** A layer for each direction; `layout` 1 has the batch before the steps. */
function recurrent(n: OnnxNode, layer: Layer): readonly Tensor[] {
  const isBatchFirst = n.attr.int("layout", 0) === 1;
  const batchFirst = (t: Tensor): Tensor => (isBatchFirst ? n.b.transpose(t, [1, 0, 2]) : t);
  const x = n.input(0);
  checkOptions(n, x.shape[isBatchFirst ? 1 : 0] ?? 1);
  const direction = n.attr.text("direction", "forward");
  const known = ["forward", "reverse", "bidirectional"].includes(direction);
  requireOption(n, known, "direction", direction, "forward, reverse or bidirectional");
  const [weights, past, bias] = [n.input(1), n.input(2), n.optional(3)];
  const [hidden = null, cell = null] = [5, 6].map((i) => {
    const t = layer === "LSTM" || i === 5 ? n.optional(i) : null;
    return t && batchFirst(t);
  });
  const peepholes = layer === "LSTM" ? n.optional(7) : null;
  const directions = direction === "bidirectional" ? [0, 1] : [0];
  const runs = directions.map((d) => {
    const inputs: (Tensor | null)[] = [
      x,
      take(n, weights, d),
      take(n, past, d),
      ...biasesOf(n, take(n, bias, d)),
      stateOf(take(n, hidden, d)),
    ];
    if (layer === "LSTM") inputs.push(stateOf(take(n, cell, d)), take(n, peepholes, d));
    const attrs: RecurrentAttrs = {
      ...plainRecurrent,
      timeMajor: !isBatchFirst,
      reverse: direction === "reverse" || d === 1,
      clip: n.attr.float("clip", 0),
      linearBeforeReset: n.attr.int("linear_before_reset", 0) === 1,
      activation: activationOf(n, layer, d),
    };
    const outputs = layer === "LSTM" ? [{}, {}, {}] : [{}, {}];
    const present = inputs.findLastIndex((t) => t !== null) + 1;
    return n.b.emitAll(layer, inputs.slice(0, present), attrs, outputs);
  });
  const of = (i: number): readonly Tensor[] => runs.map((r) => r[i] as Tensor);
  // [steps, directions, batch, units], or [batch, steps, directions, units].
  const axis = isBatchFirst ? 2 : 1;
  const y = joined(
    n,
    of(0).map((t) => withAxis(n, t, axis)),
    axis,
  );
  const states = countTo(layer === "LSTM" ? 2 : 1).map((i) =>
    joined(
      n,
      of(i + 1).map((t) => withAxis(n, t, 0)),
      0,
    ),
  );
  return [y, ...states.map(batchFirst)];
}

const limits = "sequences of one length; default activations";

export const recurrents: readonly OnnxOperator[] = (["LSTM", "GRU", "RNN"] as const).map((layer) =>
  operator({ name: layer, types: float, limits, make: (n) => recurrent(n, layer) }),
);
