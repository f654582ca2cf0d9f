import { present } from "../../base/assert.js";
import { bytesOf, type DType, elementsOf, makeData, type TensorData } from "../../base/dtype.js";
import { type NodeView, perTensor, type Tensor } from "../../ir/graph.js";
import { type ChannelRanges, channelCount } from "../channels.js";
import {
  type CValue,
  defineOp,
  type ExecView,
  type Kernel,
  type KernelCall,
  type OpSpec,
  type Report,
  type RowWindows,
  type Sample,
  slidingRows,
  type TypeSignature,
} from "../spec.js";
import { evenChannels } from "./channels.js";
import { checkConstant, checkOption, checkRank, checkSameQuantization, checkShape } from "./checks.js";
import { noCost } from "./cost.js";
import { only, slice } from "./gradients.js";
import { type Box, movedQuant, movedTypes, moveElements, moveFields, moverTraits, stepsOf } from "./moves.js";
import { type Empty, emptyBinding } from "./options.js";
import { hasRanges } from "./ranges.js";
import { hasRows } from "./rows.js";
import { constantOf, inputOf, outputOf, zeroPointOf } from "./view.js";

/** Elements added before and after, for each dimension. */
export function padAmounts(view: NodeView<unknown>): readonly (readonly [before: number, after: number])[] {
  const flat = constantOf(inputOf(view, 1));
  return inputOf(view, 0).shape.map((_, d) => [flat[2 * d] ?? 0, flat[2 * d + 1] ?? 0]);
}

/** Checks the constant of paddings, `[rank, 2]` and not negative; shared with MIRROR_PAD. */
export function checkPaddings(view: NodeView<unknown>, report: Report): boolean {
  const [input, paddings] = [inputOf(view, 0), inputOf(view, 1)];
  const rank = input.shape.length;
  if (!checkRank(input, [1, 2, 3, 4, 5, 6], report) || !checkConstant(view, 1, report)) return false;
  const fits = elementsOf(paddings.shape) === 2 * rank && paddings.shape.at(-1) === 2;
  if (!checkShape(paddings, fits, `[${rank}, 2]`, report)) return false;
  const amounts = constantOf(paddings);
  return checkOption(
    amounts.every((n) => n >= 0 && n < 2 ** 31),
    "paddings",
    amounts.join(", "),
    "not negative",
    report,
  );
}

/** The input's shape with its padding. */
export const paddedShape = (view: NodeView<unknown>): readonly number[] => {
  const amounts = padAmounts(view);
  return inputOf(view, 0).shape.map((size, d) => size + (amounts[d]?.[0] ?? 0) + (amounts[d]?.[1] ?? 0));
};

/** Where the input lies in the padded output, of which only the axes from `first` on are looked at. */
function insideBox(view: NodeView<unknown>, first: number): Box {
  const input = inputOf(view, 0).shape.slice(first);
  const outSteps = stepsOf(outputOf(view, 0).shape.slice(first));
  const amounts = padAmounts(view).slice(first);
  const outBase = amounts.reduce((sum, [before], d) => sum + before * (outSteps[d] ?? 0), 0);
  return { sizes: input, inSteps: stepsOf(input), outSteps, inBase: 0, outBase };
}

/** Rows of a padded image that keeps its batch: the rows above and below are padding. */
function padRows(view: NodeView<unknown>): RowWindows | "none" {
  const [batch, height] = padAmounts(view);
  if (!hasRows(inputOf(view, 0)) || !batch || !height || batch[0] + batch[1] > 0) return "none";
  return view.inputs.map((_, i) => (i === 0 ? slidingRows(1, 1, height[0]) : null));
}

type PadValue = "zero" | "input";

/** One element of padding: the third input's, or zero, which is the zero point of a quantized type. */
function padValue(view: NodeView<unknown>, value: PadValue, given: TensorData | null): TensorData {
  if (value === "input") return present(given, "padding value");
  const { dtype } = inputOf(view, 0);
  const one = makeData(dtype, 1);
  const zero = zeroPointOf(outputOf(view, 0));
  if (dtype === "int8" || dtype === "uint8" || dtype === "int16") one[0] = zero;
  return one;
}

function padReference(view: ExecView<unknown>, value: PadValue): void {
  const out = view.out[0] as Int32Array;
  out.fill((padValue(view, value, view.in[2] ?? null) as Int32Array)[0] as number);
  moveElements(present(view.in[0], "input"), out, insideBox(view, 0));
}

/** The input's bounds and the padding's: the hull of both, but for channels that are all padding. */
function padRanges(
  view: NodeView<unknown>,
  value: PadValue,
  inputs: readonly (ChannelRanges | null)[],
): readonly ChannelRanges[] | null {
  const [input, , given] = inputs;
  const [output, amounts] = [outputOf(view, 0), padAmounts(view)];
  if (!input || !hasRanges(output) || (value === "input" && !given)) return null;
  const constant = Number(value === "zero" ? padValue(view, value, null)[0] : 0);
  const [least, most] = [given?.low[0] ?? constant, given?.high[0] ?? constant];
  const before = amounts.at(-1)?.[0] ?? 0;
  const isPadded = amounts.slice(0, -1).some(([a, b]) => a + b > 0);
  const bound = (from: Int32Array, pick: (...values: number[]) => number, padding: number): Int32Array =>
    Int32Array.from({ length: channelCount(output) }, (_, c) => {
      const own = from[c - before];
      return own === undefined ? padding : isPadded ? pick(own, padding) : own;
    });
  return [{ low: bound(input.low, Math.min, least), high: bound(input.high, Math.max, most) }];
}

