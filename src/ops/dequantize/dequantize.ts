import { elementsOf, float16ToNumber } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { elementwiseChannels } from "../common/channels.js";
import { elementCost } from "../common/cost.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { checkQuantizedAnyhow } from "../common/unary.js";
import { inputOf, quantOf, scaleOf, zeroPointOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits } from "../spec.js";

/** Per tensor or along one axis, in float32 as reference_ops::Dequantize and PerChannelDequantize; exact for float16. */
function dequantizeReference(view: ExecView<Empty>): void {
  const tensor = inputOf(view, 0);
  const [input, output] = [view.in[0] as Int32Array, view.out[0] as Float32Array];
  if (tensor.dtype === "float16") {
    for (let i = 0; i < input.length; i++) output[i] = float16ToNumber(input[i] as number);
    return;
  }
  const { scales, zeroPoints, axis } = quantOf(tensor);
  const inner = scales.length > 1 ? elementsOf(tensor.shape.slice(axis + 1)) : 1;
  for (let i = 0; i < input.length; i++) {
    const c = Math.floor(i / inner) % scales.length;
    output[i] = (scales[c] as number) * ((input[i] as number) - (zeroPoints[c] ?? 0));
  }
}

const kernel = (dtype: "int8" | "uint8" | "int16", suffix: string): Kernel<Empty> => ({
  name: `portable ${dtype}`,
  form: "slice",
  types: { inputs: [dtype], outputs: ["float32"] },
  // Per-channel data are constants, which constant folding dequantizes.
  matches: (view: NodeView<Empty>) => quantOf(inputOf(view, 0)).scales.length === 1,
  call: (view) => {
    const input = inputOf(view, 0);
    return {
      source: "ops/dequantize/dequantize.h",
      symbol: `th_dequantize_${suffix}`,
      params: {
        type: "th_dequantize_params",
        fields: { n: elementsOf(input.shape), scale: { float: scaleOf(input) }, zero: zeroPointOf(input) },
      },
      args: [
        { kind: "input", index: 0 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
});

const half: Kernel<Empty> = {
  name: "portable float16",
  form: "slice",
  types: { inputs: ["float16"], outputs: ["float32"] },
  call: (view) => ({
    source: "ops/dequantize/dequantize.h",
    symbol: "th_dequantize_f16",
    params: { type: "th_count_params", fields: { n: elementsOf(inputOf(view, 0).shape) } },
    args: [
      { kind: "input", index: 0 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
};

export const dequantize = defineOp<"DEQUANTIZE", Empty>({
  name: "DEQUANTIZE",
  summary: "Quantized integers or half floats to float32",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, elementwise: true, rows: (view) => equalRows(view, [0]) },
  tflite: emptyBinding(6, 8, 38),
  infer: (view, report) => {
    const input = inputOf(view, 0);
    if (input.dtype !== "float16" && !checkQuantizedAnyhow(input, report)) return null;
    return [{ shape: input.shape, dtype: "float32", quant: null }];
  },
  reference: dequantizeReference,
  gradient: "integers",
  ranges: "none",
  channels: elementwiseChannels,
  cost: elementCost(1),
  kernels: [kernel("int8", "s8"), kernel("uint8", "u8"), kernel("int16", "s16"), half],
  samples: [
    {
      name: "int8",
      attrs: {},
      inputs: [{ shape: [1, 3, 4, 5], dtype: "int8", quant: perTensor(0.1, -128) }],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "uint8",
      attrs: {},
      inputs: [{ shape: [3, 7], dtype: "uint8", quant: perTensor(0.03, 128) }],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "int16",
      attrs: {},
      inputs: [{ shape: [21], dtype: "int16", quant: perTensor(0.0001) }],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "float16 constant",
      attrs: {},
      // 1, -2, the largest, the smallest subnormal, -0, one third.
      inputs: [{ shape: [6], dtype: "float16", constant: [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x3555] }],
      outputs: [{ dtype: "float32" }],
    },
  ],
});
