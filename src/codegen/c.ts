import { ctypeOf, type DType, type TensorData, toBytes } from "../base/dtype.js";
import type { CValue } from "../ops/spec.js";

/**
 * A float as C99 text that reads back to the same bits: hexadecimal, and a constant division for infinities.
 * The value must be a float32 already.
 */
export function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return "(0.0f / 0.0f)";
  if (!Number.isFinite(value)) return value > 0 ? "(1.0f / 0.0f)" : "(-1.0f / 0.0f)";
  if (Object.is(value, -0)) return "-0.0f";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return `${value}.0f`;
  const shortest = value.toPrecision(9);
  const text = Number.parseFloat(shortest).toString();
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}

/** A value of a params struct as a C initializer. */
export function valueText(value: CValue): string {
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return `{${value.join(", ")}}`;
  if ("float" in value) return floatLiteral(Math.fround(value.float));
  const { floats } = value as { readonly floats: readonly number[] };
  return `{${floats.map((v) => floatLiteral(Math.fround(v))).join(", ")}}`;
}

/** The C element type a constant of `dtype` is stored as: int4 as packed bytes. */
export const storedType = (dtype: DType): string => (dtype === "int4" ? "uint8_t" : ctypeOf(dtype));

function elementTexts(dtype: DType, data: TensorData): string[] {
  if (dtype === "int4") return Array.from(toBytes(dtype, data), String);
  if (dtype === "float32") return Array.from(data as Float32Array, floatLiteral);
  if (dtype === "int64") return Array.from(data as BigInt64Array, (v) => `INT64_C(${v})`);
  return Array.from(data as ArrayLike<number>, String);
}

/** Comma-separated items, indented and broken into lines of a readable width. */
export function wrapped(items: readonly string[], indent = "    "): string {
  const lines: string[] = [];
  let line = "";
  for (const item of items) {
    if (line.length + item.length > 112) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? `${indent}${item}` : `, ${item}`;
  }
  if (line !== "") lines.push(line);
  return lines.join(",\n");
}

/** `static const int8_t name[n] = {...};`, wrapped to lines of a readable width. */
export function arrayDefinition(name: string, dtype: DType, data: TensorData): string {
  const elements = elementTexts(dtype, data);
  return `static const ${storedType(dtype)} ${name}[${Math.max(elements.length, 1)}] = {\n${wrapped(elements)}\n};\n`;
}

/** Words that cannot name a model: its header would hide one of the C library's, or its prefix be a keyword. */
const reserved = new Set(
  `auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while class new delete
private public template this namespace operator assert complex ctype errno fenv float inttypes iso646 limits locale math
setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar
wchar wctype arduino main thimble`.split(/\s+/),
);

/** A legal C identifier in lower case from any text; never empty, never starting with a digit. */
export function identifier(text: string): string {
  const cleaned = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  if (reserved.has(cleaned)) return `${cleaned}_model`;
  return /^[a-z]/.test(cleaned) ? cleaned : `model${cleaned === "" ? "" : `_${cleaned}`}`;
}

/** Text that is safe inside a C comment. */
export const commentText = (text: string): string =>
  text
    .replaceAll("*/", "* /")
    .replaceAll("/*", "/ *")
    .replace(/[^\x20-\x7e]/g, "?");
