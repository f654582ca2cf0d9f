import { elementsOf } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import { computedDtypeOf, type Integer, integer, typeName, type ValueInfoProto } from "../proto.js";
import type { GraphBuilder } from "./builder.js";
import { Refused } from "./builder.js";

/** What a caller says of inputs that the file leaves open. */
export interface InputOptions {
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  readonly constants?: Readonly<Record<string, ArrayLike<number>>>;
}

/** Names that exporters give to the number of images; it is 1 on a microcontroller. */
const batchNames = /^(n|b|bs|batch|batch_?size|unk__\d+|dynamic_axes_\d+)$/i;

/** Dimensions of the file: sizes, or null where it leaves them open; null for a rank that it does not state. */
function declaredShape(info: ValueInfoProto): readonly (number | null)[] | null {
  const dims = info.type?.tensorType?.shape?.dim;
  if (!dims) return null;
  return dims.map((d, axis) => {
    const size = integer(d.dimValue as Integer | null | undefined);
    // A dimension of 0 is stated; one that is absent is open.
    const isOpen = d.dimParam ? true : size < 0 || !Object.hasOwn(d, "dimValue");
    if (!isOpen) return size;
    return axis === 0 || batchNames.test(d.dimParam ?? "") ? 1 : null;
  });
}

/** The shape of an input, or null after reporting that it is not known. */
function shapeOf(b: GraphBuilder, info: ValueInfoProto, where: readonly string[], options: InputOptions) {
  const name = info.name ?? "";
  const declared = declaredShape(info);
  const given = options.shapes?.[name];
  if (given !== undefined) {
    const agrees = declared === null || declared.length === given.length;
    if (agrees && given.every((n) => Number.isInteger(n) && n >= 0)) return given;
    b.sink.report("TH1008", {
      where,
      found: `[${given.join(", ")}]`,
      expected: declared === null ? "sizes" : `${declared.length} sizes`,
      fix: "give as many sizes as the input has dimensions",
    });
    return null;
  }
  if (declared?.every((n): n is number => n !== null)) return declared;
  const example = (declared ?? [1, null, null]).map((n, d) => n ?? (d === 1 ? 3 : 96)).join(",");
  b.sink.report("TH1016", {
    where,
    found: declared === null ? "no shape" : `[${declared.map((n) => n ?? "?").join(", ")}]`,
    fix: `state it, for example --shape ${name}=${example}`,
  });
  return null;
}

/** An input of the model as a tensor, constant if the caller fixes it; null after reporting a problem. */
export function readInput(
  b: GraphBuilder,
  info: ValueInfoProto,
  where: readonly string[],
  options: InputOptions,
): Tensor | null {
  const name = info.name ?? "";
  const code = info.type?.tensorType?.elemType ?? 0;
  const fixed = options.constants?.[name];
  const dtype = computedDtypeOf(code);
  if (dtype === null) {
    b.sink.report("TH1006", {
      where,
      found: info.type?.tensorType ? typeName(code) : "no tensor",
      expected: "FLOAT, INT8, UINT8, INT16, INT32, INT64 or BOOL",
      fix: "export the model with such inputs",
    });
    return null;
  }
  const shape = shapeOf(b, info, where, options);
  if (shape === null) return null;
  if (fixed !== undefined && fixed.length !== elementsOf(shape)) {
    b.sink.report("TH6002", {
      where,
      found: `${fixed.length} elements`,
      expected: `${elementsOf(shape)} elements [${shape.join(", ")}]`,
      fix: "give as many values as the input has elements",
    });
    return null;
  }
  const before = b.where;
  b.where = where;
  try {
    // An input of no elements is always the same.
    const values = elementsOf(shape) === 0 ? [] : fixed;
    return values === undefined
      ? b.add({ name, shape, dtype, quant: null, data: null })
      : b.update(b.constant(dtype, shape, values), { name });
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  } finally {
    b.where = before;
  }
}
