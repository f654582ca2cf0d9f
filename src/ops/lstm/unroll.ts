import type { Tensor } from "../../ir/graph.js";
import { add, mul, unary } from "../common/gradients.js";
import type { UnrolledStep } from "../common/recurrent-layer.js";
import { partsOf } from "../common/recurrent-unroll.js";

/** One step in operators that have gradients. */
export function lstmUnroll({ e, given, past, peephole, clip, hidden, cell }: UnrolledStep) {
  const [i, o, f, c] = partsOf(e, add(e, given, past(hidden)), 1, 4) as [Tensor, Tensor, Tensor, Tensor];
  const seeing = (sum: Tensor, state: Tensor, third: number): Tensor => {
    const weights = peephole(third);
    return weights === null ? sum : add(e, sum, mul(e, state, weights));
  };
  const gate = (sum: Tensor): Tensor => unary(e, "LOGISTIC", clip(sum));
  const kept = mul(e, gate(seeing(f, cell, 2)), cell);
  const added = mul(e, gate(seeing(i, cell, 0)), unary(e, "TANH", clip(c)));
  const next = add(e, kept, added);
  return { hidden: mul(e, gate(seeing(o, next, 1)), unary(e, "TANH", next)), cell: next };
}
