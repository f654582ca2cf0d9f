import { elementsOf, makeData, type TensorData } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import type { ExecView, KernelCall } from "../spec.js";
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

/** The call of th_lut_s8 with the table of an 8-bit map. */
export const lookupCall = (view: NodeView<unknown>, map: ElementMap): KernelCall => ({
  source: "ops/common/lut_s8.h",
  symbol: "th_lut_s8",
  params: { type: "th_count_params", fields: { n: elementsOf(inputOf(view, 0).shape) } },
  args: [
    { kind: "input", index: 0 },
    { kind: "constant", label: "table", dtype: outputOf(view, 0).dtype, data: lookupTable(view, map) },
    { kind: "output", index: 0 },
  ],
  scratchBytes: 0,
});
