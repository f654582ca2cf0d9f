import onnxProto from "onnx-proto";
import { type DiagnosticSink, fail } from "../../base/diagnostics.js";
import { bytesOf, type DType, elementsOf, float16ToNumber, makeData, type TensorData } from "../../base/dtype.js";

/** The messages of onnx.proto, as `onnx-proto` decodes them. */
export type ModelProto = onnxProto.onnx.IModelProto;
export type GraphProto = onnxProto.onnx.IGraphProto;
export type NodeProto = onnxProto.onnx.INodeProto;
export type TensorProto = onnxProto.onnx.ITensorProto;
export type AttributeProto = onnxProto.onnx.IAttributeProto;
export type ValueInfoProto = onnxProto.onnx.IValueInfoProto;

/** A 64-bit field: a number, or a pair of words where it needs more. */
export type Integer = number | bigint | { readonly low: number; readonly high: number; readonly unsigned?: boolean };

/** A field's exact value. */
export const exact = (value: Integer): bigint =>
  typeof value === "object"
    ? (BigInt(value.unsigned === true ? value.high >>> 0 : value.high) << 32n) | BigInt(value.low >>> 0)
    : BigInt(value);

/** A field as a number, rounded beyond 2^53. */
export const integer = (value: Integer | null | undefined): number =>
  value === null || value === undefined ? 0 : Number(exact(value));

/** More than any microcontroller has, and little enough for any host. */
export const maxTensorBytes = 2 ** 28;
const maxRank = 8;

/** How elements of a TensorProto.DataType are read: their bits in raw data, and the type they become. */
interface ElementType {
  readonly name: string;
  readonly bits: number;
  readonly dtype: DType;
}

/**
 * Element types that can be read. 64-bit integers become int32 and other floats float32: what a microcontroller
 * computes with. Unsigned ones wider than a byte do too, where their values fit.
 */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: { name: "FLOAT", bits: 32, dtype: "float32" },
  2: { name: "UINT8", bits: 8, dtype: "uint8" },
  3: { name: "INT8", bits: 8, dtype: "int8" },
  4: { name: "UINT16", bits: 16, dtype: "int32" },
  5: { name: "INT16", bits: 16, dtype: "int16" },
  6: { name: "INT32", bits: 32, dtype: "int32" },
  7: { name: "INT64", bits: 64, dtype: "int32" },
  9: { name: "BOOL", bits: 8, dtype: "bool" },
  10: { name: "FLOAT16", bits: 16, dtype: "float32" },
  11: { name: "DOUBLE", bits: 64, dtype: "float32" },
  12: { name: "UINT32", bits: 32, dtype: "int32" },
  13: { name: "UINT64", bits: 64, dtype: "int32" },
  16: { name: "BFLOAT16", bits: 16, dtype: "float32" },
  21: { name: "UINT4", bits: 4, dtype: "uint8" },
  22: { name: "INT4", bits: 4, dtype: "int4" },
};

const otherNames: Readonly<Record<number, string>> = {
  0: "UNDEFINED",
  8: "STRING",
  14: "COMPLEX64",
  15: "COMPLEX128",
  17: "FLOAT8E4M3FN",
  18: "FLOAT8E4M3FNUZ",
  19: "FLOAT8E5M2",
  20: "FLOAT8E5M2FNUZ",
  23: "FLOAT4E2M1",
};

/** What ONNX calls an element type, such as FLOAT for 1. */
export const typeName = (code: number): string => elementTypes[code]?.name ?? otherNames[code] ?? `type ${code}`;

/** The element type that tensors of an ONNX type have here; null for those without a place on a microcontroller. */
export const dtypeOf = (code: number): DType | null => elementTypes[code]?.dtype ?? null;

/** Types of which tensors that are computed may be: those whose arithmetic is not that of a wider type. */
const computedTypes: ReadonlySet<number> = new Set([1, 2, 3, 5, 6, 7, 9, 10, 11]);

/** {@link dtypeOf} for inputs of a model and results of conversions. */
export const computedDtypeOf = (code: number): DType | null => (computedTypes.has(code) ? dtypeOf(code) : null);

