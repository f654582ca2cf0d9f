import { type DType, elementsOf, rangeOf } from "../../base/dtype.js";
import { clamp, quantizeMultiplier, requantize, roundAway } from "../../base/fixedpoint.js";
import { type NodeView, perTensor, type Quantization } from "../../ir/graph.js";
import { elementwiseChannels } from "../common/channels.js";
import { elementCost } from "../common/cost.js";
import { type ElementMap, lookupKernels, mapAll } from "../common/lut.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { tableRanges } from "../common/ranges.js";
import { equalRows } from "../common/rows.js";
import { checkQuantized } from "../common/unary.js";
import { inputOf, outputOf, scaleOf, zeroPointOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits, type Sample } from "../spec.js";

/** Short names of element types, as kernels are named. */
const suffix = { float32: "f32", int8: "s8", uint8: "u8", int16: "s16", int32: "s32" } as const;
type Quantizable = keyof typeof suffix;

function requantizeFields(view: NodeView<unknown>) {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const { min, max } = rangeOf(output.dtype);
  return {
    in_zero: zeroPointOf(input),
    out_zero: zeroPointOf(output),
    ...quantizeMultiplier(scaleOf(input) / scaleOf(output)),
    min,
    max,
  };
}

/** Source: TFLM's quantize_common.cc with reference_ops::AffineQuantize (a division in float) and Requantize. */
function quantizeMap(view: NodeView<unknown>): ElementMap {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  const { min, max } = rangeOf(output.dtype);
  if (input.dtype === "float32") {
    const [scale, zero] = [scaleOf(output), zeroPointOf(output)];
    return (x) => {
      const rounded = roundAway(Math.fround(x / scale));
      return rounded > min - zero ? Math.min(rounded + zero, max) : min;
    };
  }
  const p = requantizeFields(view);
  return (x) => clamp((requantize((x - p.in_zero) | 0, p.multiplier, p.shift) + p.out_zero) | 0, min, max);
}

const table = (from: "int8" | "uint8", to: "int8" | "uint8"): readonly Kernel<Empty>[] =>
  lookupKernels(`table ${suffix[from]} to ${suffix[to]}`, from, to, quantizeMap);

const direct = (from: Quantizable, to: Quantizable): Kernel<Empty> => ({
  name: `portable ${suffix[from]} to ${suffix[to]}`,
  form: "slice",
  types: { inputs: [from], outputs: [to] },
  call: (view) => {
    const output = outputOf(view, 0);
    const n = elementsOf(output.shape);
    const float = from === "float32";
    return {
      source: `ops/quantize/quantize_${float ? "f32" : "int"}.h`,
      symbol: `th_${float ? "quantize" : "requantize"}_${suffix[from]}_${suffix[to]}`,
      params: float
        ? {
            type: "th_quantize_f32_params",
            fields: { n, scale: { float: scaleOf(output) }, zero: zeroPointOf(output), ...typeLimits(output.dtype) },
          }
        : { type: "th_requantize_params", fields: { n, ...requantizeFields(view) } },
      args: [
        { kind: "input", index: 0 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
});

const typeLimits = (dtype: DType): { readonly min: number; readonly max: number } => {
  const { min, max } = rangeOf(dtype);
  return { min, max };
};

const kernels: readonly Kernel<Empty>[] = [
  ...table("int8", "int8"),
  ...table("int8", "uint8"),
  ...table("uint8", "int8"),
  direct("int8", "int16"),
  direct("int8", "int32"),
  direct("int16", "int8"),
  direct("int16", "int16"),
  direct("int16", "int32"),
  direct("int32", "int8"),
  direct("int32", "int16"),
  direct("float32", "int8"),
  direct("float32", "uint8"),
  direct("float32", "int16"),
];

function sample(
  from: Quantizable,
  to: Quantizable,
  inQuant: Quantization | null,
  outQuant: Quantization,
): Sample<Empty> {
  return {
    name: `${from} to ${to}`,
    attrs: {},
    inputs: [
      {
        shape: [1, 5, 13],
        dtype: from,
        ...(inQuant ? { quant: inQuant } : {}),
        ...(from === "float32" ? { range: [-9, 9] as const } : {}),
        ...(from === "int32" ? { range: [-300000, 300000] as const } : {}),
      },
    ],
    outputs: [{ dtype: to, quant: outQuant }],
  };
}

const reference = (view: ExecView<Empty>): void => mapAll(view, quantizeMap(view));

export const quantize = defineOp<"QUANTIZE", Empty>({
  name: "QUANTIZE",
  summary: "Float to integers, or integers to another scale, zero point or width",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, elementwise: true, inPlace: [0], rows: (view) => equalRows(view, [0]) },
  tflite: emptyBinding(114, 6, 89),
  infer: (view, report) => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    if (input.dtype !== "float32" && !checkQuantized(input, report)) return null;
    if (!checkQuantized(output, report)) return null;
    return [{ shape: input.shape, dtype: output.dtype, quant: "free" }];
  },
  reference,
  gradient: "integers",
  ranges: tableRanges(reference),
  channels: elementwiseChannels,
  cost: elementCost(1),
  kernels,
  samples: [
    sample("float32", "int8", null, perTensor(0.05, -7)),
    sample("float32", "int16", null, perTensor(0.0003)),
    sample("float32", "uint8", null, perTensor(0.05, 128)),
    sample("int8", "int8", perTensor(0.1, -128), perTensor(0.07, 127)),
    sample("uint8", "int8", perTensor(0.1, 128), perTensor(0.1, 0)),
    sample("int8", "int16", perTensor(0.1, 12), perTensor(0.0007)),
    sample("int16", "int8", perTensor(0.0007), perTensor(0.1, 3)),
    sample("int16", "int16", perTensor(0.0007), perTensor(0.0005)),
    sample("int16", "int32", perTensor(0.0007), perTensor(0.00001)),
    sample("int32", "int8", perTensor(0.0001), perTensor(0.2, -11)),
  ],
});
