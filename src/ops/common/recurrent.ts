import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { defineOp, noTraits, type OpSpec, type OutputType, type Report } from "../spec.js";
import { checkConstant, checkOption, checkPerTensor, checkRank, checkShape } from "./checks.js";
import { recurrentKernels } from "./recurrent-kernels.js";
import { type RecurrentAttrs, type RecurrentLayer, recurrentInputs, recurrentSizes } from "./recurrent-layer.js";
import { recurrentReference } from "./recurrent-reference.js";
import { recurrentSamples } from "./recurrent-samples.js";
import { hiddenQuantization, hiddenQuantizationOf } from "./recurrent-scales.js";
import { recurrenceOf } from "./recurrent-unroll.js";
import { checkWeightQuantization } from "./requantize.js";
import { inputOf } from "./view.js";

const at = recurrentInputs;

/** int8 and int16: the data per tensor, weights symmetric, and constants where a kernel packs them. */
function checkInteger(view: NodeView<RecurrentAttrs>, report: Report): boolean {
  if (!checkPerTensor(inputOf(view, at.data), report)) return false;
  const constants = [at.weights, at.recurrent, at.bias, at.recurrentBias].filter((i) => view.inputs[i]);
  if (!constants.every((i) => checkConstant(view, i, report))) return false;
  let isSound = true;
  const note: Report = (code, problem) => {
    if (problem.severity !== "warning") isSound = false;
    report(code, problem);
  };
  const { quant, ...data } = inputOf(view, at.data);
  const fixed = hiddenQuantizationOf(data);
  const outputs = view.outputs.map((t) => ({ ...t, quant: fixed }));
  const typed = { ...view, outputs };
  checkWeightQuantization(typed, { input: at.data, weights: at.weights, bias: at.bias }, 0, note);
  const state = { ...data, quant: quant && fixed };
  const past = { ...typed, inputs: view.inputs.with(at.data, state) };
  checkWeightQuantization(past, { input: at.data, weights: at.recurrent, bias: at.recurrentBias }, 0, note);
  return isSound;
}

function infer(layer: RecurrentLayer, view: NodeView<RecurrentAttrs>, report: Report): readonly OutputType[] | null {
  const [data, recurrent] = [inputOf(view, at.data), inputOf(view, at.recurrent)];
  if (!checkRank(data, [3], report) || !checkRank(recurrent, [2], report)) return null;
  const { batch, inputs, units } = recurrentSizes(view);
  const rows = layer.gates * units;
  const state = [batch, units];
  const expected = [data.shape, [rows, inputs], [rows, units], [rows], [rows], state, state, [3 * units]];
  const fit = view.inputs.every((tensor, i) => {
    const shape = expected[i] ?? [];
    const same =
      tensor === null || (tensor.shape.length === shape.length && shape.every((n, d) => n === tensor.shape[d]));
    return tensor === null || checkShape(tensor, same, `[${shape.join(", ")}]`, report);
  });
  const { clip, returns } = view.attrs;
  if (!fit || !checkOption(Number.isFinite(clip) && clip >= 0, "clip", clip, "at least 0", report)) return null;
  const isFloat = data.dtype === "float32";
  if (!isFloat && !checkInteger(view, report)) return null;
  const { dtype } = data;
  const of = (shape: readonly number[]): OutputType => ({
    shape,
    dtype,
    quant: isFloat ? null : hiddenQuantizationOf(data),
  });
  const sequence = of([...data.shape.slice(0, 2), units]);
  const states = new Array<OutputType>(layer.hasCell ? 2 : 1).fill(of(state));
  const outputs = { all: [sequence, ...states], sequence: [sequence], hidden: [of(state)] }[returns];
  const isKnown = checkOption(
    outputs !== undefined && outputs.length === view.outputs.length,
    "returns",
    `${returns} with ${view.outputs.length} outputs`,
    "all, sequence or hidden, and as many outputs",
    report,
  );
  return isKnown ? outputs : null;
}

/** The record of a recurrent layer: all its steps, from states that are zero unless given. */
export const defineRecurrent = <const Name extends string>(
  name: Name,
  layer: RecurrentLayer,
  summary: string,
): OpSpec<Name, RecurrentAttrs> =>
  defineOp<Name, RecurrentAttrs>({
    name,
    summary,
    arity: { inputs: [3, layer.hasCell ? 8 : 6], outputs: [1, layer.hasCell ? 3 : 2] },
    optionalInputs: [at.bias, at.recurrentBias, at.hidden, at.cell, at.peepholes],
    traits: {
      ...noTraits,
      parameters: [at.weights, at.recurrent, at.bias, at.recurrentBias, at.peepholes],
      innerSums: [
        { input: at.data, weights: at.weights, bias: at.bias, channelAxis: 0 },
        { input: "output", weights: at.recurrent, bias: at.recurrentBias, channelAxis: 0 },
      ],
      recurrence: recurrenceOf(layer),
      quantizes: layer.integer === "none" ? "free" : hiddenQuantization,
    },
    tflite: "none",
    infer: (view, report) => infer(layer, view, report),
    reference: (view) => recurrentReference(layer, view),
    gradient: "unrolled",
    ranges: "none",
    channels: "none",
    cost: (view) => {
      const { steps, batch, inputs, units } = recurrentSizes(view);
      const sums = steps * batch * layer.gates * units;
      return { macs: sums * (inputs + units), operations: 2 * sums + elementsOf([steps, batch, units]) };
    },
    kernels: recurrentKernels(layer),
    samples: recurrentSamples(layer),
  });
