import { type DType, elementsOf, rangeOf } from "../../base/dtype.js";
import { clamp, quantizeMultiplier, requantize } from "../../base/fixedpoint.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { type Activation, decodeActivation, encodeActivation, floatActivationRange } from "../common/activation.js";
import { checkOption, checkPerTensor, checkRank, checkShape } from "../common/checks.js";
import { bool, int8, int32 } from "../common/options.js";
import { asDoubles, inputOf, optionalInput, outputOf, scaleOf, sizeAt, zeroPointOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits, type Report, type Sample } from "../spec.js";

export interface SvdfAttrs {
  /** Filters that make one unit. */
  readonly rank: number;
  /** Applied to float results; the integer kernels of TFLM leave it to the output's zero point. */
  readonly activation: Activation;
}

/** Sizes: input [batch, inputs], features [units * rank, inputs], time weights [units * rank, memory]. */
function size(view: NodeView<SvdfAttrs>) {
  const { rank } = view.attrs;
  const [input, features, time] = [inputOf(view, 0).shape, inputOf(view, 1).shape, inputOf(view, 2).shape];
  return {
    batch: sizeAt(input, 0),
    inputs: sizeAt(input, 1),
    units: sizeAt(features, 0) / rank,
    rank,
    memory: sizeAt(time, 1),
  };
}

/** Scales are multiplied and divided in float32. Source: PrepareSvdf of TFLM's svdf_common.cc. */
function scales(view: NodeView<SvdfAttrs>) {
  const [input, features, time, state, output] = [
    inputOf(view, 0),
    inputOf(view, 1),
    inputOf(view, 2),
    inputOf(view, 4),
    outputOf(view, 0),
  ];
  const ratio = (a: number, b: number, c: number) => quantizeMultiplier(Math.fround(Math.fround(a * b) / c));
  return {
    feature: ratio(scaleOf(input), scaleOf(features), scaleOf(state)),
    time: ratio(scaleOf(state), scaleOf(time), scaleOf(output)),
  };
}

interface Finish {
  readonly feature: (sum: number) => number;
  readonly output: (sum: number) => number;
}

/** Source: EvalIntegerSvdfReference of TFLM; the state saturates after its zero point is added. */
function finishOf(view: ExecView<SvdfAttrs>): Finish {
  if (inputOf(view, 0).dtype === "float32") {
    const range = floatActivationRange(view.attrs.activation);
    return { feature: (sum) => sum, output: (sum) => clamp(sum, range.min, range.max) };
  }
  const { feature, time } = scales(view);
  const [state, output] = [inputOf(view, 4), outputOf(view, 0)];
  const range = rangeOf(state.dtype);
  return {
    feature: (sum) =>
      clamp(requantize(sum, feature.multiplier, feature.shift) + zeroPointOf(state), range.min, range.max),
    output: (sum) => clamp(requantize(sum | 0, time.multiplier, time.shift) + zeroPointOf(output), -128, 127),
  };
}

function reference(view: ExecView<SvdfAttrs>): void {
  const { batch, inputs, units, rank, memory } = size(view);
  const [inZero, stateZero] = [zeroPointOf(inputOf(view, 0)), zeroPointOf(inputOf(view, 4))];
  const [x, features, time] = [view.in[0], view.in[1], view.in[2]] as [Float32Array, Float32Array, Float32Array];
  const state = view.in[4] as Float32Array;
  const bias = asDoubles(view.in[3]);
  const out = view.out[0] as Float32Array;
  const finish = finishOf(view);
  for (let n = 0; n < batch; n++) {
    for (let u = 0; u < units; u++) {
      let total = bias === null ? 0 : (bias[u] as number);
      for (let f = u * rank; f < (u + 1) * rank; f++) {
        let sum = 0;
        for (let i = 0; i < inputs; i++) {
          sum += ((x[n * inputs + i] as number) - inZero) * (features[f * inputs + i] as number);
        }
        const history = (n * units * rank + f) * memory;
        state.copyWithin(history, history + 1, history + memory);
        state[history + memory - 1] = finish.feature(sum);
        for (let m = 0; m < memory; m++) {
          total += ((state[history + m] as number) - stateZero) * (time[f * memory + m] as number);
        }
      }
      out[n * units + u] = finish.output(total);
    }
  }
}

function kernel(suffix: string, activations: DType, state: DType): Kernel<SvdfAttrs> {
  const isFloat = activations === "float32";
  return {
    name: `portable ${suffix}`,
    form: "whole",
    types: {
      inputs: [activations, activations, state, isFloat ? activations : "int32", state],
      outputs: [activations],
    },
    call: (view) => {
      const range = floatActivationRange(view.attrs.activation);
      const fields = { ...size(view) };
      const bias = optionalInput(view, 3) ? ({ kind: "input", index: 3 } as const) : ({ kind: "null" } as const);
      const integer = () => {
        const { feature, time } = scales(view);
        return {
          in_zero: zeroPointOf(inputOf(view, 0)),
          state_zero: zeroPointOf(inputOf(view, 4)),
          out_zero: zeroPointOf(outputOf(view, 0)),
          feature_multiplier: feature.multiplier,
          feature_shift: feature.shift,
          time_multiplier: time.multiplier,
          time_shift: time.shift,
        };
      };
      return {
        source: `ops/svdf/svdf_${suffix}.h`,
        symbol: `th_svdf_${suffix}`,
        params: isFloat
          ? { type: "th_svdf_f32_params", fields: { ...fields, min: { float: range.min }, max: { float: range.max } } }
          : { type: "th_svdf_params", fields: { ...fields, ...integer() } },
        args: [
          { kind: "input", index: 0 },
          { kind: "input", index: 1 },
          { kind: "input", index: 2 },
          bias,
          { kind: "input", index: 4 },
          { kind: "output", index: 0 },
        ],
        scratchBytes: 0,
      };
    },
  };
}

