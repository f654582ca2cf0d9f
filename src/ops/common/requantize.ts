import { present } from "../../base/assert.js";
import { quantizeMultiplier, requantize, requantize64 } from "../../base/fixedpoint.js";
import { type NodeView, type Tensor, tensorName } from "../../ir/graph.js";
import type { KernelArg, Report } from "../spec.js";
import type { Range } from "./activation.js";
import { inputOf, optionalInput, outputOf, quantOf, scaleOf } from "./view.js";

/** Multiplier and shift of every output channel, or of all at once when there is one entry. */
export interface ChannelMultipliers {
  readonly multipliers: Int32Array;
  readonly shifts: Int8Array;
}

/** inputScale * weightScale[c] / outputScale in double, as TFLite's PopulateConvolutionQuantizationParams. */
export function channelMultipliers(input: Tensor, weights: Tensor, output: Tensor): ChannelMultipliers {
  const factors = quantOf(weights).scales.map((scale) =>
    quantizeMultiplier((scaleOf(input) * scale) / scaleOf(output)),
  );
  return {
    multipliers: Int32Array.from(factors, (f) => f.multiplier),
    shifts: Int8Array.from(factors, (f) => f.shift),
  };
}

/** The two constant arguments, multipliers then shifts, of kernels that requantize by channel. */
export const multiplierArgs = (m: ChannelMultipliers): readonly KernelArg[] => [
  { kind: "constant", label: "multipliers", dtype: "int32", data: m.multipliers },
  { kind: "constant", label: "shifts", dtype: "int8", data: m.shifts },
];

/** 0 when all channels share one multiplier, 1 when each has its own: the step of a C kernel through the arrays. */
export const multiplierStep = (m: ChannelMultipliers): number => (m.multipliers.length > 1 ? 1 : 0);

/** Turns the accumulator of channel c into a value of the output. */
export type Finish = (accumulator: number, channel: number) => number;

/** The integer finish of convolutions and matrix products: requantize, add the zero point, clamp. */
export function quantizedFinish(m: ChannelMultipliers, zeroPoint: number, range: Range, wide: boolean): Finish {
  const { multipliers, shifts } = m;
  const step = multiplierStep(m);
  return (accumulator, channel) => {
    const multiplier = multipliers[channel * step] as number;
    const shift = shifts[channel * step] as number;
    const scaled = wide ? requantize64(accumulator, multiplier, shift) : requantize(accumulator | 0, multiplier, shift);
    const value = scaled + zeroPoint;
    return value < range.min ? range.min : value > range.max ? range.max : value;
  };
}

/** The float finish: clamp; the result is rounded when it is stored. */
export const floatFinish =
  (range: Range): Finish =>
  (accumulator) =>
    accumulator < range.min ? range.min : accumulator > range.max ? range.max : accumulator;

/**
 * Checks the quantization of input, weights and output of an operator with weights: activations per tensor, weights
 * symmetric and per tensor or per channel along `axis`, and the bias scale the product of both.
 */
export function checkWeightQuantization(
  view: NodeView<unknown>,
  index: { readonly input: number; readonly weights: number; readonly bias: number },
  axis: number,
  report: Report,
): void {
  const input = inputOf(view, index.input);
  const weights = inputOf(view, index.weights);
  const output = outputOf(view, 0);
  if (input.dtype === "float32") return;
  const quant = weights.quant;
  const channels = weights.shape[axis] ?? 0;
  const missing = [input, weights, output].find((t) => t.quant === null);
  if (missing !== undefined) {
    report("TH2006", {
      where: [tensorName(missing)],
      found: "no quantization",
      expected: "a scale and a zero point",
      fix: "quantize the whole model, or convert it as float",
    });
    return;
  }
  if (quant === null) return;
  if (quant.scales.length !== 1 && (quant.axis !== axis || quant.scales.length !== channels)) {
    report("TH2006", {
      where: [tensorName(weights)],
      found: `${quant.scales.length} scales along axis ${quant.axis}`,
      expected: `1 scale, or ${channels} along axis ${axis}`,
      fix: "quantize weights per tensor or per output channel",
    });
    return;
  }
  const asymmetric = quant.zeroPoints.findIndex((z) => z !== 0);
  if (asymmetric >= 0) {
    report("TH2006", {
      where: [tensorName(weights), `channel ${asymmetric}`],
      found: `zero point ${quant.zeroPoints[asymmetric]}`,
      expected: "0",
      fix: "quantize weights symmetrically",
    });
  }
  checkBiasScale(input, weights, optionalInput(view, index.bias), report);
}

/** TFLite accepts a relative difference of 2% of the output scale; so does this. */
function checkBiasScale(input: Tensor, weights: Tensor, bias: Tensor | null, report: Report): void {
  const scales = bias?.quant?.scales;
  if (!bias || !scales || input.quant?.scales.length !== 1) return;
  for (let c = 0; c < scales.length; c++) {
    const weightScales = quantOf(weights).scales;
    const product = scaleOf(input) * present(weightScales[weightScales.length > 1 ? c : 0] ?? weightScales[0], "scale");
    const found = scales[c] ?? 0;
    if (Math.abs(found - product) <= 0.02 * Math.max(product, found)) continue;
    report("TH2006", {
      message: "the bias scale must equal inputScale x weightScale[c]",
      where: [tensorName(bias), `channel ${c}`],
      found: String(found),
      expected: String(product),
      fix: "re-export with a current TFLite converter",
      severity: "warning",
    });
    return;
  }
}
