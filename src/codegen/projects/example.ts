import type { DType } from "../../base/dtype.js";
import { ctypeOf } from "../../base/dtype.js";
import { commentText } from "../c.js";
import { type Port, type ProjectInput, portsOf } from "./project.js";

/** How the example of a tool prints: with a function like printf, or with Arduino's Serial. */
export interface Console {
  /** Statement that prints a line; `text` has nothing that a C string or a format would change. */
  readonly line: (text: string) => string;
  /** Statements that print one element, `  [i] value` and, if `real` is not null, ` = real`. */
  readonly element: (dtype: DType, value: string, real: string | null) => string;
}

/** Outputs longer than this are cut, so that an image does not fill a serial line. */
const printLimit = 32;

/** The macro that counts what the C type of a port holds: packed int4 goes by bytes. */
const countOf = (port: Port): string => `${port.macro}_${port.dtype === "int4" ? "BYTES" : "ELEMENTS"}`;

/** The element that stands for 0 in the real world. */
function zeroOf(port: Port): string {
  if (port.dtype === "float32") return "0.0f";
  if (!port.quantized) return "0";
  if (port.dtype !== "int4") return `${port.macro}_ZERO_POINT`;
  const nibble = (port.tensor.quant?.zeroPoints[0] ?? 0) & 15;
  return String(nibble * 17);
}

const describe = (port: Port): string =>
  commentText(`${port.kind} ${port.index} "${port.tensor.name}", ${port.dtype} [${port.tensor.shape.join(", ")}]`);

const fillText = (port: Port): string => `    /* ${describe(port)} */
    ${ctypeOf(port.dtype)} *${port.kind}_${port.index} = ${port.accessor}(arena);
    for (int32_t i = 0; i < ${countOf(port)}; i++) {
        ${port.kind}_${port.index}[i] = ${zeroOf(port)};
    }
`;

function printText(port: Port, console: Console): string {
  const name = `${port.kind}_${port.index}`;
  const value = `${name}[i]`;
  const real =
    port.quantized && port.dtype !== "int4"
      ? `${port.macro}_SCALE * (float)(${value} - ${port.macro}_ZERO_POINT)`
      : null;
  return `    /* ${describe(port)} */
    const ${ctypeOf(port.dtype)} *${name} = ${port.accessor}(arena);
    ${console.line(`output ${port.index}:`)}
    for (int32_t i = 0; i < ${countOf(port)} && i < ${printLimit}; i++) {
        ${console.element(port.dtype, value, real).split("\n").join("\n        ")}
    }
`;
}

/** Hops of a time series until the first window is complete, and one more for each call from then on. */
function hopText(name: string, pushed: Port): string {
  const { macro } = pushed;
  const type = ctypeOf(pushed.dtype);
  const elements = `${macro}_HOP_ROWS * ${macro}_ROW_BYTES / (int32_t)sizeof(${type})`;
  return `/* The next rows of ${describe(pushed)}. Real data goes here. */
static void read_hop(${type} *to)
{
    for (int32_t i = 0; i < ${elements}; i++) {
        to[i] = ${zeroOf(pushed)};
    }
}

static void infer(void)
{
    static ${type} hop[${macro}_HOP_ROWS * ${macro}_ROW_BYTES / sizeof(${type})];
    do {
        read_hop(hop);
    } while (!${name}_push_hop(arena, hop));
}
`;
}

/** The functions that run the model: filled inputs at once, or rows as they come. */
function inferText({ generated }: ProjectInput, pushed: Port | undefined): string {
  const { name } = generated;
  if (pushed === undefined) return `static void infer(void)\n{\n    ${name}_invoke(arena);\n}\n`;
  const { macro } = pushed;
  const type = ctypeOf(pushed.dtype);
  if (generated.layout.hopRows !== null) return hopText(name, pushed);
  const elements = `${macro}_ROW_BYTES / (int32_t)sizeof(${type})`;
  return `/* One row of ${describe(pushed)}: a camera's line or an audio frame. Real data goes here. */
static void read_row(int32_t row, ${type} *to)
{
    (void)row;
    for (int32_t i = 0; i < ${elements}; i++) {
        to[i] = ${zeroOf(pushed)};
    }
}

static void infer(void)
{
    static ${type} row[${macro}_ROW_BYTES / sizeof(${type})];
    ${name}_begin(arena);
    for (int32_t i = 0; i < ${macro}_ROWS; i++) {
        read_row(i, row);
        ${name}_push_rows(arena, row, 1);
    }
    ${name}_finish(arena);
}
`;
}

/** `fill_inputs`, `infer` and `print_outputs` of the example; all use a global `arena`. */
export function exampleFunctions(input: ProjectInput, console: Console): string {
  const ports = portsOf(input);
  const of = (kind: Port["kind"]): readonly Port[] => ports.filter((p) => p.kind === kind);
  const resident = of("input").filter((p) => !p.pushed);
  return `/* The value that stands for 0 everywhere. Real data goes here. */
static void fill_inputs(void)
{
${resident.map(fillText).join("")}}

${inferText(
  input,
  ports.find((p) => p.pushed),
)}
/* At most ${printLimit} values of each output. */
static void print_outputs(void)
{
${of("output")
  .map((p) => printText(p, console))
  .join("")}}
`;
}

/** The format and the argument that print one element with printf. */
function formatOf(dtype: DType, value: string): readonly [string, string] {
  switch (dtype) {
    case "float32":
      return ["%.6g", `(double)${value}`];
    case "int64":
      return ["%lld", `(long long)${value}`];
    case "int32":
      return ["%ld", `(long)${value}`];
    case "float16":
    case "int4":
      return ["0x%x", `(unsigned)${value}`];
    default:
      return ["%d", `(int)${value}`];
  }
}

/** A console that prints with `call`, which takes what printf takes. */
export const printfConsole = (call: "printf" | "printk"): Console => ({
  line: (text) => `${call}("${text}\\n");`,
  element: (dtype, value, real) => {
    const [format, argument] = formatOf(dtype, value);
    if (real === null) return `${call}("  [%d] ${format}\\n", (int)i, ${argument});`;
    return `${call}("  [%d] ${format} = %.6g\\n", (int)i, ${argument},\n       (double)(${real}));`;
  },
});
