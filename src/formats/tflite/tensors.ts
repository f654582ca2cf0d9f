import type { DiagnosticSink } from "../../base/diagnostics.js";
import { bytesOf, type DType, elementsOf, fromBytes, rangeOf, type TensorData } from "../../base/dtype.js";
import { tensorId } from "../../base/units.js";
import type { Quantization, Tensor } from "../../ir/graph.js";
import type { Table } from "./reader.js";
import { slots, tensorTypes } from "./schema.js";

/** More than any microcontroller has, and little enough for any host. */
const maxTensorBytes = 2 ** 28;
const maxRank = 8;

interface Context {
  readonly sink: DiagnosticSink;
  readonly buffers: readonly (Uint8Array | null)[];
  readonly place: readonly string[];
}

function readType(table: Table, where: readonly string[], sink: DiagnosticSink): DType | null {
  const code = table.int8(slots.tensor.type);
  const type = tensorTypes[code];
  if (typeof type === "string") return type;
  sink.report("TH1006", {
    where,
    found: type?.unsupported ?? `TensorType ${code}`,
    expected: "FLOAT32, INT8, INT16, INT4, INT32, INT64, UINT8 or BOOL",
    fix: "convert the model with these types; strings and complex numbers have no place on a microcontroller",
  });
  return null;
}

function readShape(
  table: Table,
  dtype: DType,
  where: readonly string[],
  sink: DiagnosticSink,
): readonly number[] | null {
  const shape = table.int32s(slots.tensor.shape);
  const bad = shape.length > maxRank || shape.some((n) => n < 0);
  if (bad || bytesOf(dtype, elementsOf(shape)) > maxTensorBytes) {
    const tooLarge = !bad;
    sink.report(tooLarge ? "TH1010" : "TH1008", {
      where,
      found: `[${shape.slice(0, 12).join(", ")}${shape.length > 12 ? ", ..." : ""}]`,
      expected: tooLarge ? `at most ${maxTensorBytes} bytes` : `at most ${maxRank} dimensions, none negative`,
      fix: "export the model with fixed, positive input sizes",
    });
    return null;
  }
  return shape;
}

function readQuantization(
  table: Table,
  dtype: DType,
  shape: readonly number[],
  where: readonly string[],
  sink: DiagnosticSink,
): Quantization | null {
  const q = table.table(slots.tensor.quantization);
  if (q === null || dtype === "float32" || dtype === "bool" || dtype === "resource") return null;
  const scales = q.floats(slots.quantization.scale);
  const zeros = q.int64s(slots.quantization.zeroPoint);
  // A vector has one axis; some converters write that of the weights it belongs to.
  const axis = shape.length === 1 ? 0 : q.int32(slots.quantization.quantizedDimension);
  if (scales.length === 0) return null;
  const zeroPoints = zeros.length === 0 ? scales.map(() => 0) : zeros;
  const { min, max } = rangeOf(dtype);
  const channels = shape[axis];
  const problem = scales.some((s) => !Number.isFinite(s) || s <= 0)
    ? `scale ${scales.find((s) => !Number.isFinite(s) || s <= 0)}`
    : zeroPoints.length !== scales.length && zeroPoints.length !== 1
      ? `${scales.length} scales and ${zeroPoints.length} zero points`
      : zeroPoints.some((z) => z < min || z > max)
        ? `zero point ${zeroPoints.find((z) => z < min || z > max)}`
        : scales.length > 1 && channels !== scales.length
          ? `${scales.length} scales along axis ${axis} of [${shape.join(", ")}]`
          : null;
  if (problem === null) {
    return {
      scales,
      zeroPoints: zeroPoints.length === scales.length ? zeroPoints : scales.map(() => zeroPoints[0] ?? 0),
      axis,
    };
  }
  sink.report("TH1009", {
    where,
    found: problem,
    expected: "positive finite scales, one or one per channel, and zero points within the type",
    fix: "quantize the model again with a current TFLite converter",
  });
  return null;
}

/** The constant contents of a tensor; null for one computed at run time, undefined after reporting a problem. */
function readData(
  context: Context,
  buffer: number,
  dtype: DType,
  shape: readonly number[],
  where: readonly string[],
): TensorData | null | undefined {
  const bytes = context.buffers[buffer];
  if (bytes === undefined) {
    context.sink.report("TH1003", {
      where,
      found: `buffer ${buffer}`,
      expected: `less than ${context.buffers.length}`,
      fix: "the file is damaged: convert the model again",
    });
    return undefined;
  }
  if (buffer === 0 || bytes === null || dtype === "resource") return null;
  const elements = elementsOf(shape);
  const expected = bytesOf(dtype, elements);
  if (bytes.length !== expected) {
    context.sink.report("TH1005", {
      where,
      found: `${bytes.length} bytes`,
      expected: `${expected} bytes for ${dtype} [${shape.join(", ")}]`,
      fix: "the file is damaged: convert the model again",
    });
    return undefined;
  }
  return fromBytes(dtype, bytes, elements);
}

/** A tensor of a file, and whether its shape is only a guess; null after reporting what is wrong with it. */
export function readTensor(
  context: Context,
  table: Table,
  index: number,
): { readonly tensor: Tensor; readonly open: boolean } | null {
  const { sink } = context;
  const name = table.string(slots.tensor.name) ?? "";
  const where = [...context.place, `tensor ${index} ${JSON.stringify(name.slice(0, 200))}`];
  const dtype = readType(table, where, sink);
  if (dtype === null) return null;
  if (table.has(slots.tensor.sparsity) && table.table(slots.tensor.sparsity) !== null) {
    sink.report("TH1007", {
      where,
      found: "a sparse tensor",
      fix: "export the model with dense weights (densify it before converting)",
    });
    return null;
  }
  const buffer = table.uint32(slots.tensor.buffer);
  const isVariable = table.bool(slots.tensor.isVariable);
  const shape = dtype === "resource" ? [] : readShape(table, dtype, where, sink);
  if (shape === null) return null;
  const data = readData(context, buffer, dtype, shape, where);
  if (data === undefined) return null;
  const quant = readQuantization(table, dtype, shape, where, sink);
  const open = table.int32s(slots.tensor.shapeSignature).some((n) => n < 0);
  return { tensor: { id: tensorId(index), name, shape, dtype, quant, data, variable: isVariable }, open };
}
