import { elementsOf } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import { stepsOf } from "../../../ops/common/moves.js";
import { alongAxis, countTo, noActivation, select } from "./arithmetic.js";
import { axisOf, float, type OnnxNode, type OnnxOperator, operator, requireOption } from "./context.js";
import { toFirst, toLast } from "./convolution.js";

/** One axis of a resize. `scale` is what the file says, which sizes may round. */
interface Axis {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
  readonly roi: readonly [start: number, end: number];
}

type Place = (axis: Axis, i: number) => number;

/** Where output element `i` lies in the input, in elements. Source: Resize in ONNX's Operators.md. */
const places: Readonly<Record<string, Place>> = {
  half_pixel: ({ scale }, i) => (i + 0.5) / scale - 0.5,
  half_pixel_symmetric: ({ input, output, scale }, i) => {
    const adjustment = output / (scale * input);
    return (input / 2) * (1 - adjustment) + (i + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: ({ output, scale }, i) => (output > 1 ? (i + 0.5) / scale - 0.5 : 0),
  // The size that is not rounded counts, as in ONNX's own reference.
  align_corners: ({ input, output, scale }, i) => (output > 1 ? (i * (input - 1)) / (input * scale - 1) : 0),
  asymmetric: ({ scale }, i) => i / scale,
  tf_half_pixel_for_nn: ({ scale }, i) => (i + 0.5) / scale,
  tf_crop_and_resize: ({ input, output, roi: [start, end] }, i) =>
    output > 1
      ? start * (input - 1) + (i * (end - start) * (input - 1)) / (output - 1)
      : 0.5 * (start + end) * (input - 1),
};

const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Weights of the two input elements around a place, or of the four that a cubic passes through (Keys 1981). */
function taps(mode: string, a: number, place: number): readonly (readonly [index: number, weight: number])[] {
  const first = Math.floor(place);
  const t = place - first;
  if (mode === "linear")
    return [
      [first, 1 - t],
      [first + 1, t],
    ];
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return [
    [first - 1, far(1 + t)],
    [first, near(t)],
    [first + 1, near(1 - t)],
    [first + 2, far(2 - t)],
  ];
}

interface Interpolation {
  readonly mode: string;
  readonly place: Place;
  readonly cubic: number;
  readonly excludeOutside: boolean;
}

/** The matrix [output, input] of an axis; elements outside the image are those at its edge, or do not count. */
function matrixOf(axis: Axis, how: Interpolation): readonly number[] {
  const matrix = new Array<number>(axis.output * axis.input).fill(0);
  for (let i = 0; i < axis.output; i++) {
    const all = taps(how.mode, how.cubic, how.place(axis, i));
    const kept = how.excludeOutside ? all.filter(([k]) => k >= 0 && k < axis.input) : all;
    const sum = how.excludeOutside ? kept.reduce((s, [, w]) => s + w, 0) : 1;
    for (const [k, w] of kept) {
      const at = i * axis.input + Math.min(Math.max(k, 0), axis.input - 1);
      matrix[at] = (matrix[at] ?? 0) + w / sum;
    }
  }
  return matrix;
}

/** Linear interpolation of height and width as RESIZE_BILINEAR does it; null where it differs. */
function bilinear(n: OnnxNode, x: Tensor, axes: readonly Axis[], coordinates: string): Tensor | null {
  const [, , rows, columns] = axes;
  const isImage = axes.length === 4 && axes.slice(0, 2).every((a) => a.input === a.output);
  const exact = axes.every((a) => Math.abs(a.scale - a.output / a.input) < 1e-9);
  const attrs = {
    half_pixel: { alignCorners: false, halfPixelCenters: true },
    pytorch_half_pixel: { alignCorners: false, halfPixelCenters: true },
    align_corners: { alignCorners: true, halfPixelCenters: false },
    asymmetric: { alignCorners: false, halfPixelCenters: false },
  }[coordinates];
  const isOne = coordinates === "pytorch_half_pixel" && (rows?.output === 1 || columns?.output === 1);
  if (!isImage || !exact || attrs === undefined || isOne) return null;
  const size = n.b.ints([rows?.output ?? 1, columns?.output ?? 1]);
  return toFirst(n.b, n.b.emit("RESIZE_BILINEAR", [toLast(n.b, x), size], attrs, { quant: x.quant }));
}

/** The nearest elements: RESIZE_NEAREST_NEIGHBOR where that takes the same ones, else by index along each axis. */
function nearest(n: OnnxNode, x: Tensor, axes: readonly Axis[], place: Place): Tensor {
  const mode = n.attr.text("nearest_mode", n.op === "Upsample" || n.opset < 11 ? "floor" : "round_prefer_floor");
  const round = roundings[mode];
  requireOption(n, round !== undefined, "nearest_mode", mode, Object.keys(roundings).join(", "));
  const indices = axes.map((a) =>
    countTo(a.output).map((i) => Math.min(Math.max(round?.(place(a, i)) ?? 0, 0), a.input - 1)),
  );
  const isOurs = axes.every((a, d) => indices[d]?.every((at, i) => at === Math.floor((i * a.input) / a.output)));
  if (axes.length === 4 && isOurs && axes.slice(0, 2).every((a) => a.input === a.output)) {
    const size = n.b.ints(axes.slice(2).map((a) => a.output));
    const attrs = { alignCorners: false, halfPixelCenters: false };
    return toFirst(n.b, n.b.emit("RESIZE_NEAREST_NEIGHBOR", [toLast(n.b, x), size], attrs, { quant: x.quant }));
  }
  return axes.reduce((t, a, axis) => {
    if (a.input === a.output && indices[axis]?.every((at, i) => at === i)) return t;
    return n.b.emit("GATHER", [t, n.b.ints(indices[axis] ?? [])], { axis, batchDims: 0 }, { quant: t.quant });
  }, x);
}

/** Sizes and scales of every axis. `axes` says which ones the others speak of. */
function axesOf(n: OnnxNode, x: Tensor): readonly Axis[] {
  const rank = x.shape.length;
  const isOld = n.op === "Upsample" || n.opset < 11;
  const named = n.attr.ints("axes", countTo(rank)).map((axis) => axisOf(n, axis, rank));
  const oldScales = n.attr.floats("scales", null) ?? (isOld ? n.constants(1, "scales") : null);
  const given = oldScales ?? (n.has(2) ? n.constants(2, "scales") : []);
  const sizes = given.length === 0 && n.has(3) ? n.constants(3, "sizes") : null;
  const roi = !isOld && n.has(1) ? n.constants(1, "roi") : [];
  const policy = n.attr.text("keep_aspect_ratio_policy", "stretch");
  requireOption(n, policy === "stretch", "keep_aspect_ratio_policy", policy, "stretch");
  return x.shape.map((input, d) => {
    const i = named.indexOf(d);
    const scale = i < 0 ? 1 : sizes ? (sizes[i] ?? input) / input : (given[i] ?? 1);
    const output = i < 0 ? input : sizes ? (sizes[i] ?? input) : Math.floor(input * scale + 1e-6);
    requireOption(n, output > 0 && output < 2 ** 16 && scale > 0, "size", output, "between 1 and 65535");
    return { input, output, scale, roi: [roi[i] ?? 0, roi[i + named.length] ?? 1] };
  });
}

/** `extrapolation_value` where a cropped region lies outside the image along any axis. */
function extrapolated(n: OnnxNode, x: Tensor, axes: readonly Axis[], place: Place): Tensor {
  const steps = stepsOf(x.shape);
  const isOutside = countTo(elementsOf(x.shape)).map((at) =>
    Number(
      axes.some((a, d) => {
        const p = place(a, Math.floor(at / (steps[d] ?? 1)) % a.output);
        return p < 0 || p > a.input - 1;
      }),
    ),
  );
  if (!isOutside.includes(1)) return x;
  const value = n.b.scalar(n.attr.float("extrapolation_value", 0));
  return select(n.b, n.b.constant("bool", x.shape, isOutside), value, x);
}

function resize(n: OnnxNode): Tensor {
  const { b } = n;
  const x = n.input(0);
  const axes = axesOf(n, x);
  const mode = n.attr.text("mode", "nearest").replace("bilinear", "linear");
  requireOption(n, ["nearest", "linear", "cubic"].includes(mode), "mode", mode, "nearest, linear or cubic");
  requireOption(n, n.attr.int("antialias", 0) === 0, "antialias", 1, "0");
  const isOld = n.op === "Upsample" || n.opset < 11;
  const coordinates = isOld ? "asymmetric" : n.attr.text("coordinate_transformation_mode", "half_pixel");
  const place = places[coordinates];
  if (place === undefined)
    return n.refuse("TH2007", {
      found: coordinates,
      expected: Object.keys(places).join(", "),
      fix: "use one of these modes",
    });
  if (mode === "nearest") return nearest(n, x, axes, place);
  const direct = mode === "linear" ? bilinear(n, x, axes, coordinates) : null;
  if (direct !== null) return direct;
  if (x.quant !== null) b.giveUp();
  const how = {
    mode,
    place,
    cubic: n.attr.float("cubic_coeff_a", -0.75),
    excludeOutside: n.attr.int("exclude_outside", 0) === 1,
  };
  const isCropped = coordinates === "tf_crop_and_resize";
  const resized = axes.reduce((t, a, axis) => {
    if (a.input === a.output && a.scale === 1 && !isCropped) return t;
    const weights = b.constant("float32", [a.output, a.input], matrixOf(a, how));
    return alongAxis(b, t, axis, (last) =>
      b.emit("FULLY_CONNECTED", [last, weights], { keepNumDims: true, ...noActivation }),
    );
  }, x);
  return isCropped ? extrapolated(n, resized, axes, place) : resized;
}

export const resizes: readonly OnnxOperator[] = [
  operator({
    name: "Resize",
    types: float,
    quantizable: "moves",
    limits: "constant sizes; no antialiasing",
    make: resize,
  }),
  operator({ name: "Upsample", types: float, quantizable: "moves", limits: "constant scales", make: resize }),
];
