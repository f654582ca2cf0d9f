import { seededRandom } from "../base/random.js";

/** Where batches come from. The same arguments must give the same batch, or training cannot resume to the bit. */
export interface BatchSource {
  /** Samples in an epoch. */
  readonly samples: number;
  /**
   * Fills a batch: `x` with the inputs, [batch, ...] flat, `targets` with what the network should give, [batch, ...] flat
   * (a 1 at the class, or probabilities). Both arrive as they were left, for as many samples as fit; `first` is the place
   * of the batch's first sample in the epoch's order, and those beyond the epoch's end are ignored.
   */
  readonly fill: (epoch: number, first: number, x: Float32Array, targets: Float32Array) => void | Promise<void>;
}

/** A permutation of 0 .. n - 1 (Fisher and Yates). */
export function shuffled(n: number, seed: number): Uint32Array {
  const random = seededRandom(seed);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.integer(0, i);
    const swap = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swap;
  }
  return order;
}

/** A seed for one of many uses of one seed. */
export const mixedSeed = (seed: number, ...parts: readonly number[]): number =>
  parts.reduce((h, part) => Math.imul(h ^ part, 0x9e3779b1) ^ (h >>> 15), seed | 0);

/** Samples that are all in memory. */
export interface ArraySourceOptions {
  /** Inputs one after another, `labels.length` of the same size. */
  readonly inputs: Float32Array;
  /** Classes from 0. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  /** Seed of each epoch's order; the order of the arrays unless given. */
  readonly shuffle?: number;
  /** Changes a sample in place; `random` is the same for the same sample of the same epoch. */
  readonly augment?: (sample: Float32Array, random: ReturnType<typeof seededRandom>) => void;
}

/** A source over arrays. */
export function arraySource(options: ArraySourceOptions): BatchSource {
  const { inputs, labels, classes, shuffle, augment } = options;
  const samples = labels.length;
  const size = inputs.length / samples;
  let known: { readonly epoch: number; readonly order: Uint32Array } | null = null;
  const orderOf = (epoch: number): Uint32Array | null => {
    if (shuffle === undefined) return null;
    if (known?.epoch !== epoch) known = { epoch, order: shuffled(samples, mixedSeed(shuffle, epoch)) };
    return known.order;
  };
  return {
    samples,
    fill: (epoch, first, x, targets) => {
      const order = orderOf(epoch);
      targets.fill(0);
      for (let i = 0; i < x.length / size && first + i < samples; i++) {
        const at = order ? (order[first + i] as number) : first + i;
        const sample = x.subarray(i * size, (i + 1) * size);
        sample.set(inputs.subarray(at * size, (at + 1) * size));
        augment?.(sample, seededRandom(mixedSeed(shuffle ?? 0, epoch, at)));
        targets[i * classes + (labels[at] as number)] = 1;
      }
    },
  };
}
