import type { Builder } from "flatbuffers";
import type { OptionField, OptionValues } from "../../ops/spec.js";

/** A field of a table to be written: an inline scalar, or the offset of something written before. */
export type Field =
  | {
      readonly kind: "int8" | "int32" | "uint32" | "float" | "bool";
      readonly value: number;
      readonly fallback?: number;
    }
  | { readonly kind: "offset"; readonly value: number };

/** Writes a table whose fields are given by slot number; null leaves one out. Returns its offset. */
export function writeTable(builder: Builder, fields: Readonly<Record<number, Field | null>>): number {
  const slots = Object.keys(fields).map(Number);
  builder.startObject(Math.max(-1, ...slots) + 1);
  for (const slot of slots) {
    const field = fields[slot];
    if (!field) continue;
    if (field.kind === "offset") builder.addFieldOffset(slot, field.value, 0);
    else if (field.kind === "int8" || field.kind === "bool")
      builder.addFieldInt8(slot, field.value, field.fallback ?? 0);
    else if (field.kind === "float") builder.addFieldFloat32(slot, field.value, field.fallback ?? 0);
    else builder.addFieldInt32(slot, field.value, field.fallback ?? 0);
  }
  return builder.endObject();
}

/** A vector of offsets. */
export function writeOffsets(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

/** A vector of int32. */
export function writeInt32s(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (const value of values.toReversed()) builder.addInt32(value);
  return builder.endVector();
}

/** A vector of float32. */
export function writeFloats(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (const value of values.toReversed()) builder.addFloat32(value);
  return builder.endVector();
}

/** A vector of int64. */
export function writeInt64s(builder: Builder, values: readonly number[]): number {
  builder.startVector(8, values.length, 8);
  for (const value of values.toReversed()) builder.addInt64(BigInt(value));
  return builder.endVector();
}

/** A vector of bytes whose first is aligned to 16, as TFLite wants buffers. */
export function writeBytes(builder: Builder, bytes: Uint8Array): number {
  builder.startVector(1, bytes.length, 16);
  for (let i = bytes.length - 1; i >= 0; i--) builder.addInt8(bytes[i] as number);
  return builder.endVector();
}

/** An options table from its field list and values. */
export function writeOptions(builder: Builder, fields: readonly OptionField[], values: OptionValues): number {
  const written: Record<number, Field | null> = {};
  fields.forEach(([name, type, fallback], slot) => {
    const value = values[name] ?? fallback;
    if (type === "string") written[slot] = { kind: "offset", value: builder.createString(String(value)) };
    else if (type === "int32[]")
      written[slot] = { kind: "offset", value: writeInt32s(builder, value as readonly number[]) };
    else {
      const kind = type === "uint8" ? "int8" : type;
      written[slot] = { kind, value: Number(value), fallback: Number(fallback) };
    }
  });
  return writeTable(builder, written);
}
