import type { NodeView } from "../../ir/graph.js";
import { perTensor } from "../../ir/graph.js";
import {
  defineOp,
  type Kernel,
  type OpSpec,
  type OutputType,
  type Report,
  type Sample,
  type TfliteBinding,
} from "../spec.js";
import { binaryTraits, combineAll } from "./binary.js";
import { broadcastFields, broadcastShape, maxBroadcastRank } from "./broadcast.js";
import { checkSameQuantization, checkShape } from "./checks.js";
import { elementCost } from "./cost.js";
import type { Empty } from "./options.js";
import { inputOf, outputOf } from "./view.js";

/** Short names of element types, as kernels are named. */
const suffixes = { float32: "f32", int32: "s32", int8: "s8", bool: "b8" } as const;
type Comparable = keyof typeof suffixes;

/** Integers are compared as they are, so both sides of a quantized comparison must have one scale and zero point. */
function infer(view: NodeView<Empty>, report: Report): readonly OutputType[] | null {
  const [a, b] = [inputOf(view, 0), inputOf(view, 1)];
  const shape = broadcastShape(a.shape, b.shape);
  const fits = shape !== null && shape.length <= maxBroadcastRank;
  const expected = `a shape of at most ${maxBroadcastRank} dimensions that broadcasts with [${a.shape.join(", ")}]`;
  if (!checkShape(b, fits, expected, report) || shape === null) return null;
  if (a.dtype === "int8" && !checkSameQuantization(a, b, report)) return null;
  return [{ shape, dtype: "bool", quant: null }];
}

const kernel = (name: string, dtype: Comparable): Kernel<Empty> => ({
  name: `portable ${dtype}`,
  form: "slice",
  types: { inputs: [dtype, dtype], outputs: ["bool"] },
  call: (view) => ({
    source: "ops/common/compare.h",
    symbol: `th_${name}_${suffixes[dtype]}`,
    params: {
      type: "th_binary_params",
      fields: broadcastFields(inputOf(view, 0).shape, inputOf(view, 1).shape, outputOf(view, 0).shape),
    },
    args: [
      { kind: "input", index: 0 },
      { kind: "input", index: 1 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});

function sample(dtype: Comparable, left: readonly number[], right: readonly number[]): Sample<Empty> {
  const range = dtype === "bool" ? ([0, 1] as const) : ([-2, 2] as const);
  const quant = dtype === "int8" ? { quant: perTensor(0.1, 3) } : {};
  return {
    name: `${dtype}, [${left.join(", ")}] and [${right.join(", ")}]`,
    attrs: {},
    inputs: [left, right].map((shape) => ({ shape, dtype, range, ...quant })),
    outputs: [{ dtype: "bool" }],
  };
}

/** The record of an operator that makes a bool of two elements, with numpy's broadcasting. */
export function defineComparison<const Name extends string>(op: {
  readonly name: Name;
  readonly summary: string;
  readonly tflite: TfliteBinding<Empty> | "none";
  readonly types: readonly Comparable[];
  readonly holds: (x1: number, x2: number) => boolean;
}): OpSpec<Name, Empty> {
  return defineOp<Name, Empty>({
    name: op.name,
    summary: op.summary,
    arity: { inputs: [2, 2], outputs: [1, 1] },
    optionalInputs: [],
    traits: binaryTraits,
    tflite: op.tflite,
    infer,
    reference: (view) => combineAll(view, (x1, x2) => Number(op.holds(x1, x2))),
    gradient: "integers",
    ranges: "none",
    channels: "none",
    cost: elementCost(1),
    kernels: op.types.map((dtype) => kernel(op.name.toLowerCase(), dtype)),
    samples: op.types.flatMap((dtype) => [sample(dtype, [1, 3, 4, 5], [1, 3, 4, 5]), sample(dtype, [1, 3, 4, 2], [2])]),
  });
}
