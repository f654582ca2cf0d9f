import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { evenChannels } from "../common/channels.js";
import { matmul, only, reshape } from "../common/gradients.js";
import { int32 } from "../common/options.js";
import {
  inferResize,
  type ResizeAttrs,
  resizeBinding,
  resizeRanges,
  resizeSamples,
  resizeSize,
} from "../common/resize.js";
import { inputOf, outputOf } from "../common/view.js";
import type { GradientOf } from "../gradient.js";
import { defineOp, type ExecView, type Kernel, noTraits, type RowWindows } from "../spec.js";

const f = Math.fround;

/** Where output places lie in the input, in units of `one` (1024 for integer types, 1 for float). */
interface Axis {
  readonly scale: number;
  readonly offset: number;
}

/** Ten bits after the point, rounded half up. Source: ResizeBilinearInteger of TFLite's reference_ops. */
function integerAxis(input: number, output: number, attrs: ResizeAttrs): Axis {
  const [from, to] = attrs.alignCorners && output > 1 ? [input - 1, output - 1] : [input, output];
  const scale = Math.floor((1024 * from + Math.floor(to / 2)) / to);
  return { scale, offset: attrs.halfPixelCenters ? Math.floor(scale / 2) - 512 : 0 };
}

const floatScale = (input: number, output: number, attrs: ResizeAttrs): number =>
  attrs.alignCorners && output > 1 ? f((input - 1) / (output - 1)) : f(input / output);

/** The two input places around an output place, and the weight of the second. */
interface Between {
  readonly first: number;
  readonly second: number;
  readonly weight: number;
}

function places(input: number, output: number, attrs: ResizeAttrs, one: 1024 | 1): readonly Between[] {
  const axis = integerAxis(input, output, attrs);
  const half = attrs.halfPixelCenters ? 0.5 : 0;
  const scale = floatScale(input, output, attrs);
  return Array.from({ length: output }, (_, i) => {
    const place = one === 1 ? f(f(f(i + half) * scale) - half) : i * axis.scale + axis.offset;
    const round =
      one === 1 ? [Math.floor(place), Math.ceil(place)] : [Math.trunc(place / 1024), Math.trunc((place + 1023) / 1024)];
    // Rounded scales of very long axes can reach past the end.
    const first = Math.min(Math.max(round[0] ?? 0, 0), input - 1);
    return { first, second: Math.min(round[1] ?? 0, input - 1), weight: place - first * one };
  });
}

const unitOf = (view: NodeView<ResizeAttrs>): 1024 | 1 => (inputOf(view, 0).dtype === "float32" ? 1 : 1024);

/** The row above an output row and the next, which is outside, and of no weight, below the last one. */
function resizeBilinearRows(view: NodeView<ResizeAttrs>): RowWindows {
  const { height, outHeight } = resizeSize(view);
  const rows = places(height, outHeight, view.attrs, unitOf(view));
  return [{ first: (row) => rows[row]?.first ?? 0, taps: 2, dilation: 1 }, null];
}

/** Weights four pixels; integers are divided by 2^20 and rounded half away from zero. */
function resizeBilinearReference(view: ExecView<ResizeAttrs>): void {
  const { batch, height, width, channels, outHeight, outWidth } = resizeSize(view);
  const one = unitOf(view);
  const [rows, columns] = [places(height, outHeight, view.attrs, one), places(width, outWidth, view.attrs, one)];
  const [x, out] = [view.in[0] as Float32Array, view.out[0] as Float32Array];
  let o = 0;
  for (let n = 0; n < batch; n++) {
    for (const row of rows) {
      for (const column of columns) {
        for (let c = 0; c < channels; c++) {
          const at = (y: number, xx: number): number => x[((n * height + y) * width + xx) * channels + c] as number;
          const upper =
            at(row.first, column.first) * (one - column.weight) + at(row.first, column.second) * column.weight;
          const lower =
            at(row.second, column.first) * (one - column.weight) + at(row.second, column.second) * column.weight;
          const sum = upper * (one - row.weight) + lower * row.weight;
          out[o++] = one === 1 ? sum : Math.trunc((sum + (sum > 0 ? 2 ** 19 : -(2 ** 19))) / 2 ** 20);
        }
      }
    }
  }
}

