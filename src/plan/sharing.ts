import { elementsOf } from "../base/dtype.js";
import type { TensorId } from "../base/units.js";
import type { Tensor } from "../ir/graph.js";
import { mayAlias, tensorBytes } from "./tensors.js";
import type { Held, Network, Unit } from "./units.js";

/** Units first up to, not including, end run together. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** True if the tensor is only ever seen by one group of several units, so that a ring of rows is enough for it. */
export const isInner = (h: Held, { first, end }: Range): boolean =>
  end - first > 1 &&
  !h.isOutput &&
  h.producer >= first &&
  h.readers.every((r) => r < end) &&
  h.producer < end &&
  // One row gains nothing from a ring.
  h.rows > 0;

/** The inputs whose bytes the unit's kernel may overwrite with its output, element by element. */
function candidates(
  unit: Unit,
): readonly { readonly index: number; readonly input: Tensor; readonly output: Tensor }[] {
  const { lowered } = unit;
  const output = lowered?.view.outputs[0];
  if (!lowered || output === undefined || lowered.view.outputs.length > 1) return [];
  return lowered.spec.traits.inPlace.flatMap((index) => {
    const input = lowered.view.inputs[index];
    if (!input || !mayAlias(input, output) || elementsOf(input.shape) !== elementsOf(output.shape)) return [];
    // The same tensor must not feed another input in another role.
    if (lowered.view.inputs.some((t, i) => i !== index && t?.id === input.id)) return [];
    return tensorBytes(output) <= tensorBytes(input) ? [{ index, input, output }] : [];
  });
}

/**
 * The input, as an index, whose storage the output of a unit takes over; null if none may be.
 * @param range the unit's group
 * @param dies whether all that lies in the tensor's storage is read for the last time in this group, by this unit alone
 */
export function inPlaceInput(
  network: Network,
  position: number,
  range: Range,
  dies: (tensor: TensorId) => boolean,
): number | null {
  const unit = network.units[position] as Unit;
  for (const { index, input, output } of candidates(unit)) {
    const [from, to] = [network.held.get(input.id), network.held.get(output.id)];
    if (!from || !to || from.isOutput || !dies(input.id)) continue;
    // Where a tensor lies inside another, its neighbours are still needed.
    if (from.root !== from.tensor || to.root !== to.tensor) continue;
    if (range.end - range.first === 1) return index;
    // Rows change hands one by one, so they must be alike; a whole tensor does not become a ring.
    if (from.rows !== to.rows || from.rowBytes !== to.rowBytes || from.readers.length !== 1) continue;
    if (isInner(from, range) || !isInner(to, range)) return index;
  }
  return null;
}
