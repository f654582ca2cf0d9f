import { bytesOf } from "../../base/dtype.js";
import { roundAway } from "../../base/fixedpoint.js";
import { evenChannels } from "../common/channels.js";
import { moverGradient } from "../common/gradients.js";
import {
  inferResize,
  type ResizeAttrs,
  resizeBinding,
  resizeRanges,
  resizeSamples,
  resizeSize,
} from "../common/resize.js";
import { defineOp, type ExecView, noTraits } from "../spec.js";

const f = Math.fround;

/**
 * The input row (or column) of every output one. Positions are float32, as in GetNearestNeighbor of TFLite's
 * reference_ops.
 */
export function nearest(input: number, output: number, { alignCorners, halfPixelCenters }: ResizeAttrs): Int16Array {
  const scale = alignCorners && output > 1 ? f((input - 1) / (output - 1)) : f(input / output);
  const offset = halfPixelCenters ? 0.5 : 0;
  const place = alignCorners ? roundAway : Math.floor;
  return Int16Array.from({ length: output }, (_, i) =>
    Math.max(Math.min(place(f(f(i + offset) * scale)), input - 1), 0),
  );
}

function reference(view: ExecView<ResizeAttrs>): void {
  const { batch, height, width, channels, outHeight, outWidth } = resizeSize(view);
  const [rows, columns] = [nearest(height, outHeight, view.attrs), nearest(width, outWidth, view.attrs)];
  const [x, out] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
  let o = 0;
  for (let n = 0; n < batch; n++) {
    for (const row of rows) {
      for (const column of columns) {
        const from = ((n * height + row) * width + column) * channels;
        out.set(x.subarray(from, from + channels), o);
        o += channels;
      }
    }
  }
}

const types = ["int8", "uint8", "int16", "int32", "float32"] as const;

export const resizeNearestNeighbor = defineOp<"RESIZE_NEAREST_NEIGHBOR", ResizeAttrs>({
  name: "RESIZE_NEAREST_NEIGHBOR",
  summary: "Image resize by the nearest pixel",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: {
    ...noTraits,
    moves: true,
    rows: (view) => {
      const { height, outHeight } = resizeSize(view);
      const rows = nearest(height, outHeight, view.attrs);
      return [{ first: (row) => rows[row] ?? 0, taps: 1, dilation: 1 }, null];
    },
  },
  tflite: resizeBinding(97, 74, []),
  infer: inferResize,
  reference,
  gradient: moverGradient(reference),
  ranges: resizeRanges,
  channels: evenChannels(0),
  cost: () => ({ macs: 0, operations: 0 }),
  kernels: types.map((dtype) => ({
    name: `portable ${dtype}`,
    form: "row",
    types: { inputs: [dtype, "int32"], outputs: [dtype] },
    call: (view) => {
      const { width, channels, outWidth } = resizeSize(view);
      const fields = { out_w: outWidth, pixel_bytes: bytesOf(dtype, channels) };
      return {
        source: "ops/resize_nearest_neighbor/resize_nearest_neighbor.h",
        symbol: "th_resize_nearest_neighbor_row",
        params: { type: "th_resize_nearest_neighbor_params", fields },
        args: [
          { kind: "input", index: 0 },
          { kind: "constant", label: "columns", dtype: "int16", data: nearest(width, outWidth, view.attrs) },
          { kind: "output", index: 0 },
        ],
        scratchBytes: 0,
      };
    },
  })),
  samples: resizeSamples,
});
