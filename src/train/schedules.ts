/**
 * How the learning rate moves over a training, as a part of its peak.
 * - constant. cosine: down to `floor` (default 0) at the end (Loshchilov and Hutter 2017). step: times `factor` after
 *   each of `at`, parts of the training in (0, 1).
 * All rise linearly from zero over the first `warmup` part of the steps, default none.
 */
export type Schedule =
  | { readonly kind: "constant"; readonly warmup?: number }
  | { readonly kind: "cosine"; readonly warmup?: number; readonly floor?: number }
  | { readonly kind: "step"; readonly warmup?: number; readonly at: readonly number[]; readonly factor: number };

/** The rate of a step, which counts from 0, of `steps`. */
export function rateAt(schedule: Schedule, peak: number, step: number, steps: number): number {
  const warmup = Math.round((schedule.warmup ?? 0) * steps);
  if (step < warmup) return (peak * (step + 1)) / warmup;
  switch (schedule.kind) {
    case "constant":
      return peak;
    case "cosine": {
      const { floor = 0 } = schedule;
      const done = (step - warmup) / Math.max(steps - warmup, 1);
      return peak * (floor + ((1 - floor) * (1 + Math.cos(Math.PI * done))) / 2);
    }
    case "step":
      return peak * schedule.factor ** schedule.at.filter((part) => step >= part * steps).length;
    default:
      return schedule satisfies never;
  }
}
