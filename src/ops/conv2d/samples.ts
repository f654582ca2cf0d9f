import { perTensor } from "../../ir/graph.js";
import { sampleChannels } from "../common/weighted.js";
import type { Sample } from "../spec.js";
import type { Conv2dAttrs } from "./geometry.js";

const attrs: Conv2dAttrs = { padding: "SAME", stride: [1, 1], dilation: [1, 1], activation: "NONE" };
function int8Sample(
  name: string,
  input: readonly number[],
  filter: readonly number[],
  a: Conv2dAttrs,
  inZero = -5,
): Sample<Conv2dAttrs> {
  const out = filter[0] ?? 1;
  return {
    name,
    attrs: a,
    inputs: [
      { shape: input, dtype: "int8", quant: perTensor(0.05, inZero) },
      { shape: filter, dtype: "int8", quant: sampleChannels(out, 0.01), constant: "random", range: [-127, 127] },
      { shape: [out], dtype: "int32", constant: "random", range: [-2000, 2000] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.09, 3) }],
  };
}

export const conv2dSamples: readonly Sample<Conv2dAttrs>[] = [
  int8Sample("1x1", [1, 4, 5, 8], [6, 1, 1, 8], attrs),
  int8Sample("3x3 same stride 2", [1, 7, 6, 3], [4, 3, 3, 3], { ...attrs, stride: [2, 2], activation: "RELU6" }),
  int8Sample(
    "valid, dilation, batch 2",
    [2, 9, 8, 2],
    [3, 3, 2, 2],
    { ...attrs, padding: "VALID", dilation: [2, 3] },
    127,
  ),
  int8Sample("groups", [1, 5, 5, 8], [6, 3, 3, 4], { ...attrs, activation: "RELU" }, -128),
  int8Sample("explicit padding", [1, 5, 6, 3], [4, 3, 3, 3], { ...attrs, padding: [0, 2, 1, 1], stride: [2, 1] }),
  {
    name: "per-tensor, no bias",
    attrs,
    inputs: [
      { shape: [1, 3, 3, 4], dtype: "int8", quant: perTensor(0.05, 0) },
      { shape: [4, 2, 2, 4], dtype: "int8", quant: perTensor(0.02), constant: "random" },
      null,
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.2, -1) }],
  },
  {
    name: "int4 weights",
    attrs: { ...attrs, activation: "RELU" },
    inputs: [
      { shape: [1, 5, 4, 3], dtype: "int8", quant: perTensor(0.05, 7) },
      { shape: [5, 3, 3, 3], dtype: "int4", quant: sampleChannels(5, 0.1), constant: "random", range: [-7, 7] },
      { shape: [5], dtype: "int32", constant: "random", range: [-500, 500] },
    ],
    outputs: [{ dtype: "int8", quant: perTensor(0.11, -20) }],
  },
  ...(["int64", "int32"] as const).map(
    (bias): Sample<Conv2dAttrs> => ({
      name: `16x8, ${bias} bias`,
      attrs: { ...attrs, stride: [2, 1] },
      inputs: [
        { shape: [1, 6, 4, 5], dtype: "int16", quant: perTensor(0.0003) },
        { shape: [4, 3, 3, 5], dtype: "int8", quant: sampleChannels(4, 0.01), constant: "random" },
        { shape: [4], dtype: bias, constant: "random", range: [-100000, 100000] },
      ],
      outputs: [{ dtype: "int16", quant: perTensor(0.0006) }],
    }),
  ),
  {
    name: "float",
    attrs: { ...attrs, stride: [2, 2], activation: "RELU_N1_TO_1" },
    inputs: [
      { shape: [1, 6, 5, 4], dtype: "float32" },
      { shape: [6, 3, 3, 2], dtype: "float32", constant: "random" },
      { shape: [6], dtype: "float32", constant: "random" },
    ],
    outputs: [{ dtype: "float32" }],
  },
];
