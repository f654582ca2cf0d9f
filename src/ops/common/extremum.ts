import { perTensor } from "../../ir/graph.js";
import { defineOp, type ExecView, type Kernel, type OpSpec, type Sample } from "../spec.js";
import { type BinaryType, binaryKernel, binaryTraits, combineAll, inferBinary } from "./binary.js";
import { elementwiseChannels } from "./channels.js";
import { checkSameQuantization } from "./checks.js";
import { elementCost } from "./cost.js";
import { binaryGradient, inRange, mul, sub } from "./gradients.js";
import { movedQuant } from "./moves.js";
import { type Empty, emptyBinding } from "./options.js";
import { cornerRanges } from "./ranges.js";
import { inputOf } from "./view.js";

const suffixes = { int8: "s8", int16: "s16", int32: "s32", float32: "f32" } as const satisfies Record<
  BinaryType,
  string
>;

const quant = { quant: perTensor(0.1, -7) };

const samples: readonly Sample<Empty>[] = [
  {
    name: "int8 and a scalar",
    attrs: {},
    inputs: [
      { shape: [2, 3, 5], dtype: "int8", ...quant },
      { shape: [], dtype: "int8", ...quant, constant: [12] },
    ],
    outputs: [{ dtype: "int8", ...quant }],
  },
  {
    name: "int8, two images",
    attrs: {},
    inputs: [
      { shape: [1, 3, 4, 2], dtype: "int8", ...quant },
      { shape: [1, 3, 4, 2], dtype: "int8", ...quant },
    ],
    outputs: [{ dtype: "int8", ...quant }],
  },
  {
    name: "int16",
    attrs: {},
    inputs: [
      { shape: [2, 1, 5], dtype: "int16", quant: perTensor(0.001) },
      { shape: [3, 5], dtype: "int16", quant: perTensor(0.001) },
    ],
    outputs: [{ dtype: "int16", quant: perTensor(0.001) }],
  },
  ...(["int32", "float32"] as const).map(
    (dtype): Sample<Empty> => ({
      name: dtype,
      attrs: {},
      inputs: [
        { shape: [4, 5], dtype },
        { shape: [4, 5], dtype },
      ],
      outputs: [{ dtype }],
    }),
  ),
];

/** MINIMUM and MAXIMUM. Source: TFLM's maximum_minimum.cc, which compares quantized values as they are. */
export function defineExtremum<const Name extends "MINIMUM" | "MAXIMUM">(
  name: Name,
  summary: string,
  builtin: number,
): OpSpec<Name, Empty> {
  // The same comparison as in C, so that NaN and the two zeros agree, which Math.min would treat otherwise.
  const sign = name === "MINIMUM" ? 1 : -1;
  const pick = (x1: number, x2: number): number => (sign * x1 < sign * x2 ? x1 : x2);
  const reference = (view: ExecView<Empty>): void => combineAll(view, pick);
  return defineOp<Name, Empty>({
    name,
    summary,
    arity: { inputs: [2, 2], outputs: [1, 1] },
    optionalInputs: [],
    traits: { ...binaryTraits, quantizes: "same" },
    tflite: emptyBinding(builtin, 4, 39),
    infer: (view, report) => {
      const inferred = inferBinary(view, report);
      const [a, b] = [inputOf(view, 0), inputOf(view, 1)];
      if (inferred === null || movedQuant(a) === "free") return inferred;
      return checkSameQuantization(a, b, report) ? inferred.map((type) => ({ ...type, quant: movedQuant(a) })) : null;
    },
    reference,
    // Where both are equal, the second input's gradient is it, as the comparison takes that one.
    gradient: binaryGradient(
      () => "NONE",
      (e, { a, b, dy }) => {
        const [low, high] = name === "MINIMUM" ? [a, b] : [b, a];
        const da = mul(e, dy, inRange(e, sub(e, high, low), 0, Infinity));
        return [da, sub(e, dy, da)];
      },
    ),
    ranges: cornerRanges(reference),
    channels: elementwiseChannels,
    cost: elementCost(1),
    kernels: (Object.keys(suffixes) as BinaryType[]).map(
      (dtype): Kernel<Empty> =>
        binaryKernel(dtype, () => ({
          source: "ops/common/extremum.h",
          symbol: `th_${name.toLowerCase()}_${suffixes[dtype]}`,
          params: "th_extremum_params",
          fields: {},
        })),
    ),
    samples,
  });
}
