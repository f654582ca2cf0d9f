import { elementsOf, makeData, type TensorData } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import type { ExecView, Kernel, KernelCall } from "../spec.js";
import { inputOf, outputOf } from "./view.js";

/** Maps one element, an integer of the input's type, to one of the output's. */
export type ElementMap = (x: number) => number;

/** Applies a map to every element. */
export function mapAll(view: ExecView<unknown>, map: ElementMap): void {
  const [input, output] = [view.in[0] as Int32Array, view.out[0] as Int32Array];
  for (let i = 0; i < input.length; i++) output[i] = map(input[i] as number);
}

/** The results of a map for each of the 256 bytes, read as the input's type; an array of the output's type. */
export function lookupTable(view: NodeView<unknown>, map: ElementMap): TensorData {
  const signed = inputOf(view, 0).dtype === "int8";
  const table = makeData(outputOf(view, 0).dtype, 256) as Int8Array;
  for (let byte = 0; byte < 256; byte++) table[byte] = map(signed ? (byte << 24) >> 24 : byte);
  return table;
}

/** The call of th_lut_s8 (or th_lut_s8_dsp) with the table of an 8-bit map. */
export const lookupCall = (view: NodeView<unknown>, map: ElementMap, isa: "" | "_dsp" = ""): KernelCall => ({
  source: `ops/common/lut_s8${isa}.h`,
  symbol: `th_lut_s8${isa}`,
  params: { type: "th_count_params", fields: { n: elementsOf(inputOf(view, 0).shape) } },
  args: [
    { kind: "input", index: 0 },
    { kind: "constant", label: "table", dtype: outputOf(view, 0).dtype, data: lookupTable(view, map) },
    { kind: "output", index: 0 },
  ],
  scratchBytes: 0,
});

/** The kernels of an 8-bit map from one type to another: for cores with the DSP instructions, and for all. */
export function lookupKernels<A>(
  name: string,
  from: "int8" | "uint8",
  to: "int8" | "uint8",
  map: (view: NodeView<A>) => ElementMap,
): readonly Kernel<A>[] {
  const types = { inputs: [from], outputs: [to] } as const;
  return [
    { name: `dsp ${name}`, isa: "dsp", form: "slice", types, call: (view) => lookupCall(view, map(view), "_dsp") },
    { name, form: "slice", types, call: (view) => lookupCall(view, map(view)) },
  ];
}
