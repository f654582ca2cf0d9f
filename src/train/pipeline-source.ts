import type { Batch } from "../data/batch.js";
import type { BatchSource as Pipeline } from "../data/pipeline.js";
import type { BatchSource } from "./source.js";

/** Where in an epoch the next batch of a pipeline is. */
interface Position {
  readonly epoch: number;
  readonly batches: AsyncIterator<Batch>;
  next: number;
}

/**
 * A data pipeline as the trainer takes it. Its labels must be rows ("soft" classes, or targets), its batches of the size
 * that training has. Batches come in order, so asking for an earlier one begins the epoch again.
 */
export function pipelineSource(pipeline: Pipeline): BatchSource {
  let position: Position | null = null;
  let queue: Promise<void> = Promise.resolve();

  const fill = async (epoch: number, first: number, x: Float32Array, targets: Float32Array): Promise<void> => {
    if (position === null || position.epoch !== epoch || position.next > first) {
      await position?.batches.return?.();
      position = { epoch, batches: pipeline.batches(epoch)[Symbol.asyncIterator](), next: 0 };
    }
    for (;;) {
      const { done, value } = await position.batches.next();
      if (done) throw new RangeError(`epoch ${epoch} has no batch at ${first}`);
      const isIt = position.next === first;
      position.next += pipeline.batchSize;
      if (isIt) {
        x.set(value.x);
        targets.set(value.y);
      }
      pipeline.release(value);
      if (isIt) return;
    }
  };
  return {
    samples: pipeline.examplesPerEpoch,
    fill: (epoch, first, x, targets) => {
      const filled = queue.then(() => fill(epoch, first, x, targets));
      // One failure is told to whoever asked, and does not stop the next.
      queue = filled.catch(() => undefined);
      return filled;
    },
  };
}
