import { float16ToNumber } from "../base/dtype.js";
import type { ElementType, SampleData } from "./dataset.js";

interface Element {
  readonly bytes: number;
  readonly make: (length: number) => SampleData;
  readonly read: (view: DataView, at: number, littleEndian: boolean) => number;
}

/** Element types of arrays in files, and what examples hold of them. */
export const elementTypes: Readonly<Record<ElementType, Element>> = {
  uint8: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  int8: { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  int16: { bytes: 2, make: (n) => new Int16Array(n), read: (v, at, le) => v.getInt16(at, le) },
  int32: { bytes: 4, make: (n) => new Int32Array(n), read: (v, at, le) => v.getInt32(at, le) },
  int64: { bytes: 8, make: (n) => new Int32Array(n), read: (v, at, le) => Number(v.getBigInt64(at, le)) },
  float16: { bytes: 2, make: (n) => new Float32Array(n), read: (v, at, le) => float16ToNumber(v.getUint16(at, le)) },
  float32: { bytes: 4, make: (n) => new Float32Array(n), read: (v, at, le) => v.getFloat32(at, le) },
  float64: { bytes: 8, make: (n) => new Float32Array(n), read: (v, at, le) => v.getFloat64(at, le) },
};

/** Elements one after another. */
export function decodeRaw(
  bytes: Uint8Array,
  { element, bigEndian }: { readonly element: ElementType; readonly bigEndian: boolean },
): SampleData {
  const { bytes: size, make, read } = elementTypes[element];
  const data = make(Math.floor(bytes.length / size));
  if (element === "uint8") {
    data.set(bytes);
    return data;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < data.length; i++) data[i] = read(view, i * size, !bigEndian);
  return data;
}
