import type { TensorId } from "../base/units.js";
import type { Graph } from "../ops/index.js";
import { logits } from "./forward.js";
import type { Loss } from "./losses.js";
import { type Parameters, parametersOf, type StorageOf } from "./parameters.js";
import { rebatch } from "./rebatch.js";
import { turnImages } from "./turn.js";
import { unrollSequences } from "./unroll.js";

/** A network of batch 1 as training runs it, and what it learns; the ids of parameters are the network's. */
export interface Prepared {
  readonly graph: Graph;
  readonly parameters: Parameters;
}

/** Filters of turned images are stored turned, so that no step has to turn them: axes 1 and 2 are their height and width. */
function storedTurned(parameters: Parameters, filters: ReadonlySet<TensorId>): Parameters {
  const other = (axis: number): number => (axis === 1 ? 2 : axis === 2 ? 1 : axis);
  const weights = parameters.weights.map((p) => (filters.has(p.id) ? { ...p, order: p.order.map(other) } : p));
  return { ...parameters, weights };
}

/** Logits instead of a softmax, batches, recurrent layers step by step, images on their longer side. */
export function prepared(
  network: Graph,
  batch: number,
  options: {
    readonly loss: Loss;
    readonly frozen?: ((name: string) => boolean) | undefined;
    readonly storage?: StorageOf | undefined;
  },
): Prepared {
  const batched = rebatch(logits(network, options.loss), batch);
  const parameters = parametersOf(batched, options.frozen ?? (() => false), options.storage ?? (() => null));
  const { graph, filters } = turnImages(unrollSequences(batched));
  return { graph, parameters: storedTurned(parameters, filters) };
}
