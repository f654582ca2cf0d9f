import { present } from "../../base/assert.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import { add, mul, reshape, unary } from "../common/gradients.js";
import { limited, product, sequenceOf, stepsOf } from "../common/recurrent-unroll.js";
import { inputOf } from "../common/view.js";
import type { Emitter } from "../gradient.js";
import { at, gates, type LstmAttrs, lstmSize } from "./size.js";

/** All steps from a state of zeros. */
export function lstmUnroll(view: NodeView<LstmAttrs>, e: Emitter): readonly Tensor[] {
  const { timeMajor, cellClip } = view.attrs;
  const { batch, steps, inputs, units } = lstmSize(view);
  const x = inputOf(view, at.input);
  const axis = timeMajor ? 0 : 1;
  const flat = reshape(e, x, [batch * steps, inputs]);
  // What the gates get from the input, of all steps at once.
  const given = gates.map((g) => {
    const sums = product(e, flat, inputOf(view, at.weights + g), inputOf(view, at.bias + g));
    return stepsOf(e, view, reshape(e, sums, x.shape.with(2, units)), axis);
  });
  const zeros = (): Tensor => e.constant([batch, units], new Float32Array(batch * units));
  let [hidden, cell] = [zeros(), zeros()];
  const outputs: Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    const sum = (g: number): Tensor =>
      add(e, present(given[g]?.[step], "gate"), product(e, hidden, inputOf(view, at.recurrent + g), null));
    const [i, f, o] = [0, 1, 3].map((g) => unary(e, "LOGISTIC", sum(g))) as [Tensor, Tensor, Tensor];
    cell = limited(e, add(e, mul(e, f, cell), mul(e, i, unary(e, "TANH", sum(2)))), cellClip);
    hidden = mul(e, o, unary(e, "TANH", cell));
    outputs.push(hidden);
  }
  return [sequenceOf(e, outputs, axis)];
}
