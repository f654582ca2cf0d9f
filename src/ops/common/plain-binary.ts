import { type DType, elementsOf } from "../../base/dtype.js";
import { defineOp, type OpSpec, type TfliteBinding } from "../spec.js";
import { type BinaryType, binaryKernel, binaryTraits, combineAll, inferBinary } from "./binary.js";
import { elementwiseChannels } from "./channels.js";
import { elementCost } from "./cost.js";
import { type BinaryGradient, binaryGradient } from "./gradients.js";
import type { Empty } from "./options.js";
import { inputOf } from "./view.js";

const suffixes = { float32: "f32", int32: "s32" } as const;
type PlainType = keyof typeof suffixes & BinaryType;

/**
 * The record of an operator of two plain numbers, with broadcasting: no quantized types. `source` holds
 * `th_NAME_f32` and `th_NAME_s32` with th_binary_params; `right` is the range of second operands in samples.
 */
export function definePlainBinary<const Name extends string>(op: {
  readonly name: Name;
  readonly summary: string;
  readonly tflite: TfliteBinding<Empty> | "none";
  readonly apply: (x1: number, x2: number, dtype: DType) => number;
  readonly gradient: BinaryGradient | "not needed yet";
  readonly left: readonly [low: number, high: number];
  readonly right: readonly [low: number, high: number];
}): OpSpec<Name, Empty> {
  const types = Object.keys(suffixes) as PlainType[];
  return defineOp<Name, Empty>({
    name: op.name,
    summary: op.summary,
    arity: { inputs: [2, 2], outputs: [1, 1] },
    optionalInputs: [],
    traits: binaryTraits,
    tflite: op.tflite,
    infer: inferBinary,
    reference: (view) => combineAll(view, (x1, x2) => op.apply(x1, x2, inputOf(view, 0).dtype)),
    gradient: op.gradient === "not needed yet" ? op.gradient : binaryGradient(() => "NONE", op.gradient),
    ranges: "none",
    channels: elementwiseChannels,
    cost: elementCost(4),
    kernels: types.map((dtype) =>
      binaryKernel(dtype, () => ({
        source: "ops/common/plain_binary.h",
        symbol: `th_${op.name.toLowerCase()}_${suffixes[dtype]}`,
        params: "th_binary_params",
        fields: {},
      })),
    ),
    samples: types.flatMap((dtype) =>
      ([[1, 3, 4, 5], [5], []] as const).map((shape) => ({
        name: `${dtype}, ${elementsOf(shape)} second operands`,
        attrs: {},
        inputs: [
          { shape: [1, 3, 4, 5], dtype, range: op.left },
          { shape, dtype, range: op.right },
        ],
        outputs: [{ dtype }],
      })),
    ),
  });
}
