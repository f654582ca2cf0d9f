import type { Tensor } from "../../../../ir/graph.js";
import type { ExportContext } from "../context.js";
import type { ConvShape } from "../conv-gradients.js";
import { int64s, nhwc } from "../layouts.js";
import { timesFirst } from "../operands.js";
import { conv, filled, grown, unblocked } from "./words.js";

/*
 * The gradient of a strided convolution's input, as convolutions with stride 1: of every stride-th row and column, the
 * same taps reach dy. The runtime's transposed convolution uses one thread.
 */

/** The taps that reach the rows (or columns) of one phase, and how far before and behind its own place in dy. */
interface Phase {
  /** For each place from `first` on, the tap there; null for none. */
  readonly taps: readonly (number | null)[];
  readonly first: number;
}

/** Row stride i + phase of dx sums dy at row i + place times tap phase + before - stride place. */
function phasesOf(taps: number, stride: number, before: number, isUniform: boolean): readonly Phase[] {
  const phases = Array.from({ length: stride }, (_, phase) => {
    const shifted = phase + before;
    const last = Math.floor(shifted / stride);
    const first = Math.ceil((shifted - taps + 1) / stride);
    return { shifted, first, last };
  });
  const [least, most] = [Math.min(...phases.map((p) => p.first)), Math.max(...phases.map((p) => p.last))];
  return phases.map(({ shifted, first, last }) => {
    const [from, to] = isUniform ? [least, most] : [first, last];
    const at = Array.from({ length: to - from + 1 }, (_, i) => shifted - stride * (from + i));
    return { first: from, taps: at.map((tap) => (tap >= 0 && tap < taps ? tap : null)) };
  });
}

const padding = (phase: Phase, size: number, outSize: number): readonly [number, number] => [
  -phase.first,
  size - outSize + phase.first + phase.taps.length - 1,
];

/** The phases of a strided gradient; null where sizes are no multiples of strides, or a phase has no taps. */
export function stridedPhases(s: ConvShape) {
  const [top, , left] = s.attrs.padding;
  const [sh, sw] = s.attrs.stride;
  if (s.size[0] % sh !== 0 || s.size[1] % sw !== 0 || s.taps[0] < sh || s.taps[1] < sw) return null;
  const rows = phasesOf(s.taps[0], sh, top, false);
  const columns = phasesOf(s.taps[1], sw, left, true);
  const pads = [
    ...rows.flatMap((p) => padding(p, s.size[0] / sh, s.outSize[0])),
    ...columns.flatMap((p) => padding(p, s.size[1] / sw, s.outSize[1])),
  ];
  return pads.every((n) => n >= 0) ? { rows, columns } : null;
}

/**
 * dx, blocked, from blocked dy: a convolution for each phase of rows, with the phases of columns as more channels, which
 * a reorder then puts beside each other. What is `added` is there already, for the first phase of rows.
 */
export function stridedInput(
  c: ExportContext,
  s: ConvShape,
  { rows, columns }: NonNullable<ReturnType<typeof stridedPhases>>,
  dy: string,
  w: Tensor,
  { factor, added }: { readonly factor: string | null; readonly added: string | null },
): string {
  const b = c.block;
  const [sh, sw] = s.attrs.stride;
  const [h, width] = [s.size[0] / sh, s.size[1] / sw];
  const [channels, outChannels] = [filled(c, s.channels), filled(c, s.outChannels)];
  const parts = channels / b;
  const scaled = timesFirst(c, c.take(w, nhwc), factor, w.shape);
  const picked = (value: string, axis: number, taps: readonly number[]): string =>
    c.op("Gather", [value, c.writer.constant("int64", [taps.length], int64s(taps))], { axis });
  // A column of zeros stands for taps that there are not.
  const padded = grown(c, scaled, w.shape, [outChannels, s.taps[0], s.taps[1] + 1, channels]);
  const places = columns[0]?.taps.length ?? 0;
  const all = picked(
    padded,
    2,
    columns.flatMap((p) => p.taps.map((tap) => tap ?? s.taps[1])),
  );
  const [left, right] = columns[0] === undefined ? [0, 0] : padding(columns[0], width, s.outSize[1]);
  const phases = rows.map((row, i) => {
    const taps = row.taps.flatMap((tap) => (tap === null ? [] : [tap]));
    const sizes = [outChannels / b, b, taps.length, sw, places, parts, b];
    const filter = c.op("Transpose", [c.reshape(picked(all, 1, taps), sizes)], { perm: [5, 3, 0, 2, 4, 1, 6] });
    const kernel = [taps.length, places];
    const [top, bottom] = padding(row, h, s.outSize[0]);
    const sum = i === 0 && added !== null ? ["", added] : [];
    const y = conv(c, [dy, c.reshape(filter, [sw * channels, outChannels, ...kernel]), ...sum], {
      kernel_shape: kernel,
      pads: [top, left, bottom, right],
      group: 1,
    });
    const beside = unblocked(c, y, [s.batch * parts, sw * b, h, width], nhwc);
    return c.reshape(beside, [s.batch * parts * h, 1, s.size[1] * b]);
  });
  return c.reshape(c.op("Concat", phases, { axis: 1 }), [s.batch, channels, ...s.size]);
}
