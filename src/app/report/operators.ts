import { signatureText } from "../../ops/check.js";
import { type AnyOp, operators } from "../../ops/index.js";
import { renderTable } from "./table.js";

/** What the system supports of one operator. */
export interface OperatorReport {
  readonly name: string;
  readonly summary: string;
  /** Newest TFLite version read; null if TFLite has no such operator. */
  readonly tfliteVersion: number | null;
  /** Element types of inputs and outputs that a kernel computes. */
  readonly types: readonly string[];
}

const reportOf = (op: AnyOp): OperatorReport => ({
  name: op.name,
  summary: op.summary,
  tfliteVersion: op.tflite === "none" ? null : op.tflite.maxVersion,
  types: [...new Set(op.kernels.map((k) => signatureText(k.types)))],
});

/** Every operator, in the registry's order. */
export const operatorReports = (): readonly OperatorReport[] => operators.map(reportOf);

const columns = [
  { title: "operator", align: "left" },
  { title: "TFLite", align: "left" },
  { title: "types", align: "left" },
  { title: "what", align: "left" },
] as const;

/** The element types of the first input or the first output, whichever has more; of the second input where neither is data. */
function mainTypes(op: AnyOp): readonly string[] {
  const unique = (
    at: (types: AnyOp["kernels"][number]["types"]) => string | readonly string[] | undefined,
  ): readonly string[] => [...new Set(op.kernels.flatMap((k) => at(k.types) ?? []))];
  const input = unique((t) => t.inputs[0]);
  const output = unique((t) => t.outputs[0]);
  const most = output.length > input.length ? output : input;
  return most.includes("resource") ? unique((t) => t.inputs[1] ?? t.outputs[0]) : most;
}

/** The support table for a terminal. */
export const renderOperators = (): string =>
  `${renderTable(
    columns,
    operators.map((op) => [
      op.name,
      op.tflite === "none" ? "-" : `to v${op.tflite.maxVersion}`,
      mainTypes(op).join(" ") || "compile time",
      op.summary,
    ]),
  )}\n\n${operators.length} operators; --json lists every combination of types\n`;
