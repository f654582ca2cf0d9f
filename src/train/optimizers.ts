import { present } from "../base/assert.js";
import type { Tensor } from "../ir/graph.js";
import { add, div, mul, scalar, scale, sub, sumOver, unary } from "../ops/common/gradients.js";
import type { Emitter } from "../ops/gradient.js";

/**
 * How weights follow gradients. Decay pulls at matrices and filters, not at vectors: biases and normalization stay free.
 * - sgd: v = momentum v + g + decay w; w -= rate v, or with Nesterov rate (g + decay w + momentum v), as PyTorch has it.
 * - adamw: Loshchilov and Hutter 2019; decay apart from the gradient.
 */
export type Optimizer =
  | { readonly kind: "sgd"; readonly momentum: number; readonly nesterov?: boolean; readonly weightDecay: number }
  | {
      readonly kind: "adamw";
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      readonly weightDecay: number;
    };

/** Numbers that change from step to step, in the order of the graph's inputs. */
export const stepValues = ["rate", "correction1", "correction2"] as const;

/** The values of a step, which counts from 1. */
export function valuesOf(optimizer: Optimizer, rate: number, step: number): readonly number[] {
  if (optimizer.kind === "sgd") return [rate];
  const { beta1 = 0.9, beta2 = 0.999 } = optimizer;
  return [rate, 1 - beta1 ** step, 1 - beta2 ** step];
}

/** Names of the optimiser's own vectors, each as long as the weights. */
export const momentsOf = (optimizer: Optimizer): readonly string[] => {
  if (optimizer.kind === "adamw") return ["moment1", "moment2"];
  return optimizer.momentum === 0 ? [] : ["velocity"];
};

/** What an update is made of: vectors of all weights, and the decay of each of them. */
export interface Update {
  readonly weights: Tensor;
  readonly gradient: Tensor;
  readonly moments: readonly Tensor[];
  readonly values: readonly Tensor[];
  /** 1 where weights decay, 0 where not; null where there is no decay at all. */
  readonly decays: Tensor | null;
}

/** Emits the new weights and moments. */
export function emitUpdate(
  e: Emitter,
  optimizer: Optimizer,
  update: Update,
): { readonly weights: Tensor; readonly moments: readonly Tensor[] } {
  const { weights: w, gradient: g, decays } = update;
  const rate = present(update.values[0], "rate");
  const pull = (): Tensor | null => (decays === null ? null : mul(e, w, scale(e, decays, optimizer.weightDecay)));
  if (optimizer.kind === "sgd") {
    const { momentum, nesterov = false } = optimizer;
    const decay = pull();
    const wanted = decay === null ? g : add(e, g, decay);
    const before = update.moments[0];
    if (before === undefined) return { weights: sub(e, w, mul(e, wanted, rate)), moments: [] };
    const velocity = add(e, scale(e, before, momentum), wanted);
    const step = nesterov ? add(e, wanted, scale(e, velocity, momentum)) : velocity;
    return { weights: sub(e, w, mul(e, step, rate)), moments: [velocity] };
  }
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = optimizer;
  const [m, v] = [present(update.moments[0], "moment"), present(update.moments[1], "moment")];
  const [c1, c2] = [present(update.values[1], "correction"), present(update.values[2], "correction")];
  const moment1 = add(e, scale(e, m, beta1), scale(e, g, 1 - beta1));
  const moment2 = add(e, scale(e, v, beta2), scale(e, mul(e, g, g), 1 - beta2));
  const length = add(e, unary(e, "SQRT", div(e, moment2, c2)), scalar(e, epsilon));
  const step = mul(e, div(e, div(e, moment1, c1), length), rate);
  const decay = pull();
  const kept = decay === null ? w : sub(e, w, mul(e, decay, rate));
  return { weights: sub(e, kept, step), moments: [moment1, moment2] };
}

/** A gradient no longer than `most` (Pascanu et al. 2013), with PyTorch's 1e-6 added to its length. */
export function emitClipped(e: Emitter, gradient: Tensor, most: number): Tensor {
  const length = unary(e, "SQRT", sumOver(e, mul(e, gradient, gradient), [0]));
  const ratio = div(e, scalar(e, most), add(e, length, scalar(e, 1e-6)));
  return mul(e, gradient, present(e.node("MINIMUM", [ratio, scalar(e, 1)], {})[0], "minimum"));
}
