/** A stretch of the order that is played several times. */
export interface Run {
  readonly first: number;
  readonly length: number;
  readonly times: number;
}

/** An order of firings as runs over a list of entries. */
export interface CompactOrder {
  readonly entries: readonly number[];
  readonly runs: readonly Run[];
}

/** Bytes of one run in the generated table; a repetition that saves less is not worth one. */
const runBytes = 6;
const longestPeriod = 512;

/** How many times in a row the `period` values at `at` occur. */
function repeats(order: readonly number[], at: number, period: number): number {
  let same = 0;
  while (at + period + same < order.length && order[at + same] === order[at + period + same]) same++;
  return 1 + Math.floor(same / period);
}

/** The period and repetitions at a place that save most entries, if any save enough. */
function bestRepeat(order: readonly number[], at: number): { readonly period: number; readonly times: number } | null {
  let best: { period: number; times: number } | null = null;
  let most = runBytes;
  for (let period = 1; period <= Math.min(longestPeriod, (order.length - at) >> 1); period++) {
    if (order[at] !== order[at + period]) continue;
    const times = repeats(order, at, period);
    const saved = period * (times - 1);
    if (saved <= most) continue;
    most = saved;
    best = { period, times };
  }
  return best;
}

/** Finds what repeats in an order: streaming settles into a cycle, so most orders shrink to a few short runs. */
export function compactOrder(order: readonly number[]): CompactOrder {
  const pieces: { readonly values: readonly number[]; readonly times: number }[] = [];
  let pending: number[] = [];
  const flush = (): void => {
    if (pending.length > 0) pieces.push({ values: pending, times: 1 });
    pending = [];
  };
  for (let at = 0; at < order.length; ) {
    const repeat = bestRepeat(order, at);
    if (repeat === null) {
      pending.push(order[at++] as number);
      continue;
    }
    flush();
    pieces.push({ values: order.slice(at, at + repeat.period), times: repeat.times });
    at += repeat.period * repeat.times;
  }
  flush();
  // Equal stretches are stored once.
  let text = "";
  const runs = pieces.map(({ values, times }): Run => {
    const piece = String.fromCharCode(...values);
    const known = text.indexOf(piece);
    const first = known < 0 ? text.length : known;
    if (known < 0) text += piece;
    return { first, length: values.length, times };
  });
  return { entries: Array.from(text, (c) => c.charCodeAt(0)), runs };
}
