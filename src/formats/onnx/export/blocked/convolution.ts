import type { Activation } from "../../../../ops/common/activation.js";
import type { ConvGradientAttrs } from "../../../../ops/common/conv-gradients.js";
import type { Padding } from "../../../../ops/common/padding.js";
import { inputOf, outputOf } from "../../../../ops/common/view.js";
import type { ExportContext, Lower } from "../context.js";
import { type ConvShape, convShape, fullPadding, isDepthwise } from "../conv-gradients.js";
import { blocked } from "../layouts.js";
import { factored } from "../operands.js";
import { windowAttributes, windowOf } from "../windows.js";
import { stridedInput, stridedPhases } from "./strided.js";
import {
  activationOf,
  areFew,
  blockedFilter,
  conv,
  depthwiseFilter,
  fewChannels,
  filled,
  fits,
  grown,
  isBlockedActivation,
  plain,
  sumAfter,
  turnedDepthwiseFilter,
  turnedFilter,
} from "./words.js";

/*
 * Convolutions and the gradients of their inputs. Where channels do not come in blocks, the plain forms take over.
 */

const axes = [0, 1] as const;

interface ConvAttrs {
  readonly padding: Padding;
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly activation: Activation;
}

export const convolution: Lower = (c, view) => {
  const attrs = view.attrs as ConvAttrs;
  const [x, w, y] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const [channels = 1, out = 1] = [x.shape[3], w.shape[0]];
  const [, kh = 1, kw = 1, depth = 1] = w.shape;
  const usable = depth === channels && fits(c, out) && (areFew(c, channels) || fits(c, channels));
  if (!usable || !isBlockedActivation(attrs.activation)) return plain("CONV_2D")(c, view);
  const window = windowAttributes(windowOf(x.shape, [kh, kw], attrs));
  const bias = view.inputs[2] ? [grown(c, c.take(view.inputs[2], "0"), [out], [filled(c, out)])] : [];
  const inputs = [areFew(c, channels) ? fewChannels(c, x) : c.take(x, blocked), blockedFilter(c, w), ...bias];
  c.give(y, blocked, conv(c, inputs, { ...window, group: 1, ...activationOf(attrs.activation) }));
};

export const depthwise: Lower = (c, view) => {
  const attrs = view.attrs as ConvAttrs;
  const [x, w, y] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const [channels = 1, out = 1] = [x.shape[3], w.shape[3]];
  if (channels !== out || !fits(c, out) || !isBlockedActivation(attrs.activation))
    return plain("DEPTHWISE_CONV_2D")(c, view);
  const window = windowAttributes(windowOf(x.shape, [w.shape[1] ?? 1, w.shape[2] ?? 1], attrs));
  const bias = view.inputs[2] ? [grown(c, c.take(view.inputs[2], "0"), [out], [filled(c, out)])] : [];
  const inputs = [c.take(x, blocked), depthwiseFilter(c, w), ...bias];
  c.give(y, blocked, conv(c, inputs, { ...window, group: filled(c, channels), ...activationOf(attrs.activation) }));
};

/** Zeros behind every row and column but those that there are: [n, c, h, w] to [n, c, stride h, stride w], blocked. */
function zeroStuffed(
  c: ExportContext,
  value: string,
  batch: number,
  channels: number,
  size: readonly [number, number],
  stride: readonly [number, number],
): string {
  const b = c.block;
  const apart = c.reshape(value, [(batch * channels) / b, size[0], 1, size[1], b]);
  const padded = c.op("Pad", [apart, c.indices([0, 0, 0, 0, 0, 0, 0, stride[0] - 1, 0, (stride[1] - 1) * b])]);
  return c.reshape(padded, [batch, channels, size[0] * stride[0], size[1] * stride[1]]);
}

/** A filter of one tap with as many blocks of zeros behind each block that it gives as make `count`. */
function spacedFilter(c: ExportContext, filter: string, s: ConvShape, count: number): string {
  const [channels, outChannels] = [filled(c, s.channels), filled(c, s.outChannels)];
  const apart = [channels / c.block, 1, c.block * outChannels];
  const spaced = grown(c, c.reshape(filter, apart), apart, apart.with(1, count));
  return c.reshape(spaced, [count * channels, outChannels, 1, 1]);
}

export const inputGradient: Lower = (c, view) => {
  const attrs = view.attrs as ConvGradientAttrs & { readonly inputShape: readonly number[] };
  const [dy, w, dx] = [inputOf(view, 0), inputOf(view, 1), outputOf(view, 0)];
  const s = convShape(attrs, attrs.inputShape, w.shape, dy.shape);
  const single = isDepthwise(s) && s.channels === s.outChannels;
  const isStrided = attrs.stride.some((n) => n > 1);
  const isPointwise = s.taps[0] === 1 && s.taps[1] === 1 && attrs.padding.every((n) => n === 0);
  const fallback = (): void => plain("CONV_2D_INPUT_GRADIENT")(c, view);
  if (!fits(c, s.channels, s.outChannels) || attrs.dilation.some((n) => n > 1) || (!single && s.group > 1))
    return fallback();
  const { base, factor } = factored(c, dy);
  const channels = filled(c, s.channels);
  /** A convolution that gives dx, and what it alone is added to. */
  const give = (inputs: readonly string[], attributes: Parameters<typeof conv>[2]): void => {
    const sum = sumAfter(c, dx);
    if (sum === null) {
      c.give(dx, blocked, conv(c, inputs, attributes));
      return;
    }
    c.absorbed.add(sum.output.id);
    c.give(sum.output, blocked, conv(c, [...inputs, "", c.take(sum.added, blocked)], attributes));
  };
  if (single) {
    const length = axes.map((d) => s.outSize[d] * attrs.stride[d]) as unknown as readonly [number, number];
    const pads = fullPadding(s, length);
    if (pads === null) return fallback();
    const value = c.take(base, blocked);
    const data = isStrided ? zeroStuffed(c, value, s.batch, channels, s.outSize, attrs.stride) : value;
    give([data, turnedDepthwiseFilter(c, w, factor)], { kernel_shape: s.taps, pads, group: channels });
    return;
  }
  if (isStrided) {
    const fitsWhole = axes.every((d) => s.outSize[d] * attrs.stride[d] === s.size[d]);
    const phases = stridedPhases(s);
    const value = c.take(base, blocked);
    if (phases !== null) {
      // A sum with a shortcut's gradient, zeros but where the first phase is, begins with it.
      const sum = sumAfter(c, dx);
      const sparse = sum === null ? undefined : c.sparse.get(sum.added.id);
      const added = sparse?.stride.join() === attrs.stride.join() ? sparse.spaced() : null;
      const y = sum !== null && added !== null ? sum.output : dx;
      if (y !== dx) c.absorbed.add(y.id);
      return c.give(y, blocked, stridedInput(c, s, phases, value, w, { factor, added }));
    }
    // A filter of one tap commutes with the zeros between.
    if (!isPointwise || !fitsWhole) return fallback();
    const filter = turnedFilter(c, w, factor);
    const product = (filters: string): string => conv(c, [value, filters], { kernel_shape: [1, 1], group: 1 });
    c.promise(dx, blocked, () => zeroStuffed(c, product(filter), s.batch, channels, s.outSize, attrs.stride));
    c.sparse.set(dx.id, { stride: attrs.stride, spaced: () => product(spacedFilter(c, filter, s, attrs.stride[1])) });
    return;
  }
  const pads = fullPadding(s, s.outSize);
  if (pads === null) return fallback();
  give([c.take(base, blocked), turnedFilter(c, w, factor)], { kernel_shape: s.taps, pads, group: 1 });
};