const prefixed = (fields: Record<string, CValue>, prefix: string): Record<string, CValue> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [`${prefix}.${name}`, field]));

const typesOf = (dtype: DType, value: PadValue): TypeSignature => ({
  inputs: [dtype, ["int32", "int64"], ...(value === "input" ? [dtype] : [])],
  outputs: [dtype],
});

/** A call that pads what the axes from `first` on span. */
function padCall(view: NodeView<Empty>, value: PadValue, first: 0 | 2): KernelCall {
  const { dtype, shape } = outputOf(view, 0);
  const fields = {
    ...prefixed(present(moveFields(insideBox(view, first), dtype), "six dimensions"), "move"),
    bytes: bytesOf(dtype, elementsOf(shape.slice(first))),
    element_bytes: bytesOf(dtype, 1),
  };
  return {
    source: "ops/common/th_pad.h",
    symbol: first === 0 ? "th_pad" : "th_pad_row",
    params: { type: "th_pad_params", fields },
    args: [
      { kind: first === 0 ? "input" : "rows", index: 0 },
      value === "input"
        ? { kind: "input", index: 2 }
        : { kind: "constant", label: "padding", dtype, data: padValue(view, "zero", null) },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  };
}

/** Images that keep their batch are padded row by row, anything else at once. */
const padKernels = (dtype: DType, value: PadValue): readonly Kernel<Empty>[] => [
  {
    name: `rows ${dtype}`,
    form: "row",
    types: typesOf(dtype, value),
    matches: (view) => padRows(view) !== "none",
    call: (view) => padCall(view, value, 2),
  },
  {
    name: `portable ${dtype}`,
    form: "whole",
    types: typesOf(dtype, value),
    call: (view) => padCall(view, value, 0),
  },
];

function infer(view: NodeView<unknown>, value: PadValue, report: Report) {
  if (!checkPaddings(view, report)) return null;
  const input = inputOf(view, 0);
  if (value === "input") {
    const given: Tensor = inputOf(view, 2);
    if (!checkShape(given, elementsOf(given.shape) === 1, "a single element", report)) return null;
    if (movedQuant(input) !== "free" && !checkSameQuantization(input, given, report)) return null;
  }
  return [{ shape: paddedShape(view), dtype: input.dtype, quant: movedQuant(input) }];
}

const quant = perTensor(0.1, -128);

function samplesOf(value: PadValue): readonly Sample<Empty>[] {
  const make = (
    name: string,
    dtype: DType,
    shape: readonly number[],
    paddings: readonly number[],
    q = quant,
  ): Sample<Empty> => {
    const quantized = dtype === "int8" || dtype === "int16" ? { quant: dtype === "int16" ? perTensor(0.001) : q } : {};
    return {
      name,
      attrs: {},
      inputs: [
        { shape, dtype, ...quantized },
        { shape: [shape.length, 2], dtype: "int32", constant: paddings },
        ...(value === "input" ? [{ shape: [], dtype, ...quantized, constant: [42] }] : []),
      ],
      outputs: [{ dtype, ...quantized }],
    };
  };
  return [
    make("image", "int8", [1, 3, 4, 5], [0, 0, 1, 2, 3, 0, 0, 0]),
    make("image, all around", "int8", [1, 3, 4, 2], [0, 0, 2, 1, 1, 2, 0, 0], perTensor(0.1, 7)),
    make("two images", "float32", [2, 3, 2, 3], [0, 0, 1, 1, 1, 0, 0, 1]),
    make("channels and batch", "int8", [2, 2, 3, 2], [1, 0, 0, 1, 1, 1, 2, 1], perTensor(0.1, 5)),
    make("int16 vector", "int16", [7], [2, 3]),
    make("five dimensions", "float32", [1, 2, 1, 3, 2], [0, 1, 1, 0, 0, 0, 0, 2, 1, 1]),
    make("int64", "int64", [2, 2], [0, 1, 1, 0]),
  ];
}

/** PAD and PADV2: what differs is where the padding value comes from. Source: TFLM's pad_common.cc. */
export function definePad<const Name extends string>(op: {
  readonly name: Name;
  readonly summary: string;
  readonly value: PadValue;
  readonly tflite: { readonly builtin: number; readonly maxVersion: number; readonly tag: number };
}): OpSpec<Name, Empty> {
  const inputs = op.value === "input" ? 3 : 2;
  return defineOp<Name, Empty>({
    name: op.name,
    summary: op.summary,
    arity: { inputs: [inputs, inputs], outputs: [1, 1] },
    optionalInputs: [],
    traits: { ...moverTraits, rows: padRows },
    tflite: emptyBinding(op.tflite.builtin, op.tflite.maxVersion, op.tflite.tag),
    infer: (view, report) => infer(view, op.value, report),
    reference: (view) => padReference(view, op.value),
    gradient: (view, upstream, e) => {
      const paddings = constantOf(inputOf(view, 1));
      const { shape } = inputOf(view, 0);
      const begin = shape.map((_, d) => paddings[2 * d] ?? 0);
      return [slice(e, only(upstream), begin, shape), ...view.inputs.slice(1).map(() => null)];
    },
    ranges: (view, inputs) => padRanges(view, op.value, inputs),
    channels: evenChannels(0),
    cost: noCost,
    kernels: movedTypes.flatMap((dtype) => padKernels(dtype, op.value)),
    samples: samplesOf(op.value),
  });
}
