import { type DType, elementsOf, type TensorData } from "../../base/dtype.js";
import { elementwiseChannels } from "../common/channels.js";
import { elementCost } from "../common/cost.js";
import { type Empty, int8 } from "../common/options.js";
import { unaryTraits } from "../common/unary.js";
import { inputOf, outputOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, type Sample } from "../spec.js";

/** How kernels name element types; a bool is a byte of 0 or 1. */
const names = {
  float32: "f32",
  int8: "s8",
  uint8: "u8",
  int16: "s16",
  int32: "s32",
  int64: "s64",
  bool: "b8",
} as const;
type Castable = keyof typeof names;
const types = Object.keys(names) as Castable[];

const integerBits: Partial<Record<DType, number>> = { int8: 8, uint8: 8, int16: 16, int32: 32, int64: 64 };

/** A float as an integer: truncated, saturated, NaN as 0. TFLite leaves values out of range undefined. */
function truncated(x: number, dtype: DType): bigint {
  if (Number.isNaN(x)) return 0n;
  const bits = BigInt(integerBits[dtype] ?? 64);
  const [min, max] = dtype === "uint8" ? [0n, 255n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
  if (x <= Number(min)) return min;
  return x >= Number(max) ? max : BigInt(Math.trunc(x));
}

/** Integers wrap and are rounded to float once, as C's conversions; source: TFLM's cast.cc. */
function castReference(view: ExecView<Empty>): void {
  const [from, to] = [inputOf(view, 0).dtype, outputOf(view, 0).dtype];
  const [input, output] = [view.in[0] as TensorData, view.out[0] as TensorData];
  for (let i = 0; i < input.length; i++) {
    const x = input[i] as number | bigint;
    if (to === "bool") output[i] = Number(x) !== 0 ? 1 : 0;
    else if (to === "float32") output[i] = Number(x);
    else {
      const integer = from === "float32" ? truncated(x as number, to) : BigInt(x);
      // Storing wraps to the type's width.
      output[i] = output instanceof BigInt64Array ? integer : Number(BigInt.asIntN(32, integer));
    }
  }
}

const kernel = (from: Castable, to: Castable): Kernel<Empty> => ({
  name: `portable ${from} to ${to}`,
  form: "slice",
  types: { inputs: [from], outputs: [to] },
  call: (view) => ({
    source: "ops/cast/cast.h",
    symbol: `th_cast_${from === "bool" ? "u8" : names[from]}_${names[to]}`,
    params: { type: "th_count_params", fields: { n: elementsOf(inputOf(view, 0).shape) } },
    args: [
      { kind: "input", index: 0 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});

/** Values at and beyond the ends of the integer types, both signs, and halves. */
const edges = [0, -0.5, 1.5, -1.5, 127.9, 128, -128.9, -129, 255.5, 256, 32768, -40000, 2147483648, -3e9, 1e19, -1e19];

const sample = (from: Castable, to: Castable, constant?: readonly number[]): Sample<Empty> => ({
  name: `${from} to ${to}${constant ? ", edges" : ""}`,
  attrs: {},
  inputs: [
    {
      shape: constant ? [constant.length] : [1, 3, 2, 5],
      dtype: from,
      ...(constant ? { constant } : { range: from === "bool" ? [0, 1] : from === "uint8" ? [0, 255] : [-128, 127] }),
    },
  ],
  outputs: [{ dtype: to }],
});

export const cast = defineOp<"CAST", Empty>({
  name: "CAST",
  summary: "Conversion between element types; floats truncate and saturate",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: unaryTraits,
  tflite: {
    builtin: 53,
    maxVersion: 8,
    options: { tag: 37, fields: [int8("inType"), int8("outType")] },
    // The tensors' types say the same.
    decode: () => ({}),
    encode: () => ({}),
  },
  infer: (view) => [{ shape: inputOf(view, 0).shape, dtype: outputOf(view, 0).dtype, quant: "free" }],
  reference: castReference,
  gradient: "not differentiable",
  ranges: "none",
  channels: elementwiseChannels,
  cost: elementCost(1),
  kernels: types.flatMap((from) => types.map((to) => kernel(from, to))),
  samples: [
    ...(["int8", "uint8", "int16", "int32", "int64", "bool"] as const).map((to) => sample("float32", to, edges)),
    sample("int8", "float32"),
    sample("uint8", "int8"),
    sample("int32", "int8", [0, 127, 128, -129, 65535, -2147483648]),
    sample("int64", "int32", [1, -1, 2147483648, -4294967297]),
    sample("int64", "float32", [16777217, -16777217, 9007199254740991]),
    sample("bool", "float32"),
    sample("int16", "bool"),
  ],
});
