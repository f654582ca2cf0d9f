import type { TensorId } from "../base/units.js";
import type { Group } from "./groups.js";
import { type Occupancy, solid } from "./occupancy.js";
import { inPlaceInput, isInner } from "./sharing.js";
import { mapTimelines, type Timeline } from "./timelines.js";
import { type Change, ringRows } from "./traces.js";
import { type Held, heldOf, type Network } from "./units.js";

/** Tensors that share bytes: views of each other, and results computed in place. */
export interface Storage {
  readonly tensors: readonly TensorId[];
  readonly occupancy: Occupancy;
  /** Rows that are kept at a time, and the bytes of one. */
  readonly rows: number;
  readonly rowBytes: number;
}

export interface StorageMap {
  readonly storages: readonly Storage[];
  /** For each node that computes in place, the index of the input that it overwrites. */
  readonly inPlace: ReadonlyMap<number, number>;
}

/** The least (or most) of several quantities at every time one of them changes; before its first change each is 0. */
function combine(lists: readonly (readonly Change[])[], pick: (...values: number[]) => number): readonly Change[] {
  const times = [...new Set(lists.flatMap((l) => l.map((c) => c.time)))].sort((a, b) => a - b);
  const at = lists.map(() => 0);
  const values = lists.map(() => 0);
  return times.map((time) => {
    lists.forEach((list, i) => {
      while ((list[at[i] as number]?.time ?? Infinity) <= time) values[i] = (list[(at[i] as number)++] as Change).value;
    });
    return { time, value: pick(...values) };
  });
}

/** Counts of rows of a tensor as bytes from the start of the one that it lies in. */
const inBytes = (changes: readonly Change[], h: Held): readonly Change[] =>
  changes.map(({ time, value }) => ({
    time,
    value: value === 0 ? 0 : (value + h.rootRow) * h.rootRowBytes,
  }));

/** As above for the first row still needed: a tensor that is done with needs none of its whole. */
const neededFrom = (changes: readonly Change[], h: Held): readonly Change[] =>
  changes.map(({ time, value }) => ({
    time,
    value: (value === h.rows ? h.rootRows : value + h.rootRow) * h.rootRowBytes,
  }));

/** The storage of tensors that share bytes, in the order in which they come to be. */
function storageOf(
  network: Network,
  timelines: ReadonlyMap<TensorId, Timeline>,
  tensors: readonly TensorId[],
  inner: boolean,
): Storage {
  const all = tensors.map((id) => ({ held: heldOf(network, id), line: timelines.get(id) as Timeline }));
  const bytes = Math.max(...all.map(({ held }) => held.rootRows * held.rootRowBytes));
  const first = Math.min(...all.map(({ line }) => line.first));
  const last = Math.max(...all.map(({ line }) => line.last));
  const { rootRows: height, rootRowBytes: rowBytes } = (all[0] as (typeof all)[number]).held;
  const top = combine(
    all.map(({ held, line }) => inBytes(line.top, held)),
    Math.max,
  );
  const low = combine(
    all.map(({ held, line }) => neededFrom(line.low, held)),
    Math.min,
  );
  if (!inner) return { tensors, rows: height, rowBytes, occupancy: { bytes, first, last, top, low } };
  const inRows = (changes: readonly Change[]) =>
    changes.map(({ time, value }) => ({ time, value: rowBytes === 0 ? 0 : value / rowBytes }));
  const rows = ringRows({ rows: height, top: inRows(top), low: inRows(low) });
  return { tensors, rows, rowBytes, occupancy: solid(rows * rowBytes, first, last) };
}

/**
 * Decides which tensors share storage, how many rows each storage keeps, and when they hold what.
 * @param mode "separate" keeps every tensor apart and solid, for tests that watch for stray writes
 */
export function mapStorage(network: Network, groups: readonly Group[], mode: "share" | "separate"): StorageMap {
  const timelines = mapTimelines(network, groups);
  // Tensors that lie in one begin together.
  const inRoot = new Map<TensorId, TensorId[]>();
  for (const [id, h] of network.held) inRoot.set(h.root.id, [...(inRoot.get(h.root.id) ?? []), id]);
  const chainOf = new Map<TensorId, TensorId[]>(
    [...inRoot.values()].flatMap((chain) => chain.map((id) => [id, chain] as const)),
  );
  const inPlace = new Map<number, number>();
  const join = (input: TensorId, output: TensorId): void => {
    const chain = chainOf.get(input) as TensorId[];
    chain.push(output);
    chainOf.set(output, chain);
  };
  for (const [g, group] of (mode === "share" ? groups : []).entries()) {
    const end = timelines.groupEnds[g] ?? 0;
    const dies = (id: TensorId): boolean =>
      (chainOf.get(id) ?? []).every(
        (t) => (timelines.of.get(t)?.last ?? Infinity) <= end && !heldOf(network, t).isOutput,
      );
    for (let position = group.first; position < group.end; position++) {
      const view = network.units[position]?.lowered?.view;
      const [source, target] = [view?.inputs[0], view?.outputs[0]];
      const alone = network.units[position]?.alone;
      if (alone?.mode === "view") {
        const [read] = alone.reads;
        if (read && source && target) join(network.held.has(source.id) ? source.id : read.tensor, target.id);
        continue;
      }
      const index = inPlaceInput(network, position, group, dies);
      const input = index === null ? null : view?.inputs[index];
      const node = network.units[position]?.node;
      if (index === null || !input || !target || node === null || node === undefined) continue;
      inPlace.set(node, index);
      join(input.id, target.id);
    }
  }
  const ringOf = (chain: readonly TensorId[]): boolean =>
    mode === "share" && groups.some((g) => chain.every((id) => isInner(heldOf(network, id), g)));
  const chains = [...new Set(chainOf.values())];
  const storages = chains.map((chain) => {
    const storage = storageOf(network, timelines.of, chain, ringOf(chain));
    const { occupancy } = storage;
    return mode === "share"
      ? storage
      : { ...storage, occupancy: solid(occupancy.bytes, occupancy.first, occupancy.last) };
  });
  return { storages, inPlace };
}
