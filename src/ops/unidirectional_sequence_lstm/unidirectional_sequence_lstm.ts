import { type DType, elementsOf, makeData, rangeOf, type TensorData } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { checkConstant, checkOption, checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { bool, float, int8 } from "../common/options.js";
import { sigmoidTable } from "../common/sigmoid.js";
import { inputOf, optionalInput, outputOf, scaleOf, zeroPointOf } from "../common/view.js";
import {
  defineOp,
  type Kernel,
  type KernelArg,
  noTraits,
  type Report,
  type Sample,
  type SampleTensor,
} from "../spec.js";
import { lstmReference } from "./reference.js";
import { cellExponent, lstmScales } from "./scales.js";
import { at, gates, type LstmAttrs, lstmSize } from "./size.js";
import { lstmUnroll } from "./unroll.js";

/** The four constants from input `first` on, one after another. */
function packed(view: NodeView<LstmAttrs>, label: string, first: number): KernelArg {
  const parts = gates.map((g) => inputOf(view, first + g).data as Int8Array);
  const { dtype } = inputOf(view, first);
  const data = makeData(
    dtype,
    parts.reduce((n, part) => n + part.length, 0),
  ) as Int8Array;
  let offset = 0;
  for (const part of parts) {
    data.set(part, offset);
    offset += part.length;
  }
  return { kind: "constant", label, dtype, data: data as TensorData };
}

function args(view: NodeView<LstmAttrs>): readonly KernelArg[] {
  const table: KernelArg = { kind: "constant", label: "sigmoid", dtype: "int16", data: sigmoidTable };
  return [
    { kind: "input", index: at.input },
    packed(view, "weights", at.weights),
    packed(view, "recurrent", at.recurrent),
    packed(view, "bias", at.bias),
    ...(inputOf(view, at.input).dtype === "float32" ? [] : [table]),
    { kind: "input", index: at.hidden },
    { kind: "input", index: at.cell },
    { kind: "scratch" },
    { kind: "output", index: 0 },
  ];
}

function integerFields(view: NodeView<LstmAttrs>) {
  const s = lstmScales(view);
  const hidden = inputOf(view, at.hidden);
  const range = rangeOf(hidden.dtype);
  return {
    in_zero: zeroPointOf(inputOf(view, at.input)),
    hidden_zero: zeroPointOf(hidden),
    cell_clip: s.cellClip,
    input_multiplier: s.input.map((m) => m.multiplier),
    input_shift: s.input.map((m) => m.shift),
    recurrent_multiplier: s.recurrent.map((m) => m.multiplier),
    recurrent_shift: s.recurrent.map((m) => m.shift),
    forget_multiplier: s.forget.multiplier,
    forget_shift: s.forget.shift,
    update_multiplier: s.update.multiplier,
    update_shift: s.update.shift,
    hidden_multiplier: s.hidden.multiplier,
    hidden_shift: s.hidden.shift,
    tanh_multiplier: s.tanh.multiplier,
    tanh_shift: s.tanh.shift,
    min: range.min,
    max: range.max,
  };
}

/** Input types in order; the entries of tensors that must be absent do not matter. */
function inputTypes(input: DType, weights: DType, bias: DType, cell: DType): readonly DType[] {
  const types = new Array<DType>(24).fill(cell);
  types[at.input] = input;
  types.fill(weights, at.weights, at.weights + 8);
  types.fill(bias, at.bias, at.bias + 4);
  types[at.hidden] = input;
  return types;
}

function kernel(suffix: "s8" | "s16" | "f32", input: DType, bias: DType): Kernel<LstmAttrs> {
  const isFloat = suffix === "f32";
  return {
    name: `portable ${suffix}`,
    form: "whole",
    types: { inputs: inputTypes(input, isFloat ? input : "int8", bias, isFloat ? input : "int16"), outputs: [input] },
    call: (view) => {
      const { batchStride, stepStride, ...sizes } = lstmSize(view);
      const fields = { ...sizes, batch_stride: batchStride, step_stride: stepStride };
      return {
        source: `ops/unidirectional_sequence_lstm/lstm_${suffix}.h`,
        symbol: `th_lstm_${suffix}`,
        params: isFloat
          ? { type: "th_lstm_f32_params", fields: { ...fields, cell_clip: { float: view.attrs.cellClip } } }
          : { type: "th_lstm_params", fields: { ...fields, ...integerFields(view) } },
        args: args(view),
        scratchBytes: 4 * sizes.units * (isFloat ? 4 : 2),
      };
    },
  };
}

/** The biases less what the input's zero point adds to the sums. */
function foldedBias(view: NodeView<LstmAttrs>): KernelArg {
  const zero = zeroPointOf(inputOf(view, at.input));
  const { units, inputs } = lstmSize(view);
  const biases = gates.flatMap((g) => {
    const [weights, bias] = [inputOf(view, at.weights + g).data, inputOf(view, at.bias + g).data];
    return Array.from({ length: units }, (_, u) => {
      const row = (weights as Int8Array).subarray(u * inputs, (u + 1) * inputs);
      return ((bias as Int32Array)[u] as number) - zero * row.reduce((sum, w) => sum + w, 0);
    });
  });
  return { kind: "constant", label: "bias", dtype: "int32", data: Int32Array.from(biases) };
}

/** The int8 kernel for cores with more instructions. */
function s8Kernel(isa: "dsp" | "helium", args: (view: NodeView<LstmAttrs>) => readonly KernelArg[]): Kernel<LstmAttrs> {
  const portable = kernel("s8", "int8", "int32");
  return {
    ...portable,
    name: `${isa} s8`,
    isa,
    call: (view) => ({
      ...portable.call(view),
      source: `ops/unidirectional_sequence_lstm/lstm_s8_${isa}.h`,
      symbol: `th_lstm_s8_${isa}`,
      args: args(view),
    }),
  };
}

/** The arguments with other biases: they follow the input and both kinds of weights. */
const heliumArgs = (view: NodeView<LstmAttrs>): readonly KernelArg[] => args(view).with(3, foldedBias(view));

/** Inputs of variants that TFLM does not have either: peepholes, projection, layer normalisation. */
const variants = [9, 10, 11, 16, 17, 20, 21, 22, 23];

function checkQuantization(view: NodeView<LstmAttrs>, report: Report): boolean {
  const tensors = [inputOf(view, at.input), inputOf(view, at.hidden), inputOf(view, at.cell), outputOf(view, 0)];
  const weights = gates.flatMap((g) => [inputOf(view, at.weights + g), inputOf(view, at.recurrent + g)]);
  if (inputOf(view, at.input).dtype === "float32") return true;
  if (![...tensors, ...weights].map((t) => checkPerTensor(t, report)).every(Boolean)) return false;
  const exponent = cellExponent(scaleOf(inputOf(view, at.cell)));
  const symmetric = weights.every((t) => zeroPointOf(t) === 0);
  return (
    checkOption(
      exponent >= -42 && exponent <= 0,
      "scale of the cell state",
      2 ** exponent,
      "between 2^-42 and 1",
      report,
    ) && checkOption(symmetric, "zero points of the weights", "not 0", "0", report)
  );
}

function checkShapes(view: NodeView<LstmAttrs>, report: Report): boolean {
  const { batch, inputs, units } = lstmSize(view);
  const is = (index: number, shape: readonly number[]): boolean => {
    const tensor = inputOf(view, index);
    const same = tensor.shape.length === shape.length && shape.every((n, i) => n === tensor.shape[i]);
    return checkShape(tensor, same, `[${shape.join(", ")}]`, report) && checkConstant(view, index, report);
  };
  const constants = gates.every(
    (g) => is(at.weights + g, [units, inputs]) && is(at.recurrent + g, [units, units]) && is(at.bias + g, [units]),
  );
  const states = [at.hidden, at.cell].every((index) => {
    const tensor = inputOf(view, index);
    const fits = elementsOf(tensor.shape) === batch * units;
    return (
      checkShape(tensor, fits, `${batch} x ${units} elements`, report) &&
      checkOption(tensor.variable, `is_variable of input ${index}`, tensor.variable, "true", report)
    );
  });
  return constants && states;
}

function sample(
  name: string,
  dtype: "int8" | "int16" | "float32",
  attrs: LstmAttrs,
  shape: readonly number[],
): Sample<LstmAttrs> {
  const units = 5;
  const isFloat = dtype === "float32";
  const [batch = 1, inputs = 1] = [attrs.timeMajor ? shape[1] : shape[0], shape[2]];
  const quant = (scale: number, zero = 0) => (isFloat ? {} : { quant: perTensor(scale, dtype === "int8" ? zero : 0) });
  const wide = dtype === "int16" ? 1 / 200 : 1;
  const matrix = (columns: number, scale: number): SampleTensor => ({
    shape: [units, columns],
    dtype: isFloat ? dtype : "int8",
    ...quant(scale),
    constant: "random",
  });
  const bias: SampleTensor = {
    shape: [units],
    dtype: isFloat ? dtype : dtype === "int8" ? "int32" : "int64",
    constant: "random",
    ...(isFloat ? {} : { range: [-2000, 2000] }),
  };
  const state = (type: DType, q: object): SampleTensor => ({
    shape: [batch, units],
    dtype: type,
    ...q,
    variable: true,
  });
  return {
    name,
    attrs,
    inputs: [
      { shape, dtype, ...quant(0.02 * wide, -7) },
      ...[0.01, 0.012, 0.008, 0.011].map((s) => matrix(inputs, s)),
      ...[0.012, 0.009, 0.01, 0.008].map((s) => matrix(units, s)),
      null,
      null,
      null,
      bias,
      bias,
      bias,
      bias,
      null,
      null,
      state(dtype, quant(0.008 * wide, 3)),
      state(isFloat ? dtype : "int16", isFloat ? {} : { quant: perTensor(2 ** -11) }),
      null,
      null,
      null,
      null,
    ],
    outputs: [{ dtype, ...quant(0.008 * wide, 3) }],
  };
}

export const unidirectionalSequenceLstm = defineOp<"UNIDIRECTIONAL_SEQUENCE_LSTM", LstmAttrs>({
  name: "UNIDIRECTIONAL_SEQUENCE_LSTM",
  summary: "LSTM over a sequence, without peepholes, projection or layer normalisation",
  arity: { inputs: [20, 24], outputs: [1, 1] },
  optionalInputs: variants,
  traits: {
    ...noTraits,
    mutates: [at.hidden, at.cell],
    sideEffects: true,
    parameters: [at.weights, at.recurrent, at.bias].flatMap((first) => gates.map((g) => first + g)),
    recurrence: { steps: (view) => lstmSize(view).steps, unroll: lstmUnroll },
  },
  tflite: {
    builtin: 44,
    maxVersion: 5,
    options: {
      tag: 71,
      fields: [
        int8("activation"),
        float("cellClip"),
        float("projClip"),
        bool("timeMajor"),
        bool("asymmetricQuantizeInputs"),
        bool("diagonalRecurrentTensors"),
      ],
    },
    decode: (v, report) => {
      checkOption(v.activation === 4, "fused_activation_function", v.activation, "4 (TANH)", report);
      checkOption(v.diagonalRecurrentTensors !== true, "diagonal_recurrent_tensors", "true", "false", report);
      return { timeMajor: v.timeMajor === true, cellClip: Number(v.cellClip) };
    },
    encode: (a) => ({
      activation: 4,
      cellClip: a.cellClip,
      projClip: 0,
      timeMajor: a.timeMajor,
      asymmetricQuantizeInputs: false,
      diagonalRecurrentTensors: false,
    }),
  },
  infer: (view, report) => {
    const input = inputOf(view, at.input);
    const plain = variants.every((i) => optionalInput(view, i) === null);
    if (!checkOption(plain, "kind of LSTM", "with peepholes, projection or normalisation", "plain", report))
      return null;
    if (!checkOption(view.attrs.cellClip >= 0, "cell_clip", view.attrs.cellClip, "at least 0", report)) return null;
    if (!checkRank(input, [3], report) || !checkRank(inputOf(view, at.weights), [2], report)) return null;
    if (!checkShapes(view, report) || !checkQuantization(view, report)) return null;
    const shape = [...input.shape.slice(0, 2), lstmSize(view).units];
    return [{ shape, dtype: input.dtype, quant: input.dtype === "float32" ? null : "free" }];
  },
  reference: lstmReference,
  gradient: "unrolled",
  ranges: "none",
  channels: "none",
  cost: (view) => {
    const { batch, steps, inputs, units } = lstmSize(view);
    return { macs: batch * steps * units * (4 * (inputs + units) + 3), operations: batch * steps * units * 5 };
  },
  kernels: [
    s8Kernel("helium", heliumArgs),
    s8Kernel("dsp", args),
    kernel("s8", "int8", "int32"),
    kernel("s16", "int16", "int64"),
    kernel("f32", "float32", "float32"),
  ],
  samples: [
    sample("int8, two sequences", "int8", { timeMajor: false, cellClip: 0 }, [2, 3, 4]),
    sample("int8, time major, clipped", "int8", { timeMajor: true, cellClip: 0.5 }, [4, 2, 3]),
    sample("int16", "int16", { timeMajor: false, cellClip: 0 }, [1, 4, 3]),
    sample("float, time major", "float32", { timeMajor: true, cellClip: 0.4 }, [3, 2, 4]),
  ],
});
