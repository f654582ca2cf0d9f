import { elementsOf } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import { computedDtypeOf, typeName } from "../proto.js";
import { countTo } from "./arithmetic.js";
import { any, number, type OnnxNode, type OnnxOperator, operator } from "./context.js";

/** A tensor, a number or a list of them as an attribute. */
function constant(n: OnnxNode): Tensor {
  const { attr, b } = n;
  const proto = attr.tensor("value");
  if (proto !== null) return n.constantOf(proto);
  const ints = attr.ints("value_ints", null);
  const floats = attr.floats("value_floats", null);
  if (attr.has("value_int")) return b.scalar(attr.int("value_int", 0), "int32");
  if (attr.has("value_float")) return b.scalar(attr.float("value_float", 0));
  if (ints !== null) return b.ints(ints);
  if (floats !== null) return b.constant("float32", [floats.length], floats);
  return n.refuse("TH2007", {
    message: "the constant has no supported value",
    expected: "value, value_float, value_floats, value_int or value_ints",
    fix: "export the model with dense numeric constants",
  });
}

/** A constant of one repeated element. Sizes are checked before anything is allocated. */
function constantOfShape(n: OnnxNode): Tensor {
  const shape = n.constants(0, "shape");
  const proto = n.attr.tensor("value");
  const value = proto === null ? null : n.constantOf(proto);
  const elements = elementsOf(shape);
  if (shape.some((s) => s < 0) || elements > 2 ** 24)
    n.refuse("TH1010", {
      found: `[${shape.join(", ")}]`,
      expected: "at most 2^24 elements",
      fix: "export a smaller model",
    });
  const element = Number(value?.data?.[0] ?? 0);
  return n.b.constant(value?.dtype ?? "float32", shape, new Array<number>(elements).fill(element));
}

function range(n: OnnxNode): Tensor {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((i) => n.constants(i, "bounds")[0] ?? 0);
  const count = Math.max(Math.ceil((limit - start) / delta), 0);
  if (!Number.isFinite(count) || count > 2 ** 24)
    n.refuse("TH1010", { found: `${count} elements`, expected: "at most 2^24", fix: "export a smaller model" });
  return n.b.constant(
    n.input(0).dtype,
    [count],
    countTo(count).map((i) => start + i * delta),
  );
}

/** A window of raised cosines, sum of a_k cos(2 pi k i / N). Source: Harris 1978. */
const cosineWindow = (name: string, terms: readonly number[]): OnnxOperator =>
  operator({
    name,
    types: number,
    limits: "the size must be a constant",
    make: (n) => {
      const size = n.constants(0, "size")[0] ?? 0;
      const code = n.attr.int("output_datatype", 1);
      if (computedDtypeOf(code) !== "float32")
        n.refuse("TH2004", { found: typeName(code), expected: "FLOAT", fix: "make a window of floats" });
      const period = n.attr.int("periodic", 1) === 1 ? size : size - 1;
      const values = countTo(Math.min(size, 2 ** 20)).map((i) =>
        terms.reduce((sum, a, k) => sum + a * Math.cos((2 * Math.PI * k * i) / period), 0),
      );
      return n.b.constant("float32", [values.length], values);
    },
  });

export const constants: readonly OnnxOperator[] = [
  operator({ name: "Constant", types: any, make: constant }),
  operator({ name: "ConstantOfShape", types: any, limits: "the shape must be a constant", make: constantOfShape }),
  operator({ name: "Range", types: number, limits: "bounds must be constants", make: range }),
  cosineWindow("HannWindow", [0.5, -0.5]),
  cosineWindow("HammingWindow", [25 / 46, -21 / 46]),
  cosineWindow("BlackmanWindow", [0.42, -0.5, 0.08]),
];
