import type { Report, WindowAxis } from "../spec.js";

/** SAME and VALID as TFLite defines them, or explicit [top, bottom, left, right], which fused PADs need. */
export type Padding = "SAME" | "VALID" | readonly [top: number, bottom: number, left: number, right: number];

/** TFLite's Padding enumerator. */
export function decodePadding(code: unknown, report: Report): Padding {
  if (code === 0) return "SAME";
  if (code !== 1) {
    report("TH2007", {
      message: "unsupported padding",
      found: String(code),
      expected: "SAME or VALID",
      fix: "export the model with SAME or VALID padding",
    });
  }
  return "VALID";
}

/** The inverse of {@link decodePadding}; explicit padding has no TFLite form and is written as a PAD by the exporter. */
export const encodePadding = (padding: Padding): number => (padding === "SAME" ? 0 : 1);

/** How a window moves along one axis: output size and zeros before the first input element. */
export interface Span {
  readonly size: number;
  readonly before: number;
}

/** Output size and leading padding along one axis; `explicit` is [before, after]. Size 0 if the window does not fit. */
export function windowSpan(
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: "SAME" | "VALID" | readonly [before: number, after: number],
): Span {
  const extent = (kernel - 1) * dilation + 1;
  if (padding === "SAME") {
    const size = Math.ceil(input / stride);
    // TFLite rounds the smaller half to the front.
    return { size, before: Math.floor(Math.max((size - 1) * stride + extent - input, 0) / 2) };
  }
  const [before, after] = padding === "VALID" ? [0, 0] : padding;
  return { size: Math.max(Math.floor((input + before + after - extent) / stride) + 1, 0), before };
}

export interface Window2d {
  readonly outHeight: number;
  readonly outWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

export interface WindowGeometry {
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: Padding;
}

/** The geometry of a 2-D window over an input of height x width. */
export function window2d(height: number, width: number, g: WindowGeometry): Window2d {
  const vertical = typeof g.padding === "string" ? g.padding : ([g.padding[0], g.padding[1]] as const);
  const horizontal = typeof g.padding === "string" ? g.padding : ([g.padding[2], g.padding[3]] as const);
  const y = windowSpan(height, g.kernel[0], g.stride[0], g.dilation[0], vertical);
  const x = windowSpan(width, g.kernel[1], g.stride[1], g.dilation[1], horizontal);
  return { outHeight: y.size, outWidth: x.size, padTop: y.before, padLeft: x.before };
}

/** Both axes of a window over an image, with what padding comes to on every side. */
export function windowAxes(
  height: number,
  width: number,
  g: WindowGeometry,
): { readonly rows: WindowAxis; readonly columns: WindowAxis } {
  const w = window2d(height, width, g);
  const axis = (d: 0 | 1, input: number, size: number, before: number): WindowAxis => {
    const reach = (size - 1) * g.stride[d] + (g.kernel[d] - 1) * g.dilation[d] + 1;
    return {
      stride: g.stride[d],
      taps: g.kernel[d],
      dilation: g.dilation[d],
      before,
      after: Math.max(reach - before - input, 0),
    };
  };
  return { rows: axis(0, height, w.outHeight, w.padTop), columns: axis(1, width, w.outWidth, w.padLeft) };
}