/** Reads a file beside the model; null if there is none or it lies elsewhere. Locations come from the model. */
export type ExternalFiles = (location: string) => Uint8Array | null;

/** A tensor that the file holds. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
  /** 64-bit values were out of range of int32 and are at its ends. */
  readonly isSaturated: boolean;
}

/**
 * Decodes a model. Throws TH1017 for what is no ONNX model and TH1002 for a damaged one; nothing of it has been looked at
 * beyond its structure.
 */
export function decodeModel(bytes: Uint8Array, file: string): ModelProto {
  let model: ModelProto;
  try {
    model = onnxProto.onnx.ModelProto.decode(bytes);
  } catch (error) {
    // Messages nested without end exhaust the stack: a RangeError, as for a field that reaches past the end.
    return fail("TH1002", {
      where: [file],
      found: error instanceof Error ? error.message.slice(0, 200) : String(error),
      fix: "copy or download the file again, or export the model again",
    });
  }
  if (!model.graph || (model.opsetImport ?? []).length === 0)
    return fail("TH1017", {
      where: [file],
      found: bytes.length === 0 ? "an empty file" : model.graph ? "no operator set" : "no graph",
      expected: "a ModelProto with a graph and operator sets",
      fix: "give an .onnx file (torch.onnx.export, tf2onnx or keras2onnx make them)",
    });
  return model;
}

/** The bytes of data that lie beside the model, or undefined after reporting why they cannot be had. */
function externalBytes(
  tensor: TensorProto,
  files: ExternalFiles,
  where: readonly string[],
  sink: DiagnosticSink,
): Uint8Array | undefined {
  const entries = new Map((tensor.externalData ?? []).map((e) => [e.key ?? "", e.value ?? ""]));
  const location = entries.get("location") ?? "";
  const content = files(location);
  const [offset, length] = [Number(entries.get("offset") ?? 0), Number(entries.get("length") ?? Number.NaN)];
  const end = Number.isNaN(length) ? (content?.length ?? 0) : offset + length;
  if (content !== null && Number.isInteger(offset) && offset >= 0 && end >= offset && end <= content.length)
    return content.subarray(offset, end);
  sink.report("TH1015", {
    where,
    found: `${JSON.stringify(location.slice(0, 200))}${content === null ? "" : `, bytes ${offset} to ${end} of ${content.length}`}`,
    expected: "a file in the model's folder",
    fix: "keep the model's data files beside it, or save the model as one file",
  });
  return undefined;
}

/** The value of a bfloat16 bit pattern: the upper half of a float32. */
function bfloat16ToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? 0;
}

/** Element `i` of raw data, little-endian; 4-bit elements two to a byte, the low half first. */
function rawElement(view: DataView, type: number, i: number): number | bigint {
  switch (type) {
    case 1:
      return view.getFloat32(4 * i, true);
    case 2:
    case 9:
      return view.getUint8(i);
    case 3:
      return view.getInt8(i);
    case 4:
      return view.getUint16(2 * i, true);
    case 5:
      return view.getInt16(2 * i, true);
    case 6:
      return view.getInt32(4 * i, true);
    case 7:
      return view.getBigInt64(8 * i, true);
    case 10:
      return float16ToNumber(view.getUint16(2 * i, true));
    case 11:
      return view.getFloat64(8 * i, true);
    case 12:
      return view.getUint32(4 * i, true);
    case 13:
      return view.getBigUint64(8 * i, true);
    case 16:
      return bfloat16ToNumber(view.getUint16(2 * i, true));
    default: {
      const half = (view.getUint8(i >> 1) >> (4 * (i & 1))) & 15;
      return type === 22 ? (half << 28) >> 28 : half;
    }
  }
}

