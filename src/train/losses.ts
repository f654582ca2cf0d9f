import { present } from "../base/assert.js";
import { elementsOf } from "../base/dtype.js";
import type { Tensor } from "../ir/graph.js";
import { add, div, mul, reshape, scalar, scale, sub, unary } from "../ops/common/gradients.js";
import type { Emitter } from "../ops/gradient.js";

/**
 * What training makes small, of outputs y and targets t of the same shape, both [batch, ..., n]; the mean over everything
 * but the last axis (for mse and l1, over everything).
 * - cross-entropy: -sum(t log softmax(y)); t are probabilities, so that classes may be mixed. With smoothing s, t is
 *   (1 - s) t + s / n (Szegedy et al. 2016).
 * - mse: (y - t)^2. l1: |y - t|.
 * - cosine: 1 - y t / (|y| |t|).
 */
export type Loss =
  | { readonly kind: "cross-entropy"; readonly smoothing?: number }
  | { readonly kind: "mse" }
  | { readonly kind: "l1" }
  | { readonly kind: "cosine" };

/** Below this a length counts as this, so that nothing is divided by zero. */
const shortest = 1e-6;

function total(e: Emitter, t: Tensor): Tensor {
  const flat = reshape(e, t, [elementsOf(t.shape)]);
  return present(e.node("SUM", [flat, e.constant([1], Int32Array.of(0))], { keepDims: false })[0], "sum");
}

const alongLast = (e: Emitter, t: Tensor): Tensor =>
  present(e.node("SUM", [t, e.constant([1], Int32Array.of(t.shape.length - 1))], { keepDims: true })[0], "sum");

/** Emits the loss, a scalar. */
export function emitLoss(e: Emitter, loss: Loss, y: Tensor, targets: Tensor): Tensor {
  const last = y.shape.at(-1) ?? 1;
  const rows = elementsOf(y.shape) / last;
  switch (loss.kind) {
    case "cross-entropy": {
      const s = loss.smoothing ?? 0;
      const t = s === 0 ? targets : add(e, scale(e, targets, 1 - s), scalar(e, s / last));
      return scale(e, total(e, mul(e, t, unary(e, "LOG_SOFTMAX", y))), -1 / rows);
    }
    case "mse": {
      const away = sub(e, y, targets);
      return scale(e, total(e, mul(e, away, away)), 1 / (rows * last));
    }
    case "l1":
      return scale(e, total(e, unary(e, "ABS", sub(e, y, targets))), 1 / (rows * last));
    case "cosine": {
      const length = (t: Tensor): Tensor => {
        const square = present(e.node("MAXIMUM", [alongLast(e, mul(e, t, t)), scalar(e, shortest ** 2)], {})[0], "max");
        return unary(e, "SQRT", square);
      };
      const cosine = div(e, alongLast(e, mul(e, y, targets)), mul(e, length(y), length(targets)));
      return sub(e, scalar(e, 1), scale(e, total(e, cosine), 1 / rows));
    }
    default:
      return loss satisfies never;
  }
}
