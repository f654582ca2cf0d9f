import { present } from "../../base/assert.js";
import type { Tensor } from "../../ir/graph.js";
import { add, mul, sub, unary } from "../common/gradients.js";
import type { UnrolledStep } from "../common/recurrent-layer.js";
import { cutAt, partsOf } from "../common/recurrent-unroll.js";

/** One step in operators that have gradients. */
export function gruUnroll({ e, attrs, units, given, past, partsOfPast, clip, hidden, cell }: UnrolledStep) {
  const [givenGates, givenCandidate] = cutAt(e, given, 1, 2 * units);
  const activated = (pastGates: Tensor): readonly [Tensor, Tensor] => {
    const [update, reset] = partsOf(e, unary(e, "LOGISTIC", clip(add(e, givenGates, pastGates))), 1, 2);
    return [present(update, "update gate"), present(reset, "reset gate")];
  };
  const step = (): readonly [update: Tensor, before: Tensor] => {
    if (attrs.linearBeforeReset) {
      const [pastGates, pastCandidate] = cutAt(e, past(hidden), 1, 2 * units);
      const [update, reset] = activated(pastGates);
      return [update, mul(e, reset, pastCandidate)];
    }
    const [ofGates, ofCandidate] = partsOfPast(2 * units);
    const [update, reset] = activated(ofGates(hidden));
    return [update, ofCandidate(mul(e, reset, hidden))];
  };
  const [update, before] = step();
  const candidate = unary(e, "TANH", clip(add(e, givenCandidate, before)));
  return { hidden: add(e, candidate, mul(e, update, sub(e, hidden, candidate))), cell };
}
