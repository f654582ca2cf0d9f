import { bytesOf, elementsOf } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import { tensorOf } from "../ir/graph.js";
import { cursorBytes, type Group, sharedScratch, sharesScratch } from "./groups.js";
import { addLive, type Occupancy, solid } from "./occupancy.js";
import type { BufferKind, Plan, PlannedGroup, Step } from "./plan.js";
import { mapStorage, type Storage } from "./storage.js";
import { tensorBytes } from "./tensors.js";
import { cursorTraffic, scratchTraffic, tensorTraffic } from "./traffic.js";
import { heldOf, type Network, scratchBytes, type Unit } from "./units.js";

/** Every buffer starts at a multiple of this, so that kernels may load words. */
export const bufferAlignment = 4;

/** A buffer without a place. */
export interface Unplaced {
  readonly kind: BufferKind;
  readonly tensors: readonly TensorId[];
  readonly variable: string | null;
  readonly name: string;
  readonly rows: number;
  readonly rowBytes: number;
  readonly alignment: number;
  readonly occupancy: Occupancy;
  /** Bytes read and written in one inference. */
  readonly traffic: number;
}

/** When the groups and steps of a plan run, in firings. */
export interface Clock {
  /** The first firing of each group, and the end of the last. */
  readonly starts: readonly number[];
  readonly firings: number;
  /** The first and last firing of each unit. */
  readonly units: ReadonlyMap<number, readonly [first: number, last: number]>;
  /** The node that fires at each time; a pushed row counts as the first node's. */
  readonly nodeAt: Int32Array;
}

function clockOf(network: Network, groups: readonly Group[]): Clock {
  const starts: number[] = [];
  const units = new Map<number, readonly [number, number]>();
  const nodes: number[] = [];
  for (const { first, order } of groups) {
    starts.push(nodes.length);
    for (const s of order) {
      const position = first + s;
      const time = nodes.length;
      units.set(position, [units.get(position)?.[0] ?? time, time]);
      nodes.push(network.units[position]?.node ?? 0);
    }
  }
  return { starts, firings: nodes.length, units, nodeAt: Int32Array.from(nodes) };
}

function storageBuffer(
  network: Network,
  { tensors, occupancy, rows, rowBytes }: Storage,
  traffic: ReadonlyMap<TensorId, number>,
): Unplaced {
  const all = tensors.map((id) => heldOf(network, id));
  const [first] = all;
  const kind = all.some((h) => h.isOutput)
    ? "output"
    : tensors.some((id) => network.graph.inputs.includes(id))
      ? "input"
      : "activation";
  return {
    kind,
    tensors,
    variable: null,
    name: first?.tensor.name ?? "",
    rows,
    rowBytes,
    alignment: Math.max(bufferAlignment, ...all.map((h) => bytesOf(h.tensor.dtype, 1))),
    occupancy,
    traffic: tensors.reduce((sum, id) => sum + (traffic.get(id) ?? 0), 0),
  };
}

/** Buffers that no firing frees: state, variables, and outputs that are constants, which the initialisation copies. */
function permanentBuffers({ graph }: Network, lastFiring: number): readonly Unplaced[] {
  const fixed = (name: string, kind: BufferKind, bytes: number, alignment: number) => ({
    name,
    kind,
    variable: null,
    tensors: [],
    rows: 1,
    rowBytes: bytes,
    alignment,
    occupancy: solid(bytes, 0, lastFiring),
    traffic: 2 * bytes,
  });
  const states = [...graph.tensors.values()].filter((t) => t.variable);
  const constants = [...new Set(graph.outputs)]
    .map((id) => tensorOf(graph, id))
    .filter((t) => t.data !== null && !t.variable);
  return [
    ...states.map((t) => ({ ...fixed(t.name, "state", tensorBytes(t), 8), tensors: [t.id] })),
    ...constants.map((t) => ({ ...fixed(t.name, "output", tensorBytes(t), 8), tensors: [t.id] })),
    ...graph.variables.map((v) => ({
      ...fixed(v.name, "state", bytesOf(v.dtype, elementsOf(v.shape)), 8),
      variable: v.name,
    })),
  ];
}

