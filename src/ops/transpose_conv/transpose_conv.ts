import { present } from "../../base/assert.js";
import { perTensor } from "../../ir/graph.js";
import { decodeActivation, encodeActivation } from "../common/activation.js";
import { checkConstant, checkOption, checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { biasTypeOption, int8, int32 } from "../common/options.js";
import { decodePadding, encodePadding } from "../common/padding.js";
import { checkWeightQuantization } from "../common/requantize.js";
import { asDoubles, inputOf, optionalInput, outputOf, sizeAt } from "../common/view.js";
import { dataWindow, sampleChannels, weightedKernels } from "../common/weighted.js";
import { defineOp, type Kernel, type KernelArg, noTraits, type Sample } from "../spec.js";
import { statedShape, type TransposeConvAttrs, transposeConvGeometry, transposed, transposedRows } from "./geometry.js";
import { transposeConvGradient } from "./gradient.js";
import { transposeConvReference } from "./reference.js";

const weighted = weightedKernels(transposed, ["s8", "s16", "s16_b32", "f32"]);

/** Old 16x8 models have int16 biases, which TFLM widens; here the constant is. */
const narrowBias: Kernel<TransposeConvAttrs> = {
  name: "portable s16, int16 bias",
  form: "row",
  types: { inputs: ["int32", "int8", "int16", "int16"], outputs: ["int16"] },
  call: (view) => {
    const call = present(weighted[1], "s16 kernel").call(view);
    const values = present(asDoubles(inputOf(view, 3).data), "bias");
    const data = BigInt64Array.from(values, BigInt);
    const bias: KernelArg = { kind: "constant", label: "bias", dtype: "int64", data };
    return { ...call, args: call.args.map((arg) => (arg.kind === "input" && arg.index === 3 ? bias : arg)) };
  },
};

const attrs: TransposeConvAttrs = { padding: "SAME", stride: [2, 2], activation: "NONE" };
type Shape = readonly [number, number, number, number];
type Kind = "int8" | "int16" | "float32";

function sample(
  name: string,
  kind: Kind,
  bias: "int64" | "int32" | "int16" | "float32" | "none",
  a: TransposeConvAttrs,
  input: Shape,
  filter: Shape,
  output: Shape,
): Sample<TransposeConvAttrs> {
  const isFloat = kind === "float32";
  const [scale, zero, range] = kind === "int8" ? [0.05, -9, 1500] : [0.0003, 0, 30000];
  const limits = isFloat ? {} : { range: [-range, range] as const };
  return {
    name,
    attrs: a,
    inputs: [
      { shape: [4], dtype: "int32", constant: output },
      {
        shape: filter,
        dtype: isFloat ? kind : "int8",
        constant: "random",
        ...(isFloat ? {} : { quant: sampleChannels(filter[0], 0.01) }),
      },
      { shape: input, dtype: kind, ...(isFloat ? {} : { quant: perTensor(scale, zero) }) },
      ...(bias === "none" ? [] : [{ shape: [filter[0]], dtype: bias, constant: "random", ...limits } as const]),
    ],
    outputs: [{ dtype: kind, ...(isFloat ? {} : { quant: perTensor(scale * 1.5, kind === "int8" ? 4 : 0) }) }],
  };
}

const samples: readonly Sample<TransposeConvAttrs>[] = [
  sample("int8 same", "int8", "int32", { ...attrs, activation: "RELU" }, [1, 3, 4, 3], [4, 3, 3, 3], [1, 6, 8, 4]),
  sample(
    "int8 valid, no bias, batch 2",
    "int8",
    "none",
    { ...attrs, padding: "VALID", stride: [2, 1] },
    [2, 3, 4, 2],
    [3, 4, 2, 2],
    [2, 8, 5, 3],
  ),
  sample(
    "int8, kernel below stride",
    "int8",
    "int32",
    { ...attrs, padding: "VALID", stride: [3, 2] },
    [1, 2, 3, 2],
    [2, 2, 1, 2],
    [1, 6, 6, 2],
  ),
  sample("16x8, int64 bias", "int16", "int64", attrs, [1, 3, 3, 4], [3, 4, 4, 4], [1, 5, 6, 3]),
  sample("16x8, int32 bias", "int16", "int32", attrs, [1, 3, 3, 4], [3, 3, 3, 4], [1, 6, 5, 3]),
  sample("16x8, int16 bias", "int16", "int16", { ...attrs, stride: [1, 2] }, [1, 1, 4, 3], [2, 1, 4, 3], [1, 1, 8, 2]),
  sample("16x8, no bias", "int16", "none", attrs, [1, 2, 2, 3], [2, 3, 3, 3], [1, 4, 4, 2]),
  {
    name: "int8, output shape at run time",
    attrs,
    inputs: [
      { shape: [4], dtype: "int32", range: [0, 9] },
      { shape: [2, 2, 2, 3], dtype: "int8", constant: "random", quant: perTensor(0.01) },
      { shape: [1, 2, 3, 3], dtype: "int8", quant: perTensor(0.05, 127) },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.04, -128), shape: [1, 4, 6, 2] }],
  },
  sample("float", "float32", "float32", { ...attrs, activation: "RELU6" }, [1, 3, 2, 3], [4, 3, 3, 3], [1, 6, 4, 4]),
];

