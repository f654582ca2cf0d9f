import { newestOpset, onnxOperators } from "../../formats/onnx/import/table.js";
import { renderTable } from "./table.js";

/** What the system reads of one ONNX operator. */
export interface OnnxOperatorReport {
  readonly name: string;
  /** Empty for ONNX's own. */
  readonly domain: string;
  /** Oldest and newest operator set; the domain's own version for another domain. */
  readonly opsets: readonly [oldest: number, newest: number];
  /** ONNX's element types of the first input. */
  readonly types: readonly string[];
  /** Whether it is computed in integers between DequantizeLinear and QuantizeLinear. */
  readonly quantized: boolean;
  /** What is not supported, in words; empty if everything is. */
  readonly limits: string;
}

/** ONNX's element types that become each of ours. */
const onnxTypes: Readonly<Record<string, readonly string[]>> = {
  float32: ["float", "float16", "double"],
  int32: ["int32", "int64"],
};

/** Every ONNX operator that can be read, by domain and name. */
export const onnxReports = (): readonly OnnxOperatorReport[] =>
  onnxOperators.map((row) => ({
    name: row.name,
    domain: row.domain,
    opsets: [row.since, row.domain === "" ? newestOpset : 1],
    types: row.types.flatMap((t) => onnxTypes[t] ?? [t]),
    quantized: row.quantizable !== "never",
    limits: row.limits,
  }));

const columns = [
  { title: "ONNX operator", align: "left" },
  { title: "operator sets", align: "left" },
  { title: "QDQ", align: "left" },
  { title: "types", align: "left" },
  { title: "limits", align: "left" },
] as const;

/** The table of ONNX operators for a terminal. */
export function renderOnnxOperators(): string {
  const rows = onnxReports().map((r) => [
    r.domain === "" ? r.name : `${r.domain}.${r.name}`,
    r.opsets.join(" to "),
    r.quantized ? "yes" : "-",
    r.types.join(" "),
    r.limits,
  ]);
  return `${renderTable(columns, rows)}\n\n${rows.length} operators; QDQ: computed in integers between DequantizeLinear and QuantizeLinear\n`;
}
