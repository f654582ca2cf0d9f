import type { Histogram } from "./histogram.js";

/** An interval of real values that integers are to cover. */
export interface Interval {
  readonly min: number;
  readonly max: number;
}

/** How the interval of an activation is chosen from its histogram. */
export const observers = {
  /** All that was seen. */
  "min-max": "everything that was seen",
  /** All but 1 in 10,000 at each end. */
  percentile: "all but one value in 10,000 at each end",
  /** Least squared error after rounding and clipping. */
  mse: "the least squared error",
  /** Least divergence of the rounded distribution from the original (as TensorRT's calibration). */
  entropy: "the least relative entropy between what was seen and what integers give",
} as const;

export type ObserverName = keyof typeof observers;

/** Values beyond the ends that the percentile observer gives up. */
const tail = 1e-4;

/** How far an end is moved in, in steps of the whole; the search looks at all pairs of these. */
const shrinkSteps = 24;
const shrinkMost = 0.8;

const withZero = ({ min, max }: Interval): Interval => ({ min: Math.min(min, 0), max: Math.max(max, 0) });

function percentile(histogram: Histogram): Interval {
  const total = histogram.counts.reduce((sum, c) => sum + c, 0);
  const allowed = total * tail;
  let [low, high, below, above] = [0, histogram.counts.length - 1, 0, 0];
  for (; low < high; low++) {
    below += histogram.counts[low] as number;
    if (below > allowed) break;
  }
  for (; high > low; high--) {
    above += histogram.counts[high] as number;
    if (above > allowed) break;
  }
  const { width } = histogram;
  return {
    min: Math.max(histogram.min, histogram.middle(low) - width / 2),
    max: Math.min(histogram.max, histogram.middle(high) + width / 2),
  };
}

/** Bins that hold something, as values with weights. */
function pointsOf(histogram: Histogram): readonly (readonly [value: number, count: number])[] {
  const points: (readonly [number, number])[] = [];
  histogram.counts.forEach((count, i) => {
    if (count > 0) points.push([histogram.middle(i), count]);
  });
  return points;
}

type Points = ReturnType<typeof pointsOf>;

/** Squared error of rounding to `levels` values of an interval; what lies within a step is uniform there. */
function squaredError(points: Points, { min, max }: Interval, levels: number): number {
  const step = (max - min) / (levels - 1) || 1;
  let error = 0;
  for (const [value, count] of points) {
    const outside = value < min ? min - value : value > max ? value - max : 0;
    error += count * (outside > 0 ? outside * outside : (step * step) / 12);
  }
  return error;
}

/**
 * Relative entropy of the distribution to the one that `levels` values of the interval can express: what lies outside counts
 * at the ends, what lies within a level is spread over its bins.
 */
function divergence(points: Points, { min, max }: Interval, levels: number): number {
  const step = (max - min) / (levels - 1) || 1;
  const mass = new Float64Array(levels);
  const bins = new Float64Array(levels);
  const levelOf = (value: number): number =>
    Math.min(levels - 1, Math.max(0, Math.round((Math.min(Math.max(value, min), max) - min) / step)));
  for (const [value, count] of points) {
    const level = levelOf(value);
    const isInside = value >= min && value <= max;
    if (!isInside) continue;
    mass[level] = (mass[level] as number) + count;
    bins[level] = (bins[level] as number) + 1;
  }
  const total = points.reduce((sum, [, count]) => sum + count, 0);
  const inside = mass.reduce((sum, m) => sum + m, 0) || 1;
  const outside = new Map<number, number>();
  let sum = 0;
  for (const [value, count] of points) {
    const level = levelOf(value);
    if (value < min || value > max) {
      outside.set(level, (outside.get(level) ?? 0) + count);
      continue;
    }
    const expressed = (mass[level] as number) / (bins[level] as number) / inside;
    sum += (count / total) * Math.log(count / total / expressed);
  }
  for (const [level, count] of outside) {
    const expressed = Math.max((mass[level] as number) / inside, 1e-9);
    sum += (count / total) * Math.log(count / total / expressed + 1);
  }
  return sum;
}

/** The interval of least cost among those with either end moved in. */
function search(histogram: Histogram, cost: (points: Points, interval: Interval) => number): Interval {
  const points = pointsOf(histogram);
  const whole = withZero(histogram);
  const shares = Array.from({ length: shrinkSteps }, (_, i) => 1 - (shrinkMost * i) / (shrinkSteps - 1));
  let best: Interval = whole;
  let least = Infinity;
  for (const low of whole.min === 0 ? [1] : shares) {
    for (const high of whole.max === 0 ? [1] : shares) {
      const interval = { min: whole.min * low, max: whole.max * high };
      const found = cost(points, interval);
      if (found < least) [best, least] = [interval, found];
    }
  }
  return best;
}

/**
 * The interval that an observer takes of what it saw, zero included (padding and ReLU need zero to be exact).
 * @param levels how many values the integers have: 256 for int8.
 */
export function observedInterval(histogram: Histogram, observer: ObserverName, levels: number): Interval {
  if (histogram.min > histogram.max) return { min: 0, max: 0 };
  switch (observer) {
    case "min-max":
      return withZero(histogram);
    case "percentile":
      return withZero(percentile(histogram));
    case "mse":
      return search(histogram, (points, interval) => squaredError(points, interval, levels));
    case "entropy":
      return search(histogram, (points, interval) => divergence(points, interval, Math.min(levels, 256)));
    default:
      return observer satisfies never;
  }
}
