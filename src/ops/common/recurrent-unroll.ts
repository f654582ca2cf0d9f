import { present } from "../../base/assert.js";
import { fail } from "../../base/diagnostics.js";
import { type NodeView, originName, type Tensor } from "../../ir/graph.js";
import type { Emitter, Recurrence } from "../gradient.js";
import { concat, indices, reshape } from "./gradients.js";
import { maxSlices } from "./joins.js";
import {
  outputIndex,
  type RecurrentAttrs,
  type RecurrentLayer,
  recurrentInputs,
  recurrentSizes,
  stepAt,
} from "./recurrent-layer.js";
import { inputOf, optionalInput } from "./view.js";

const at = recurrentInputs;

const single = (outputs: readonly Tensor[]): Tensor => present(outputs[0], "output");

/** x [n, depth] times the transposed weights [units, depth], plus bias. */
export const product = (e: Emitter, x: Tensor, weights: Tensor, bias: Tensor | null): Tensor =>
  single(
    e.node("FULLY_CONNECTED", bias === null ? [x, weights] : [x, weights, bias], {
      activation: "NONE",
      keepNumDims: false,
    }),
  );

/** x within [-limit, limit]; a limit of 0 is none. */
export function limited(e: Emitter, x: Tensor, limit: number): Tensor {
  const bound = (op: string, of: Tensor, value: number): Tensor =>
    single(e.node(op, [of, e.constant([], Float32Array.of(value))], {}));
  return limit > 0 ? bound("MAXIMUM", bound("MINIMUM", x, limit), -limit) : x;
}

/** Parts of those sizes along an axis: one operator, whose gradient is one, however many there are. */
const partsAlong = (e: Emitter, t: Tensor, axis: number, sizes: readonly number[]): readonly Tensor[] =>
  sizes.length === 1 ? [t] : e.node("SPLIT_V", [t, indices(e, sizes), indices(e, [axis])], { count: sizes.length });

/** Equal parts along an axis. */
export const partsOf = (e: Emitter, t: Tensor, axis: number, count: number): readonly Tensor[] =>
  partsAlong(e, t, axis, new Array<number>(count).fill((t.shape[axis] ?? 0) / count));

/** The first `size` elements along an axis, and the rest. */
export function cutAt(e: Emitter, t: Tensor, axis: number, size: number): readonly [Tensor, Tensor] {
  const [first, rest] = partsAlong(e, t, axis, [size, (t.shape[axis] ?? 0) - size]);
  return [present(first, "part"), present(rest, "part")];
}

/** The vectors [batch, size] of each step of a sequence. Throws TH2015 for more steps than a graph is worth. */
export function stepsOf(e: Emitter, view: NodeView<unknown>, t: Tensor, axis: 0 | 1): readonly Tensor[] {
  const steps = t.shape[axis] ?? 1;
  if (steps > maxSlices)
    fail("TH2015", {
      where: [originName(view.origin)],
      found: `a sequence of ${steps} steps`,
      expected: `at most ${maxSlices}`,
      fix: "train on shorter sequences, or put a convolution with a stride before the layer",
    });
  return partsOf(e, t, axis, steps).map((part) => reshape(e, part, t.shape.toSpliced(axis, 1)));
}

/** The vectors [batch, size] of all steps, joined into a sequence. */
export const sequenceOf = (e: Emitter, vectors: readonly Tensor[], axis: 0 | 1): Tensor =>
  concat(
    e,
    vectors.map((t) => reshape(e, t, t.shape.toSpliced(axis, 0, 1))),
    axis,
  );

/** The node's layer, a step after another. */
function unrollLayer(layer: RecurrentLayer, view: NodeView<RecurrentAttrs>, e: Emitter): readonly Tensor[] {
  const { steps, batch, inputs, units } = recurrentSizes(view);
  const { attrs } = view;
  const [x, weights, recurrent] = [at.data, at.weights, at.recurrent].map((i) => inputOf(view, i)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const recurrentBias = optionalInput(view, at.recurrentBias);
  const axis = attrs.timeMajor ? 0 : 1;
  // What the gates get from the input, of all steps at once.
  const flat = product(e, reshape(e, x, [steps * batch, inputs]), weights, optionalInput(view, at.bias));
  const given = stepsOf(e, view, reshape(e, flat, x.shape.with(2, layer.gates * units)), axis);
  const thirds = optionalInput(view, at.peepholes);
  const peepholes = thirds && partsOf(e, thirds, 0, 3);
  const parts = new Map<number, ReturnType<typeof cutPast>>();
  const cutPast = (first: number) => {
    const matrices = cutAt(e, recurrent, 0, first);
    const biases = recurrentBias && cutAt(e, recurrentBias, 0, first);
    const of = (i: 0 | 1) => (state: Tensor) => product(e, state, matrices[i], biases?.[i] ?? null);
    return [of(0), of(1)] as const;
  };
  const initial = (index: number): Tensor =>
    optionalInput(view, index) ?? e.constant([batch, units], new Float32Array(batch * units));
  let states = { hidden: initial(at.hidden), cell: initial(at.cell) };
  const hidden = new Array<Tensor>(steps);
  for (let k = 0; k < steps; k++) {
    const step = stepAt(attrs, steps, k);
    states = layer.unroll({
      e,
      attrs,
      units,
      given: present(given[step], "sums"),
      past: (state) => product(e, state, recurrent, recurrentBias),
      partsOfPast: (first) => {
        const known = parts.get(first) ?? cutPast(first);
        parts.set(first, known);
        return known;
      },
      peephole: (index) => peepholes?.[index] ?? null,
      clip: (sum) => limited(e, sum, attrs.clip),
      ...states,
    });
    hidden[step] = states.hidden;
  }
  const outputs: Tensor[] = [];
  const put = (output: "sequence" | "hidden" | "cell", value: () => Tensor): void => {
    const index = outputIndex(attrs, output);
    if (index >= 0 && index < view.outputs.length) outputs[index] = value();
  };
  put("sequence", () => sequenceOf(e, hidden, axis));
  put("hidden", () => states.hidden);
  put("cell", () => states.cell);
  return outputs;
}

/** How a recurrent layer goes through its sequence. */
export const recurrenceOf = (layer: RecurrentLayer): Recurrence<RecurrentAttrs> => ({
  steps: (view) => recurrentSizes(view).steps,
  unroll: (view, e) => unrollLayer(layer, view, e),
});