/** The typed field that holds a tensor's elements, as numbers; float16 and bfloat16 lie in int32_data as bits. */
function typedElements(tensor: TensorProto, type: number): ArrayLike<number | bigint> {
  const ints = tensor.int32Data ?? [];
  switch (type) {
    case 1:
      return tensor.floatData ?? [];
    case 7:
      return (tensor.int64Data ?? []).map(exact);
    case 11:
      return tensor.doubleData ?? [];
    case 12:
    case 13:
      return (tensor.uint64Data ?? []).map(exact);
    case 10:
      return ints.map(float16ToNumber);
    case 16:
      return ints.map(bfloat16ToNumber);
    case 21:
    case 22: {
      const bytes = Uint8Array.from(ints);
      const view = new DataView(bytes.buffer);
      return Array.from({ length: 2 * bytes.length }, (_, i) => rawElement(view, type, i));
    }
    default:
      return ints;
  }
}

/** Sizes of a tensor that the file holds, or null after reporting what is wrong with them. */
function readShape(tensor: TensorProto, dtype: DType, where: readonly string[], sink: DiagnosticSink) {
  const shape = (tensor.dims ?? []).map((d) => integer(d as Integer));
  const isBad = shape.length > maxRank || shape.some((n) => n < 0 || n > 2 ** 31);
  if (!isBad && bytesOf(dtype, elementsOf(shape)) <= maxTensorBytes) return shape;
  sink.report(isBad ? "TH1008" : "TH1010", {
    where,
    found: `[${shape.slice(0, 12).join(", ")}${shape.length > 12 ? ", ..." : ""}]`,
    expected: isBad ? `at most ${maxRank} dimensions, none negative` : `at most ${maxTensorBytes} bytes`,
    fix: "export the model with fixed, positive sizes",
  });
  return null;
}

/** Elements of a type, as what they become; values that int32 does not hold are put at its ends. */
function convert(values: ArrayLike<number | bigint>, elements: number, dtype: DType) {
  const data = makeData(dtype, elements);
  let isSaturated = false;
  for (let i = 0; i < elements; i++) {
    const value = Number(values[i] ?? 0);
    if (dtype === "int32") {
      data[i] = Math.min(Math.max(value, -2147483648), 2147483647);
      isSaturated ||= data[i] !== value;
    } else data[i] = dtype === "bool" ? Number(value !== 0) : value;
  }
  return { data, isSaturated };
}

/**
 * A tensor's elements, from raw bytes, typed fields or a file beside the model; null after reporting why it cannot be
 * read. Its bytes are checked against its shape before anything is allocated.
 */
export function readTensor(
  tensor: TensorProto,
  files: ExternalFiles,
  where: readonly string[],
  sink: DiagnosticSink,
): OnnxTensor | null {
  const type = tensor.dataType ?? 0;
  const element = elementTypes[type];
  if (element === undefined) {
    sink.report("TH1006", {
      where,
      found: typeName(type),
      expected: Object.values(elementTypes)
        .map((t) => t.name)
        .join(", "),
      fix: "export the model with these types; strings and complex numbers have no place on a microcontroller",
    });
    return null;
  }
  const shape = readShape(tensor, element.dtype, where, sink);
  if (shape === null) return null;
  const elements = elementsOf(shape);
  const raw =
    tensor.dataLocation === 1 ? externalBytes(tensor, files, where, sink) : (tensor.rawData ?? new Uint8Array());
  if (raw === undefined) return null;
  const expected = Math.ceil((elements * element.bits) / 8);
  const typed = raw.length === 0 && tensor.dataLocation !== 1 ? typedElements(tensor, type) : null;
  const fits =
    typed === null
      ? raw.length === expected
      : typed.length === elements || (element.bits === 4 && typed.length === elements + (elements % 2));
  if (!fits) {
    sink.report("TH1005", {
      where,
      found: typed === null ? `${raw.length} bytes` : `${typed.length} elements`,
      expected: `${expected} bytes for ${element.name} [${shape.join(", ")}]`,
      fix: "the file is damaged: export the model again",
    });
    return null;
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = typed ?? { length: elements };
  const source = typed === null ? Array.from({ length: elements }, (_, i) => rawElement(view, type, i)) : values;
  return {
    name: tensor.name ?? "",
    type,
    dtype: element.dtype,
    shape,
    ...convert(source as ArrayLike<number>, elements, element.dtype),
  };
}