export const transposeConv = defineOp<"TRANSPOSE_CONV", TransposeConvAttrs>({
  name: "TRANSPOSE_CONV",
  summary: "Transposed 2-D convolution, NHWC, OHWI filter",
  arity: { inputs: [3, 4], outputs: [1, 1] },
  optionalInputs: [3],
  traits: {
    ...noTraits,
    parameters: [1, 3],
    sums: { ...transposed.index, channelAxis: 0 },
    rows: (view) => dataWindow(transposed, view, transposedRows(view)),
  },
  tflite: {
    builtin: 67,
    maxVersion: 5,
    options: {
      tag: 49,
      fields: [int8("padding"), int32("strideW"), int32("strideH"), int8("activation"), int8("quantizedBiasType")],
    },
    decode: (v, report) => ({
      padding: decodePadding(v.padding, report) === "SAME" ? "SAME" : "VALID",
      stride: [Number(v.strideH), Number(v.strideW)],
      activation: decodeActivation(v.activation, report),
    }),
    encode: (a, view) => ({
      padding: encodePadding(a.padding),
      strideW: a.stride[1],
      strideH: a.stride[0],
      activation: encodeActivation(a.activation),
      quantizedBiasType: biasTypeOption(inputOf(view, 2), optionalInput(view, 3)),
    }),
  },
  infer: (view, report) => {
    const [filter, input, bias] = [inputOf(view, 1), inputOf(view, 2), optionalInput(view, 3)];
    if (!checkRank(input, [4], report) || !checkRank(filter, [4], report)) return null;
    if (!checkConstant(view, 1, report)) return null;
    if (bias?.dtype === "int16" && !checkConstant(view, 3, report)) return null;
    const { stride } = view.attrs;
    if (
      !checkOption(
        stride.every((n) => Number.isInteger(n) && n > 0),
        "stride",
        stride,
        "at least 1",
        report,
      )
    )
      return null;
    const [batch = -1, ...rest] = statedShape(view);
    const channels = sizeAt(filter.shape, 0);
    const sound = rest.length === 3 && batch === input.shape[0] && rest[2] === channels && rest.every((n) => n > 0);
    const expected = `the output's [${input.shape[0]}, height, width, ${channels}]`;
    if (!checkOption(sound, "output_shape", [batch, ...rest], expected, report)) return null;
    if (!checkShape(filter, filter.shape[3] === input.shape[3], `[..., ${input.shape[3]}]`, report)) return null;
    if (bias && !checkShape(bias, bias.shape.length === 1 && bias.shape[0] === channels, `[${channels}]`, report))
      return null;
    checkPerTensor(input, report);
    checkPerTensor(outputOf(view, 0), report);
    checkWeightQuantization(view, transposed.index, 0, report);
    return [{ shape: [batch, ...rest], dtype: input.dtype, quant: input.dtype === "float32" ? null : "free" }];
  },
  reference: transposeConvReference,
  gradient: transposeConvGradient,
  ranges: "none",
  channels: "none",
  cost: (view) => {
    const g = transposeConvGeometry(view);
    const macs = g.batch * g.height * g.width * g.channels * g.kernel[0] * g.kernel[1] * g.outChannels;
    return { macs, operations: g.batch * g.outHeight * g.outWidth * g.outChannels };
  },
  kernels: [...weighted, narrowBias],
  samples,
});
