import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import type { GradientOf } from "../gradient.js";
import type { Cost, WindowAxis } from "../spec.js";
import { only, throughActivation } from "./gradients.js";
import type { Pool2dAttrs } from "./pool2d.js";
import { inputOf, outputOf } from "./view.js";

/** A pool as its gradient sees it: NHWC; padding [top, bottom, left, right]. */
export interface PoolGradientAttrs {
  readonly padding: readonly [top: number, bottom: number, left: number, right: number];
  readonly stride: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly inputShape: readonly number[];
}

/** Calls `visit` for each output element with the input elements of its window. */
export function forEachWindow(
  { padding, stride, kernel, inputShape }: PoolGradientAttrs,
  output: readonly number[],
  visit: (at: number, window: readonly number[]) => void,
): void {
  const [batch = 0, height = 0, width = 0, channels = 0] = inputShape;
  const [, outHeight = 0, outWidth = 0] = output;
  let o = 0;
  for (let n = 0; n < batch; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        for (let c = 0; c < channels; c++, o++) {
          const window: number[] = [];
          for (let ky = 0; ky < kernel[0]; ky++) {
            const y = oy * stride[0] - padding[0] + ky;
            for (let kx = 0; kx < kernel[1] && y >= 0 && y < height; kx++) {
              const x = ox * stride[1] - padding[2] + kx;
              if (x >= 0 && x < width) window.push(((n * height + y) * width + x) * channels + c);
            }
          }
          visit(o, window);
        }
      }
    }
  }
}

export const poolGradientCost = (view: NodeView<PoolGradientAttrs>): Cost => {
  const { kernel } = view.attrs;
  return { macs: 0, operations: elementsOf(inputOf(view, 0).shape) * kernel[0] * kernel[1] };
};

/** The gradient of a pool by the operator `op`, which is given that of the output and, where it asks, the input. */
export const poolGradient =
  (
    op: "MAX_POOL_2D_GRADIENT" | "AVERAGE_POOL_2D_GRADIENT",
    window: (view: NodeView<Pool2dAttrs>) => { readonly rows: WindowAxis; readonly columns: WindowAxis },
  ): GradientOf<Pool2dAttrs> =>
  (view, upstream, e) => {
    const { activation, stride, kernel } = view.attrs;
    const x = inputOf(view, 0);
    const dy = throughActivation(e, activation, outputOf(view, 0), only(upstream));
    const { rows, columns } = window(view);
    const padding = [rows.before, rows.after, columns.before, columns.after];
    const attrs = { padding, stride, kernel, inputShape: x.shape };
    return [e.node(op, op === "MAX_POOL_2D_GRADIENT" ? [dy, x] : [dy], attrs)[0] ?? null];
  };
