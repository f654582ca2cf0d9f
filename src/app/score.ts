import type { Examples } from "./examples.js";

/** An example that was taken for another class. */
export interface Mistake {
  /** Which example of the data set it is. */
  readonly example: number;
  readonly label: number;
  readonly found: number;
  /** By how much the wrong class won, in units of the outputs. */
  readonly margin: number;
}

/** How well outputs agree with what examples say. */
export type Score =
  | {
      readonly kind: "accuracy";
      readonly correct: number;
      readonly count: number;
      readonly value: number;
      /** `confusion[class][found]`: how many; empty where there are too many classes to show. */
      readonly confusion: readonly (readonly number[])[];
      /** The clearest mistakes, worst first. */
      readonly worst: readonly Mistake[];
    }
  | { readonly kind: "mean squared error"; readonly count: number; readonly value: number };

const mostClasses = 100;
const mostMistakes = 24;

const largest = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
};

function accuracyOf(outputs: readonly ArrayLike<number>[], { labels, indices }: Examples): Score {
  const classes = outputs[0]?.length ?? 0;
  const confusion = Array.from({ length: classes <= mostClasses ? classes : 0 }, () =>
    new Array<number>(classes).fill(0),
  );
  const mistakes: Mistake[] = [];
  let correct = 0;
  outputs.forEach((y, i) => {
    const [label, found] = [labels[i] ?? 0, largest(y)];
    const row = confusion[label];
    if (row) row[found] = (row[found] ?? 0) + 1;
    if (found === label) correct++;
    else mistakes.push({ example: indices[i] ?? i, label, found, margin: (y[found] ?? 0) - (y[label] ?? 0) });
  });
  const worst = mistakes.toSorted((a, b) => b.margin - a.margin).slice(0, mostMistakes);
  const count = outputs.length;
  return { kind: "accuracy", correct, count, value: correct / Math.max(1, count), confusion, worst };
}

/** Accuracy of classes, or the mean squared error against targets. */
export function scoreOf(outputs: readonly ArrayLike<number>[], examples: Examples): Score {
  if (examples.labels.length > 0) return accuracyOf(outputs, examples);
  const count = outputs.length;
  const total = outputs.reduce((sum, y, i) => {
    const target = examples.targets[i] ?? new Float32Array(0);
    let error = 0;
    for (let k = 0; k < y.length; k++) error += ((y[k] as number) - (target[k] ?? 0)) ** 2;
    return sum + error / Math.max(1, y.length);
  }, 0);
  return { kind: "mean squared error", count, value: total / Math.max(1, count) };
}
