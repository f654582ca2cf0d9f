import { countTo } from "./arithmetic.js";
import type { OnnxNode } from "./context.js";
import { requireOption } from "./context.js";

/** How a window moves along one axis of an image. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

const extentOf = (w: Pick<Window, "kernel" | "dilation">): number => (w.kernel - 1) * w.dilation + 1;

/** Output size of a window along an axis. */
export const windowSize = (input: number, w: Window): number =>
  Math.floor((input + w.before + w.after - extentOf(w)) / w.stride) + 1;

/** Zeros added at the end so that the last window, of which a part may lie outside, counts: `ceil_mode`. */
function ceilExtra(input: number, w: Window): number {
  const padded = input + w.before + w.after;
  const size = Math.ceil((padded - extentOf(w)) / w.stride) + 1;
  // The last window must begin inside the image or its padding before.
  const kept = (size - 1) * w.stride >= input + w.before ? size - 1 : size;
  return Math.max((kept - 1) * w.stride + extentOf(w) - padded, 0);
}

/**
 * The windows along all spatial axes from `strides`, `dilations`, `pads` and `auto_pad`.
 * @param sizes of the image's spatial axes   @param kernel of the window
 */
export function windowsOf(n: OnnxNode, sizes: readonly number[], kernel: readonly number[]): readonly Window[] {
  const rank = sizes.length;
  const ones = sizes.map(() => 1);
  const [strides, dilations] = [n.attr.ints("strides", ones), n.attr.ints("dilations", ones)];
  const pads = n.attr.ints("pads", new Array<number>(2 * rank).fill(0));
  const auto = n.attr.text("auto_pad", "NOTSET");
  requireOption(n, ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(auto), "auto_pad", auto, "a known one");
  const counts = [kernel, strides, dilations].every((list) => list.length === rank && list.every((v) => v > 0));
  requireOption(
    n,
    counts && pads.length === 2 * rank,
    "strides, dilations, pads",
    [strides, dilations, pads].join("; "),
    `${rank} positive ones`,
  );
  return countTo(rank).map((d) => {
    const w = { kernel: kernel[d] ?? 1, stride: strides[d] ?? 1, dilation: dilations[d] ?? 1 };
    const input = sizes[d] ?? 1;
    if (auto === "VALID") return { ...w, before: 0, after: 0 };
    if (auto === "NOTSET") return { ...w, before: pads[d] ?? 0, after: pads[d + rank] ?? 0 };
    const total = Math.max((Math.ceil(input / w.stride) - 1) * w.stride + extentOf(w) - input, 0);
    const small = Math.floor(total / 2);
    return auto === "SAME_UPPER"
      ? { ...w, before: small, after: total - small }
      : { ...w, before: total - small, after: small };
  });
}

/** What `ceil_mode` adds at the end of each axis. */
export const ceilPadding = (n: OnnxNode, sizes: readonly number[], windows: readonly Window[]): readonly number[] =>
  windows.map((w, d) => (n.attr.int("ceil_mode", 0) === 1 ? ceilExtra(sizes[d] ?? 1, w) : 0));