const workBuffer = (
  name: string,
  bytes: number,
  [first, last]: readonly [number, number],
  traffic: number,
): Unplaced => ({
  kind: "scratch",
  tensors: [],
  variable: null,
  name,
  rows: 1,
  rowBytes: bytes,
  alignment: 8,
  occupancy: solid(bytes, first, last),
  traffic,
});

/** Streams, or receives rows: its firings are driven by a table. */
const isDriven = (network: Network, { first, end }: Group): boolean =>
  end - first > 1 || network.units[first]?.node === null;

/** The bytes alive at each firing, and the most of them while each node runs. */
function liveBytesOf(buffers: readonly Unplaced[], clock: Clock, nodes: number): readonly number[] {
  const live = new Float64Array(clock.firings);
  for (const { occupancy } of buffers) if (clock.firings > 0) addLive(live, occupancy);
  const most = new Array<number>(nodes).fill(0);
  live.forEach((bytes, time) => {
    const node = clock.nodeAt[time] as number;
    most[node] = Math.max(most[node] as number, bytes);
  });
  return most;
}

/** What a plan consists of before its buffers have places. */
export interface Draft {
  readonly network: Network;
  readonly strategy: Plan["strategy"];
  readonly clock: Clock;
  readonly unplaced: readonly Unplaced[];
  readonly steps: readonly Step[];
  readonly groups: readonly PlannedGroup[];
  readonly liveBytes: readonly number[];
}

/** The steps, the groups and all buffers of groups of units. */
export function draftOf(network: Network, groups: readonly Group[], guardBytes: number): Draft {
  const clock = clockOf(network, groups);
  const lastFiring = Math.max(clock.firings - 1, 0);
  const { storages, inPlace } = mapStorage(network, groups, guardBytes > 0 ? "separate" : "share");
  const traffic = tensorTraffic(network, groups);
  const unplaced: Unplaced[] = [
    ...storages.map((s) => storageBuffer(network, s, traffic)),
    ...permanentBuffers(network, lastFiring),
  ];
  /** Adds a buffer for work, if it takes any bytes, and returns its number. */
  const work = (...of: Parameters<typeof workBuffer>): number | null =>
    of[1] > 0 ? unplaced.push(workBuffer(...of)) - 1 : null;
  const steps: Step[] = [];
  const planned = groups.map((group, g): PlannedGroup => {
    const driven = isDriven(network, group);
    const nodeOf = (position: number): number | null => network.units[position]?.node ?? null;
    const span = [clock.starts[g] as number, (clock.starts[g + 1] ?? clock.firings) - 1] as const;
    const cursor = driven ? work("rows done", cursorBytes(group.stages.length), span, cursorTraffic(group)) : null;
    const shared = sharedScratch(network, group);
    const sharedSpan = [span[0] + shared.first, span[0] + shared.last] as const;
    const sharedTraffic = group.stages.reduce((sum, stage) => sum + scratchTraffic(shared.bytes, stage), 0);
    const common = work("scratch", shared.bytes, sharedSpan, sharedTraffic);
    group.stages.forEach((stage, s) => {
      const position = group.first + s;
      const unit = network.units[position] as Unit;
      if (unit.node === null || stage.mode === "push") return;
      const bytes = scratchBytes(unit, stage);
      const times = clock.units.get(position) ?? span;
      const own = `sums of ${unit.lowered?.node.op}`;
      steps.push({
        index: unit.node,
        group: g,
        mode: stage.mode,
        scratch:
          bytes === 0 ? null : sharesScratch(stage) ? common : work(own, bytes, times, scratchTraffic(bytes, stage)),
        inPlaceInput: inPlace.get(unit.node) ?? null,
      });
    });
    const firstStep = nodeOf(group.first) ?? 0;
    const last = nodeOf(group.end - 1);
    return {
      firstStep,
      endStep: last === null ? firstStep : last + 1,
      order: driven ? group.order.map((s) => nodeOf(group.first + s) ?? "push") : null,
      cursor,
    };
  });
  const liveBytes = liveBytesOf(unplaced, clock, steps.length);
  const strategy = groups.some((g) => g.end - g.first > 1) ? "rows" : "layers";
  return { network, strategy, clock, unplaced, steps, groups: planned, liveBytes };
}
