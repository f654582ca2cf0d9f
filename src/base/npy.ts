import { fail } from "./diagnostics.js";
import { bytesOf, type DType, elementsOf, fromBytes, type TensorData } from "./dtype.js";

/** An array of NumPy's .npy format, version 1 to 3, C order. */
export interface NpyArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const descriptors: Readonly<Record<string, DType>> = {
  "<f4": "float32",
  "|i1": "int8",
  "|u1": "uint8",
  "<i2": "int16",
  "<i4": "int32",
  "<i8": "int64",
  "|b1": "bool",
  "<f2": "float16",
};

const magic = "\u0093NUMPY";

/** What the header of a .npy file says: NumPy's name of the element type, the shape, and where the elements begin. */
export interface NpyHeader {
  readonly descr: string;
  readonly shape: readonly number[];
  readonly start: number;
}

const rejectNpy = (file: string, found: string): never =>
  fail("TH6001", {
    where: [file],
    found,
    expected: `a .npy file in C order of ${Object.values(descriptors).join(", ")}`,
    fix: "save it with numpy.save(path, array.astype(...)), or give raw bytes under another extension",
  });

/** Reads the header of a .npy file (numpy.lib.format) from its first bytes. Throws TH6001 for what is not one. */
export function readNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const latin = (from: number, to: number): string => new TextDecoder("latin1").decode(bytes.subarray(from, to));
  if (latin(0, 6) !== magic || bytes.length < 12) return rejectNpy(file, "no NumPy header");
  const wide = (bytes[6] ?? 1) >= 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + headerBytes;
  const header = latin(wide ? 12 : 10, start);
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (shapeText === undefined) return rejectNpy(file, `element type ${descr || "?"}`);
  if (/'fortran_order':\s*True/.test(header)) return rejectNpy(file, "Fortran order");
  const shape = shapeText
    .split(",")
    .map((s) => s.trim())
    .filter((s) => s !== "")
    .map(Number);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) return rejectNpy(file, `shape (${shapeText})`);
  return { descr, shape, start };
}

/**
 * Reads a .npy file (numpy.lib.format). Throws TH6001 for what is not one, and for element types a model cannot have.
 */
export function readNpy(bytes: Uint8Array, file: string): NpyArray {
  const { descr, shape, start } = readNpyHeader(bytes, file);
  const dtype = descriptors[descr];
  if (dtype === undefined) return rejectNpy(file, `element type ${descr || "?"}`);
  const elements = elementsOf(shape);
  if (!Number.isSafeInteger(elements) || start + bytesOf(dtype, elements) > bytes.length)
    return rejectNpy(file, "fewer bytes than its shape needs");
  return { dtype, shape, data: fromBytes(dtype, bytes.subarray(start), elements) };
}

/** The bytes of a .npy file, version 1. */
export function writeNpy({ dtype, shape, data }: NpyArray): Uint8Array {
  const descr = Object.entries(descriptors).find(([, d]) => d === dtype)?.[0] ?? "|i1";
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  const padded = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + padded.length + data.byteLength);
  out.set(Uint8Array.from(magic, (c) => c.charCodeAt(0)));
  out.set([1, 0, padded.length & 255, padded.length >> 8], 6);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + padded.length);
  return out;
}
