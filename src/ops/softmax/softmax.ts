import { type DType, elementsOf } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { checkOption, checkPerTensor, checkShape } from "../common/checks.js";
import { mostExponentials } from "../common/exp-scaling.js";
import { mul, only, scale, sub, sumOver } from "../common/gradients.js";
import { float } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { checkFixedScale } from "../common/scales.js";
import { inputOf, outputOf, scaleOf } from "../common/view.js";
import { type CValue, defineOp, type Kernel, type KernelArg, noTraits, type Report, type Sample } from "../spec.js";
import { softmaxReference } from "./reference.js";
import { type SoftmaxAttrs, softmaxScaling, softmaxSize, softmaxTables } from "./scaling.js";

function kernel(suffix: string, input: DType, output: DType, isa?: "dsp"): Kernel<SoftmaxAttrs> {
  return {
    name: `${isa ?? "portable"} ${suffix}`,
    ...(isa ? { isa } : {}),
    form: "slice",
    types: { inputs: [input], outputs: [output] },
    call: (view) => {
      const isFloat = input === "float32";
      const fields: Record<string, CValue> = { ...softmaxSize(view) };
      const tables: KernelArg[] = [];
      if (isFloat) fields.beta = { float: view.attrs.beta };
      else {
        const { multiplier, shift, diffMin } = softmaxScaling(view);
        Object.assign(fields, { multiplier, shift, diff_min: diffMin });
      }
      if (input === "int16") {
        const { exp, reciprocal } = softmaxTables();
        tables.push({ kind: "constant", label: "exp", dtype: "int16", data: exp });
        tables.push({ kind: "constant", label: "reciprocal", dtype: "int16", data: reciprocal });
      }
      return {
        source: `ops/softmax/softmax_${suffix}${isa ? `_${isa}` : ""}.h`,
        symbol: `th_softmax_${suffix}${isa ? `_${isa}` : ""}`,
        params: { type: isFloat ? "th_softmax_f32_params" : "th_softmax_params", fields },
        args: [{ kind: "input", index: 0 }, ...tables, { kind: "output", index: 0 }],
        scratchBytes: 0,
      };
    },
  };
}

/** The output's scale and zero point that TFLM asks for, by input and output type. */
function checkOutput(view: NodeView<SoftmaxAttrs>, report: Report): void {
  const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
  if (input.dtype === "int16") checkFixedScale(output, 2 ** -15, 0, report);
  else if (output.dtype === "int16") checkFixedScale(output, 2 ** -16, -32768, report);
  else checkFixedScale(output, 2 ** -8, -128, report);
}

const q8 = perTensor(1 / 256, -128);

const samples: readonly Sample<SoftmaxAttrs>[] = [
  {
    name: "int8, an image's channels",
    attrs: { beta: 1 },
    inputs: [{ shape: [1, 3, 4, 5], dtype: "int8", quant: perTensor(0.05, -6) }],
    outputs: [{ dtype: "int8", quant: q8 }],
  },
  {
    name: "int16, an image's channels",
    attrs: { beta: 1 },
    inputs: [{ shape: [1, 3, 2, 4], dtype: "int16", quant: perTensor(0.0002) }],
    outputs: [{ dtype: "int16", quant: perTensor(1 / 32768) }],
  },
  {
    name: "int8, two rows",
    attrs: { beta: 1 },
    inputs: [{ shape: [2, 7], dtype: "int8", quant: perTensor(0.05, 11) }],
    outputs: [{ dtype: "int8", quant: q8 }],
  },
  {
    name: "int8, coarse, beta 2",
    attrs: { beta: 2 },
    inputs: [{ shape: [3, 2, 5], dtype: "int8", quant: perTensor(0.4, -3), range: [-128, -90] }],
    outputs: [{ dtype: "int8", quant: q8 }],
  },
  {
    name: "int8, fine, many",
    attrs: { beta: 1 },
    inputs: [{ shape: [1, 700], dtype: "int8", quant: perTensor(0.0001, 0) }],
    outputs: [{ dtype: "int8", quant: q8 }],
  },
  {
    name: "int8 to int16",
    attrs: { beta: 1 },
    inputs: [{ shape: [2, 9], dtype: "int8", quant: perTensor(0.06, -128) }],
    outputs: [{ dtype: "int16", quant: perTensor(1 / 65536, -32768) }],
  },
  {
    name: "int16",
    attrs: { beta: 1 },
    inputs: [{ shape: [3, 10], dtype: "int16", quant: perTensor(0.0002) }],
    outputs: [{ dtype: "int16", quant: perTensor(1 / 32768) }],
  },
  {
    name: "float",
    attrs: { beta: 0.5 },
    inputs: [{ shape: [2, 3, 6], dtype: "float32", range: [-8, 8] }],
    outputs: [{ dtype: "float32" }],
  },
];

export const softmax = defineOp<"SOFTMAX", SoftmaxAttrs>({
  name: "SOFTMAX",
  summary: "Softmax over the last axis",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: {
    ...noTraits,
    inPlace: [0],
    rows: (view) => equalRows(view, [0]),
    quantizes: { int8: q8, int16: perTensor(2 ** -15) },
  },
  tflite: {
    builtin: 25,
    maxVersion: 4,
    options: { tag: 9, fields: [float("beta")] },
    decode: (v) => ({ beta: Number(v.beta) }),
    encode: (a) => ({ beta: a.beta }),
  },
  infer: (view, report) => {
    const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
    const { beta } = view.attrs;
    const { rows, depth } = softmaxSize(view);
    // The sum has 12 bits before the point (int8), or is an int32 of Q15 values (int16).
    const most = input.dtype === "int8" ? mostExponentials : 65535;
    const fits = input.shape.length > 0 && rows > 0 && (input.dtype === "float32" || depth <= most);
    if (!checkShape(input, fits, `a last axis of 1 to ${most}`, report)) return null;
    if (!checkOption(Number.isFinite(beta) && beta > 0, "beta", beta, "above 0", report)) return null;
    if (input.dtype === "float32") return [{ shape: input.shape, dtype: output.dtype, quant: null }];
    if (!checkPerTensor(input, report)) return null;
    const product = beta * scaleOf(input) * 2 ** 26;
    if (!checkOption(product > 1, "beta", beta, "large enough beside the input's scale", report)) return null;
    checkOutput(view, report);
    return [{ shape: input.shape, dtype: output.dtype, quant: "free" }];
  },
  reference: softmaxReference,
  gradient: (view, upstream, e) => {
    const [y, dy] = [outputOf(view, 0), only(upstream)];
    const along = sumOver(e, mul(e, dy, y), [y.shape.length - 1]);
    return [scale(e, mul(e, y, sub(e, dy, along)), view.attrs.beta)];
  },
  ranges: "none",
  channels: "none",
  cost: (view) => ({ macs: 0, operations: 3 * elementsOf(inputOf(view, 0).shape) }),
  kernels: [
    kernel("s8", "int8", "int8", "dsp"),
    kernel("s8", "int8", "int8"),
    kernel("s8_s16", "int8", "int16"),
    kernel("s16", "int16", "int16"),
    kernel("f32", "float32", "float32"),
  ],
  samples,
});
