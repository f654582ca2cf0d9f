/** Kernels that give way to ones with less scratch, where memory counts. */
import type { MeasuredCore } from "../cost/cycles.js";
import { type Choice, choicesWithin, fitsBudget, memoryChoices, type Ordered } from "./choose.js";
import type { CompileOptions } from "./compile-options.js";
import {
  cyclesWith,
  type KernelMap,
  kernelsBelowPeak,
  leanerKernels,
  mostScratch,
  planCycles,
  scratchAtPeak,
  type Variants,
} from "./kernels.js";

/** What a search for kernels needs. */
export interface LeanSearch {
  /** The graph in the orders that are tried, with given kernels. */
  readonly ordersWith: (kernels: KernelMap) => readonly Ordered[];
  readonly variants: Variants;
  readonly core: MeasuredCore;
  readonly options: CompileOptions;
}

/** The most cycles that the least RAM may cost, relative to layer by layer with the fastest kernels. */
const leanOverhead = 0.07;
/** It may cost any number of them where it takes at most this part of what it otherwise would. */
const muchLess = 0.75;
/** RAM that is not worth cycles: this part, and at most so many bytes. */
const slackShare = 0.01;
const slackBytes = 64;

/** How often kernels at the peak give way to leaner ones, and how often in a row in vain. */
const mostSteps = 8;
const mostInVain = 2;
/** What part of the peak scratch at it must be, to look for less. */
const leastGain = 0.01;

/** A plan, and its cycles by estimate. */
interface Costed {
  readonly choice: Choice;
  readonly cycles: number;
}

const peakOf = ({ choice }: Costed): number => choice.plan.peakBytes;
const smallest = (all: readonly Costed[]): Costed => all.reduce((a, b) => (peakOf(b) < peakOf(a) ? b : a));
const cyclesOf = ({ order, plan }: Choice, core: MeasuredCore): number => planCycles(order.nodes, plan, core);

/** The kernels of a plan but for leaner ones at its peak; null where none are, or scratch is next to nothing there. */
function leanerAtPeak({ order: { nodes }, plan }: Choice, { variants, core }: LeanSearch): KernelMap | null {
  if (scratchAtPeak(nodes, plan) < leastGain * plan.peakBytes) return null;
  return kernelsBelowPeak({ nodes, plan }, variants, core);
}

/**
 * The plan with the least RAM that costs little, or much less RAM at any cost. Kernels at the peak give way step by step to
 * ones with less scratch; of plans that take next to the same RAM the fastest is taken.
 */
export function leastRam(search: LeanSearch, kernels: KernelMap): Choice {
  const { ordersWith, variants, core, options } = search;
  const { budgetBytes = Infinity } = options;
  let orders = ordersWith(kernels);
  const most = (1 + leanOverhead) * Math.min(...orders.map(({ nodes, layers }) => planCycles(nodes, layers, core)));
  const tooLong = (choice: Choice): boolean => cyclesOf(choice, core) > most;
  const costed = (choices: readonly Choice[]): readonly Costed[] =>
    choices.map((choice) => ({ choice, cycles: cyclesOf(choice, core) }));
  const tried: Costed[] = [];
  let [least, inVain] = [Infinity, 0];
  for (let step = 0; step <= mostSteps && inVain < mostInVain; step++) {
    const round = costed(memoryChoices(orders, options, tooLong));
    tried.push(...round);
    const cheap = round.filter(({ cycles }) => cycles <= most);
    const next = smallest(cheap.length > 0 ? cheap : round);
    inVain = cheap.length > 0 && peakOf(next) < least ? 0 : inVain + 1;
    if (cheap.length > 0) least = Math.min(least, peakOf(next));
    const leaner = leanerAtPeak(next.choice, search);
    if (leaner === null || cyclesWith(variants, leaner, core) > most) break;
    orders = ordersWith(leaner);
  }
  const all = tried.filter(({ choice }) => fitsBudget(choice.plan, options));
  const cheap = all.filter(({ cycles }) => cycles <= most);
  const smallestOfAll = smallest(all);
  const isMuchLess = cheap.length === 0 || peakOf(smallestOfAll) <= muchLess * peakOf(smallest(cheap));
  const found = isMuchLess ? smallestOfAll : smallest(cheap);
  const room = Math.min(peakOf(found) + Math.min(slackShare * peakOf(found), slackBytes), budgetBytes);
  const near = [...all.filter((c) => peakOf(c) <= room), ...costed(choicesWithin([found.choice.order], options, room))];
  return near.reduce((a, b) => (b.cycles < a.cycles ? b : a)).choice;
}

/**
 * A plan that fits the budget, at any cost, where `first` does not; or the least. Kernels at the peak give way to ones with
 * less scratch; if nothing fits then, limits of scratch are tried for all kernels.
 */
export function squeezed(search: LeanSearch, first: Choice, planWith: (kernels: KernelMap) => Choice): Choice {
  const { variants, core, options } = search;
  const { budgetBytes = Infinity } = options;
  // Of what is missing scratch is a part only; where it is too small a part, no kernel helps.
  if (first.plan.peakBytes - 2 * mostScratch(first.order.nodes) > budgetBytes) return first;
  let best = first;
  const isBest = (choice: Choice): boolean => {
    if (choice.plan.peakBytes >= best.plan.peakBytes) return false;
    best = choice;
    return true;
  };
  let last = first;
  for (let step = 0, inVain = 0; step < mostSteps && inVain < mostInVain; step++) {
    const kernels = fitsBudget(best.plan, options) ? null : leanerAtPeak(last, search);
    if (kernels === null) break;
    last = planWith(kernels);
    inVain = isBest(last) ? 0 : inVain + 1;
  }
  for (const kernels of leanerKernels(variants, core)) {
    if (fitsBudget(best.plan, options)) break;
    isBest(planWith(kernels));
  }
  return best;
}
