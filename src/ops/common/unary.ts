import { type DType, elementsOf } from "../../base/dtype.js";
import { type NodeView, type Tensor, tensorName } from "../../ir/graph.js";
import { type CValue, type Kernel, noTraits, type OutputType, type Report, type Traits } from "../spec.js";
import { checkPerTensor } from "./checks.js";
import { type ElementMap, lookupCall } from "./lut.js";
import { inputOf, outputOf } from "./view.js";

/** Traits of an operator that maps each element on its own. */
export const unaryTraits = {
  ...noTraits,
  elementwise: true,
  inPlace: [0],
  rows: () => ({ stride: 1, extent: 1, padBefore: 0 }),
} as const satisfies Traits<never>;

/** Checks that a tensor of any integer type has a quantization, per tensor or per channel. */
export function checkQuantizedAnyhow(tensor: Tensor, report: Report): boolean {
  const { quant } = tensor;
  const fits = quant !== null && (quant.scales.length === 1 || quant.scales.length === tensor.shape[quant.axis]);
  if (fits) return true;
  report("TH2006", {
    where: [tensorName(tensor)],
    found: quant === null ? "no quantization" : `${quant.scales.length} scales along axis ${quant.axis}`,
    expected: "a scale and a zero point, or one for each channel",
    fix: "re-export with a current TFLite converter",
  });
  return false;
}

/** Checks that a tensor of any integer type has one scale and zero point. */
export function checkQuantized(tensor: Tensor, report: Report): boolean {
  if (tensor.dtype !== "int32") return checkPerTensor(tensor, report);
  if (tensor.quant?.scales.length === 1) return true;
  report("TH2006", {
    where: [tensorName(tensor)],
    found: tensor.quant === null ? "no quantization" : `${tensor.quant.scales.length} scales`,
    expected: "one scale and one zero point",
    fix: "re-export with a current TFLite converter",
  });
  return false;
}

/** The input's shape and type; 8 and 16 bits quantized per tensor on both sides. */
export function inferUnary(view: NodeView<unknown>, report: Report): readonly OutputType[] | null {
  const input = inputOf(view, 0);
  const checked = [input, outputOf(view, 0)].map((tensor) => checkPerTensor(tensor, report));
  if (checked.includes(false)) return null;
  return [
    {
      shape: input.shape,
      dtype: input.dtype,
      quant: input.dtype === "int8" || input.dtype === "int16" ? "free" : null,
    },
  ];
}

/** The int8 kernel of any unary operator: a table of its map. */
export const tableKernel = <A>(map: (view: NodeView<A>) => ElementMap): Kernel<A> => ({
  name: "table s8",
  types: { inputs: ["int8"], outputs: ["int8"] },
  call: (view) => lookupCall(view, map(view)),
});

/** A kernel `symbol(params, input, output)` with the element count in the field `n`. */
export const unaryKernel = <A>(
  dtype: DType,
  source: string,
  symbol: string,
  params: { readonly type: string; readonly fields: (view: NodeView<A>) => Readonly<Record<string, CValue>> },
): Kernel<A> => ({
  name: `portable ${dtype}`,
  types: { inputs: [dtype], outputs: [dtype] },
  call: (view) => ({
    source,
    symbol,
    params: { type: params.type, fields: { n: elementsOf(inputOf(view, 0).shape), ...params.fields(view) } },
    args: [
      { kind: "input", index: 0 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});
