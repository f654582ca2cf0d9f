/**
 * Element types. `int4` values are held one to a byte (-8..7) in memory here and packed two to a byte in a file or
 * in flash; `float16` values are held as their bit patterns; `resource` is the handle of a variable and has no bytes.
 */
export type DType =
  | "float32"
  | "float16"
  | "int4"
  | "int8"
  | "uint8"
  | "int16"
  | "int32"
  | "int64"
  | "bool"
  | "resource";

/** The typed arrays that hold tensor elements; `int64` is the only bigint one. */
export type TensorData = Float32Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | BigInt64Array;

interface DTypeInfo {
  /** Bits an element takes on the device. */
  readonly bits: number;
  readonly make: (length: number) => TensorData;
  /** C99 element type on the device. */
  readonly ctype: string;
  readonly min: number;
  readonly max: number;
}

const info = {
  float32: { bits: 32, make: (n) => new Float32Array(n), ctype: "float", min: -Infinity, max: Infinity },
  float16: { bits: 16, make: (n) => new Uint16Array(n), ctype: "uint16_t", min: -65504, max: 65504 },
  int4: { bits: 4, make: (n) => new Int8Array(n), ctype: "uint8_t", min: -8, max: 7 },
  int8: { bits: 8, make: (n) => new Int8Array(n), ctype: "int8_t", min: -128, max: 127 },
  uint8: { bits: 8, make: (n) => new Uint8Array(n), ctype: "uint8_t", min: 0, max: 255 },
  int16: { bits: 16, make: (n) => new Int16Array(n), ctype: "int16_t", min: -32768, max: 32767 },
  int32: { bits: 32, make: (n) => new Int32Array(n), ctype: "int32_t", min: -2147483648, max: 2147483647 },
  int64: { bits: 64, make: (n) => new BigInt64Array(n), ctype: "int64_t", min: -(2 ** 63), max: 2 ** 63 },
  bool: { bits: 8, make: (n) => new Uint8Array(n), ctype: "uint8_t", min: 0, max: 1 },
  resource: { bits: 0, make: () => new Uint8Array(0), ctype: "void", min: 0, max: 0 },
} as const satisfies Record<DType, DTypeInfo>;

export const dtypes = Object.keys(info) as readonly DType[];

/** Zero-filled storage for `elements` elements of `dtype`. */
export const makeData = (dtype: DType, elements: number): TensorData => info[dtype].make(elements);

/** Bytes on the device of `elements` elements (int4 packed two to a byte, rounded up). */
export const bytesOf = (dtype: DType, elements: number): number => Math.ceil((elements * info[dtype].bits) / 8);

/** The C99 type of one element on the device. */
export const ctypeOf = (dtype: DType): string => info[dtype].ctype;

/** Smallest and largest value an integer type holds. */
export const rangeOf = (dtype: DType): { readonly min: number; readonly max: number } => info[dtype];

export const isInteger = (dtype: DType): boolean =>
  dtype === "int4" ||
  dtype === "int8" ||
  dtype === "uint8" ||
  dtype === "int16" ||
  dtype === "int32" ||
  dtype === "int64";

/** The number of elements of a shape; a scalar `[]` has one. */
export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Little-endian bytes of tensor data as the device would hold them (int4 packed, low nibble first). */
export function toBytes(dtype: DType, data: TensorData): Uint8Array {
  if (dtype === "int4") {
    const packed = new Uint8Array(Math.ceil(data.length / 2));
    for (let i = 0; i < data.length; i++) {
      packed[i >> 1] = (packed[i >> 1] ?? 0) | ((Number(data[i]) & 15) << (4 * (i & 1)));
    }
    return packed;
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

/** The inverse of {@link toBytes}: reads `elements` elements; `bytes` must hold them all. */
export function fromBytes(dtype: DType, bytes: Uint8Array, elements: number): TensorData {
  const data = makeData(dtype, elements);
  if (dtype === "int4") {
    for (let i = 0; i < elements; i++) {
      data[i] = (((bytes[i >> 1] ?? 0) >> (4 * (i & 1))) << 28) >> 28;
    }
    return data;
  }
  new Uint8Array(data.buffer).set(bytes.subarray(0, data.byteLength));
  return data;
}

/** The value of an IEEE 754 half-precision bit pattern. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