function checkSvdfShapes(view: NodeView<SvdfAttrs>, report: Report): boolean {
  const [input, features, time, bias, state] = [
    inputOf(view, 0),
    inputOf(view, 1),
    inputOf(view, 2),
    optionalInput(view, 3),
    inputOf(view, 4),
  ];
  if (![input, features, time].every((t) => checkRank(t, [2], report))) return false;
  const { rank } = view.attrs;
  const filters = sizeAt(features.shape, 0);
  if (
    !checkOption(
      Number.isInteger(rank) && rank > 0 && filters % rank === 0,
      "rank",
      rank,
      `a divisor of ${filters}`,
      report,
    )
  )
    return false;
  const { batch, inputs, units, memory } = size(view);
  return (
    checkShape(features, features.shape[1] === inputs, `[filters, ${inputs}]`, report) &&
    checkShape(time, time.shape[0] === filters && memory > 0, `[${filters}, memory]`, report) &&
    (bias === null || checkShape(bias, elementsOf(bias.shape) === units, `[${units}]`, report)) &&
    checkShape(
      state,
      elementsOf(state.shape) === batch * filters * memory,
      `[${batch}, ${filters * memory}]`,
      report,
    ) &&
    checkOption(state.variable, "is_variable of the state", state.variable, "true", report)
  );
}

function sample(name: string, activations: DType, state: DType, rank: number, batch: number): Sample<SvdfAttrs> {
  const isFloat = activations === "float32";
  const [inputs, units, memory] = [5, 3, 4];
  const q = (scale: number, zero = 0) => (isFloat ? {} : { quant: perTensor(scale, zero) });
  const narrow = isFloat ? {} : { range: [-100, 100] as const };
  return {
    name,
    attrs: { rank, activation: "RELU" },
    inputs: [
      { shape: [batch, inputs], dtype: activations, ...q(0.05, -4) },
      { shape: [units * rank, inputs], dtype: activations, ...q(0.02), constant: "random" },
      { shape: [units * rank, memory], dtype: state, ...q(0.01), constant: "random", ...narrow },
      {
        shape: [units],
        dtype: isFloat ? activations : "int32",
        constant: "random",
        ...(isFloat ? {} : { range: [-500, 500] as const }),
      },
      {
        shape: [batch, units * rank * memory],
        dtype: state,
        ...(state === "int16" ? q(0.001) : q(0.1, 9)),
        variable: true,
      },
    ],
    outputs: [{ dtype: activations, ...q(0.06, -128) }],
  };
}

export const svdf = defineOp<"SVDF", SvdfAttrs>({
  name: "SVDF",
  summary: "Low-rank filter over time with its history as state",
  arity: { inputs: [5, 5], outputs: [1, 1] },
  optionalInputs: [3],
  traits: { ...noTraits, mutates: [4], sideEffects: true },
  tflite: {
    builtin: 27,
    maxVersion: 3,
    options: { tag: 6, fields: [int32("rank"), int8("activation"), bool("asymmetricQuantizeInputs")] },
    decode: (v, report) => ({ rank: Number(v.rank), activation: decodeActivation(v.activation, report) }),
    encode: (a) => ({ rank: a.rank, activation: encodeActivation(a.activation), asymmetricQuantizeInputs: false }),
  },
  infer: (view, report) => {
    if (!checkSvdfShapes(view, report)) return null;
    const input = inputOf(view, 0);
    const quantized = [input, inputOf(view, 1), inputOf(view, 2), inputOf(view, 4), outputOf(view, 0)];
    if (!quantized.map((t) => checkPerTensor(t, report)).every(Boolean)) return null;
    const { batch, units } = size(view);
    return [{ shape: [batch, units], dtype: input.dtype, quant: input.dtype === "float32" ? null : "free" }];
  },
  reference,
  gradient: "state",
  ranges: "none",
  channels: "none",
  cost: (view) => {
    const { batch, inputs, units, rank, memory } = size(view);
    return { macs: batch * units * rank * (inputs + memory), operations: batch * units };
  },
  kernels: [kernel("s8_s16", "int8", "int16"), kernel("s8", "int8", "int8"), kernel("f32", "float32", "float32")],
  samples: [
    sample("int8, int16 state", "int8", "int16", 2, 2),
    sample("int8, int8 state", "int8", "int8", 1, 2),
    sample("float", "float32", "float32", 2, 1),
  ],
});
