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

/** The element types at the input or output where kernels differ most: those of the data, not of indices or shapes. */
function mainTypes(op: AnyOp): readonly string[] {
  const ports = op.kernels.map((k) => [...k.types.inputs, ...k.types.outputs]);
  const count = Math.max(0, ...ports.map((p) => p.length));
  const at = (i: number): readonly string[] => [...new Set(ports.flatMap((p) => p[i] ?? []))];
  return Array.from({ length: count }, (_, i) => at(i)).reduce(
    (most, types) => (types.length > most.length ? types : most),
    [],
  );
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
