import type { Loss } from "./losses.js";

/** What a network gave for samples, counted. */
export interface Score {
  readonly samples: number;
  /** The mean loss. */
  readonly loss: number;
  /** Share of samples whose largest output is the class; null where outputs are no classes. */
  readonly accuracy: number | null;
  /** `confusion[class][found]`; empty where outputs are no classes. */
  readonly confusion: readonly (readonly number[])[];
  /** Samples of the largest loss, worst first. */
  readonly worst: readonly {
    readonly sample: number;
    readonly loss: number;
    readonly label: number;
    readonly found: number;
  }[];
}

const largest = (row: Float32Array): number => {
  let best = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] as number) > (row[best] as number)) best = i;
  return best;
};

/** The loss of one sample, in double. */
export function sampleLoss(loss: Loss, y: Float32Array, t: Float32Array): number {
  const sum = (f: (y: number, t: number) => number): number => {
    let total = 0;
    for (let i = 0; i < y.length; i++) total += f(y[i] as number, t[i] as number);
    return total;
  };
  switch (loss.kind) {
    case "cross-entropy": {
      const top = y.reduce((a, b) => Math.max(a, b), -Infinity);
      const log = top + Math.log(sum((v) => Math.exp(v - top)));
      const s = loss.smoothing ?? 0;
      return sum((v, p) => (p * (1 - s) + s / y.length) * (log - v));
    }
    case "mse":
      return sum((v, p) => (v - p) ** 2) / y.length;
    case "l1":
      return sum((v, p) => Math.abs(v - p)) / y.length;
    case "cosine":
      return 1 - sum((v, p) => v * p) / Math.max(Math.sqrt(sum((v) => v * v) * sum((_, p) => p * p)), 1e-12);
    default:
      return loss satisfies never;
  }
}

const worstKept = 16;

/** Counts outputs as they come; `targets` and `outputs` are [samples, ...] flat, of which the first `count` samples count. */
export function scorer(loss: Loss, last: number) {
  const isClasses = loss.kind === "cross-entropy";
  const confusion = isClasses ? Array.from({ length: last }, () => new Array<number>(last).fill(0)) : [];
  let worst: { sample: number; loss: number; label: number; found: number }[] = [];
  let [samples, total, right, rows] = [0, 0, 0, 0];
  return {
    add: (outputs: Float32Array, targets: Float32Array, count: number, size: number): void => {
      for (let n = 0; n < count; n++) {
        let mean = 0;
        for (let at = n * size; at < (n + 1) * size; at += last) {
          const [y, t] = [outputs.subarray(at, at + last), targets.subarray(at, at + last)];
          const found = sampleLoss(loss, y, t);
          mean += (found * last) / size;
          rows++;
          if (!isClasses) continue;
          const [label, guess] = [largest(t), largest(y)];
          const row = confusion[label];
          if (row) row[guess] = (row[guess] ?? 0) + 1;
          if (label === guess) right++;
          worst.push({ sample: samples, loss: found, label, found: guess });
        }
        total += mean;
        samples++;
      }
      if (worst.length > 8 * worstKept) worst = worst.toSorted((a, b) => b.loss - a.loss).slice(0, worstKept);
    },
    score: (): Score => ({
      samples,
      loss: total / Math.max(samples, 1),
      accuracy: isClasses ? right / Math.max(rows, 1) : null,
      confusion,
      worst: worst.toSorted((a, b) => b.loss - a.loss).slice(0, worstKept),
    }),
  };
}
