import { bytesOf } from "../base/dtype.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import { type LoweredNode, rowsOf } from "../ops/lower.js";
import { rootOf } from "../ops/placement.js";
import { tensorBytes } from "../plan/tensors.js";
import type { Printer } from "./printer.js";

/** Rows of a tensor without end. */
const endlessRows = 2 ** 31 - 1;

/** Rows that a row function may be asked for. */
export const heightOf = ({ endless }: Printer, t: Tensor): number => (endless ? endlessRows : rowsOf(t));

/** Where the rows of a tensor lie: from each to the next are `pitch` bytes, and `kept` of the `height` there are in memory. */
export interface RowLayout {
  readonly height: number;
  readonly kept: number;
  readonly pitch: number;
  /** The row that row 0 is in memory, and the bytes before its first element. */
  readonly row: number;
  readonly column: number;
  /** Bytes of a row's elements; of a pixel's where pixels lie apart, which are then `pixelPitch` bytes from each other. */
  readonly rowBytes: number;
  readonly pixelBytes: number;
  readonly pixelPitch: number;
}

/** The layout of a tensor that a node reads or writes. */
export function layoutOf(p: Printer, lowered: LoweredNode, t: Tensor): RowLayout {
  const place = rootOf(lowered.placements, t.id);
  const root = tensorOf(p.input.graph, place.whole);
  const images = t.shape[0] ?? 1;
  const buffer = p.input.plan.bufferOf.get(t.id);
  const pitch = tensorBytes(root) / (images * rowsOf(root));
  const pixelPitch = bytesOf(root.dtype, root.shape[3] ?? 1);
  const isRing = buffer !== undefined && (p.endless || buffer.bytes < tensorBytes(root));
  return {
    height: heightOf(p, root),
    kept: isRing ? buffer.rows : rowsOf(root),
    pitch,
    row: place.row,
    column: place.column * pixelPitch + bytesOf(root.dtype, place.channel),
    rowBytes: tensorBytes(t) / (images * rowsOf(t)),
    pixelBytes: bytesOf(t.dtype, t.shape[3] ?? 1),
    pixelPitch,
  };
}

/** True if a tensor's rows follow each other without gaps, so that a kernel can take it as one piece. */
export const isInOnePiece = ({ rowBytes, pitch }: RowLayout): boolean => rowBytes === pitch;
