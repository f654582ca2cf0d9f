import type { TensorId } from "../base/units.js";
import { type Policy, scheduleStages } from "./schedule.js";
import { inPlaceInput, isInner, type Range } from "./sharing.js";
import type { Stage } from "./stages.js";
import { type Change, ringRows, type TensorTrace, traceGroup } from "./traces.js";
import { heldOf, type Network, scratchBytes, type Unit } from "./units.js";

/** Units that run together, and in which order their rows are computed. */
export interface Group extends Range {
  readonly stages: readonly Stage[];
  /** Indices of stages, one for each firing. */
  readonly order: readonly number[];
}

/** Bytes of the counters that a streaming group keeps: its place in the schedule and the rows done by each stage. */
export const cursorBytes = (stages: number): number => 8 + 2 * stages;

/** The group of a range of units, or null if one of several cannot stream. */
export function groupOf(network: Network, range: Range, policy: Policy = "pull"): Group | null {
  const units = network.units.slice(range.first, range.end);
  if (units.length === 1) {
    const { alone } = units[0] as Unit;
    return { ...range, stages: [alone], order: new Array<number>(alone.firings).fill(0) };
  }
  const stages: Stage[] = [];
  for (const { streamed } of units) {
    if (streamed === null) return null;
    stages.push(streamed);
  }
  return { ...range, stages, order: scheduleStages(stages, policy) };
}

/** Adds up byte counts that change over the firings of a group. */
interface Tally {
  readonly delta: Float64Array;
  readonly add: (from: number, to: number, bytes: number) => void;
}

function tallyOf(firings: number): Tally {
  const delta = new Float64Array(firings + 2);
  return {
    delta,
    add: (from, to, bytes) => {
      delta[from] = (delta[from] as number) + bytes;
      delta[to + 1] = (delta[to + 1] as number) - bytes;
    },
  };
}

/** Adds value x bytes of each change from its time to `to`, less the value before it. */
function addChanges(tally: Tally, changes: readonly Change[], to: number, bytes: number): void {
  let before = 0;
  for (const { time, value } of changes) {
    if (time <= to) tally.add(time, to, (value - before) * bytes);
    before = value;
  }
}

/** Which tensor's storage each output of the group takes over in place. */
function sharedInputs(network: Network, range: Range): ReadonlyMap<TensorId, TensorId> {
  const shared = new Map<TensorId, TensorId>();
  const dies = (id: TensorId): boolean => {
    const h = heldOf(network, id);
    return !h.isOutput && h.readers.every((r) => r < range.end);
  };
  for (let p = range.first; p < range.end; p++) {
    const unit = network.units[p];
    const view = unit?.lowered?.view;
    if (unit?.alone.mode === "view") {
      const [source, target] = [view?.inputs[0], view?.outputs[0]];
      if (unit.alone.firings > 0 && source && target) shared.set(target.id, source.id);
      continue;
    }
    const index = inPlaceInput(network, p, range, dies);
    const [input, output] = [index === null ? null : view?.inputs[index], view?.outputs[0]];
    if (input && output) shared.set(output.id, input.id);
  }
  return shared;
}

/**
 * The most bytes alive at a time while the group runs, if every row were freed as soon as it is no longer needed and rings
 * took their full size: what no placement of its buffers can go below. Cursors and scratch are counted.
 */
export function livePeak(network: Network, group: Group): number {
  const { order, stages } = group;
  const last = Math.max(order.length - 1, 0);
  const tally = tallyOf(order.length);
  const traces = traceGroup(stages, order);
  const shared = sharedInputs(network, group);
  const heirs = new Map([...shared].map(([output, input]) => [input, output] as const));
  let across = stages.length > 1 ? cursorBytes(stages.length) : 0;
  for (const [id, h] of network.held) {
    const trace = traces.get(id);
    const dies = !h.isOutput && h.readers.every((r) => r < group.end);
    if (trace === undefined) {
      if (h.producer < group.first && (h.isOutput || h.readers.some((r) => r >= group.end))) across += h.bytes;
      continue;
    }
    // Counted with the tensor that it takes over.
    if (shared.has(id)) continue;
    const chain: TensorTrace[] = [trace];
    for (let heir = heirs.get(id), at = id; heir !== undefined; at = heir, heir = heirs.get(at)) {
      const next = traces.get(heir);
      if (next) chain.push(next);
    }
    const end = chain.at(-1) as TensorTrace;
    const endHeld = heldOf(network, lastHeir(id, heirs));
    const endDies = !endHeld.isOutput && endHeld.readers.every((r) => r < group.end);
    if (isInner(h, group) && endDies) {
      tally.add(trace.first, end.last, ringRows({ rows: h.rows, top: trace.top, low: end.low }) * h.rowBytes);
      continue;
    }
    const to = endDies && dies ? end.last : last;
    if (h.producer < group.first) tally.add(0, to, h.bytes);
    else addChanges(tally, trace.top, to, h.rowBytes);
    if (endDies && dies) addChanges(tally, end.low, to, -h.rowBytes);
  }
  addScratch(network, group, tally);
  let live = 0;
  let peak = 0;
  for (let time = 0; time <= last; time++) {
    live += tally.delta[time] as number;
    peak = Math.max(peak, live);
  }
  return peak + across;
}

function lastHeir(id: TensorId, heirs: ReadonlyMap<TensorId, TensorId>): TensorId {
  let at = id;
  for (let heir = heirs.get(at); heir !== undefined; heir = heirs.get(at)) at = heir;
  return at;
}

/** The scratch that stages of a group need from one firing to the next of any of them: one buffer serves all. */
export interface SharedScratch {
  readonly bytes: number;
  /** The first and last firing of a stage that takes some, counted from the group's first. */
  readonly first: number;
  readonly last: number;
}

/** True if a stage's scratch means nothing between its firings, so that other stages may use the same bytes. */
export const sharesScratch = ({ mode }: Stage): boolean => mode !== "fold";

/** The scratch that a group's stages share; 0 bytes if none takes any. */
export function sharedScratch(network: Network, { first, stages, order }: Group): SharedScratch {
  const bytes = stages.map((stage, s) =>
    sharesScratch(stage) ? scratchBytes(network.units[first + s] as Unit, stage) : 0,
  );
  const uses = (s: number): boolean => (bytes[s] ?? 0) > 0;
  return { bytes: Math.max(0, ...bytes), first: order.findIndex(uses), last: order.findLastIndex(uses) };
}

function addScratch(network: Network, group: Group, tally: Tally): void {
  const shared = sharedScratch(network, group);
  if (shared.bytes > 0) tally.add(shared.first, shared.last, shared.bytes);
  group.stages.forEach((stage, s) => {
    const bytes = sharesScratch(stage) ? 0 : scratchBytes(network.units[group.first + s] as Unit, stage);
    if (bytes > 0) tally.add(group.order.indexOf(s), group.order.lastIndexOf(s), bytes);
  });
}
