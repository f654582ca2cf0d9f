import type { NodeView, TensorType } from "../../ir/graph.js";
import { type RowWindow, type RowWindows, sameRow } from "../spec.js";
import { outputOf } from "./view.js";

/** True if a tensor has rows: axis 1 of three or more axes. */
export const hasRows = (t: TensorType): boolean => t.shape.length >= 3;

/**
 * Row y of every output from row y of the inputs `moving`, and from any part of the others; "none" unless all of those
 * are as many images of as many rows. That row y needs no other row is for the caller to know.
 */
export function equalRows(view: NodeView<unknown>, moving: readonly number[]): RowWindows | "none" {
  const output = outputOf(view, 0);
  const tensors = [...view.outputs, ...moving.map((i) => view.inputs[i])];
  const alike = tensors.every(
    (t) => t && hasRows(t) && t.shape[0] === output.shape[0] && t.shape[1] === output.shape[1],
  );
  return alike ? view.inputs.map((_, i) => (moving.includes(i) ? sameRow : null)) : "none";
}

/** The window of an input that broadcasts to the output, null where it has one row for all; "none" for any other. */
function broadcastWindow(input: TensorType, output: TensorType): RowWindow | null | "none" {
  const axis = 1 + input.shape.length - output.shape.length;
  if (axis === 1 && input.shape[1] === output.shape[1]) return sameRow;
  // Rows of an input with fewer axes do not lie along its axis 1.
  return (input.shape[axis] ?? 1) === 1 ? null : "none";
}

/** Rows of an operator whose inputs broadcast to its output by numpy's rules. */
export function broadcastRows(view: NodeView<unknown>): RowWindows | "none" {
  const output = outputOf(view, 0);
  const windows = view.inputs.map((t) => (t === null ? null : broadcastWindow(t, output)));
  const found = windows.filter((w) => w !== "none");
  return hasRows(output) && found.length === windows.length ? found : "none";
}