/** The matrix [outputs, inputs] of the weights along an axis. */
function matrix(input: number, output: number, attrs: ResizeAttrs): Float32Array {
  const weights = new Float32Array(output * input);
  places(input, output, attrs, 1).forEach(({ first, second, weight }, o) => {
    for (const [i, share] of [
      [first, 1 - weight],
      [second, weight],
    ] as const)
      weights[o * input + i] = (weights[o * input + i] as number) + share;
  });
  return weights;
}

/** Rows, then columns, by the transposed matrices. */
const resizeBilinearGradient: GradientOf<ResizeAttrs> = (view, upstream, e) => {
  const { batch, height, width, channels, outHeight, outWidth } = resizeSize(view);
  const rows = e.constant([1, outHeight, height], matrix(height, outHeight, view.attrs));
  const columns = e.constant([1, outWidth, width], matrix(width, outWidth, view.attrs));
  const dy = reshape(e, only(upstream), [batch, outHeight, outWidth * channels]);
  const short = reshape(e, matmul(e, rows, dy, { adjX: true }), [batch * height, outWidth, channels]);
  return [reshape(e, matmul(e, columns, short, { adjX: true }), inputOf(view, 0).shape), null];
};

function kernel(suffix: string, dtype: "int8" | "int16" | "float32"): Kernel<ResizeAttrs> {
  return {
    name: `portable ${suffix}`,
    form: "row",
    types: { inputs: [dtype, "int32"], outputs: [dtype] },
    call: (view) => {
      const { attrs } = view;
      const { height, width, channels, outHeight, outWidth } = resizeSize(view);
      const sizes = { in_h: height, in_w: width, channels, out_w: outWidth };
      const [vertical, horizontal] = [integerAxis(height, outHeight, attrs), integerAxis(width, outWidth, attrs)];
      const float = {
        scale_h: { float: floatScale(height, outHeight, attrs) },
        scale_w: { float: floatScale(width, outWidth, attrs) },
        half: { float: attrs.halfPixelCenters ? 0.5 : 0 },
      };
      const integer = {
        scale_h: vertical.scale,
        offset_h: vertical.offset,
        scale_w: horizontal.scale,
        offset_w: horizontal.offset,
      };
      return {
        source: `ops/resize_bilinear/resize_bilinear_${suffix}.h`,
        symbol: `th_resize_bilinear_${suffix}_row`,
        params:
          dtype === "float32"
            ? { type: "th_resize_bilinear_f32_params", fields: { ...sizes, ...float } }
            : { type: "th_resize_bilinear_params", fields: { ...sizes, ...integer } },
        args: [{ kind: "rows", index: 0 }, { kind: "row" }, { kind: "output", index: 0 }],
        scratchBytes: 0,
      };
    },
  };
}

export const resizeBilinear = defineOp<"RESIZE_BILINEAR", ResizeAttrs>({
  name: "RESIZE_BILINEAR",
  summary: "Image resize by bilinear interpolation",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, rows: resizeBilinearRows, quantizes: "same" },
  tflite: resizeBinding(23, 15, [int32("newHeight"), int32("newWidth")]),
  infer: inferResize,
  reference: resizeBilinearReference,
  gradient: resizeBilinearGradient,
  ranges: resizeRanges,
  channels: evenChannels(0),
  cost: (view) => ({ macs: 0, operations: 8 * elementsOf(outputOf(view, 0).shape) }),
  kernels: [kernel("s8", "int8"), kernel("s16", "int16"), kernel("f32", "float32")],
  samples: resizeSamples,
});
