import type { Tensor } from "../../../ir/graph.js";
import { alongAxis, binary, castTo, countTo, inverse, type ReductionName, reduce, toEnd, unary } from "./arithmetic.js";
import { axesOf, axisOf, compute, float, number, type OnnxNode, type OnnxOperator, operator } from "./context.js";

/** Axes of a reduction, and whether they stay. No axes mean all, or none where the node says so. */
function reductionOf(n: OnnxNode, x: Tensor) {
  const given = axesOf(n, 1, x.shape.length);
  const isNothing = (given === undefined || given.length === 0) && n.attr.int("noop_with_empty_axes", 0) === 1;
  const axes = given === undefined || given.length === 0 ? countTo(x.shape.length) : given;
  return { axes: isNothing ? [] : axes, keep: n.attr.int("keepdims", 1) === 1 ? ("keep" as const) : ("drop" as const) };
}

/** A reduction with something done to the elements before, and to the results after. */
const reduction = (
  name: string,
  op: ReductionName,
  before: (n: OnnxNode, x: Tensor) => Tensor,
  after: (n: OnnxNode, x: Tensor) => Tensor,
  quantizable: "computes" | "never" = "never",
): OnnxOperator =>
  operator({
    name,
    types: float,
    quantizable,
    make: (n) => {
      const x = n.input(0);
      const { axes, keep } = reductionOf(n, x);
      const prepared = before(n, x);
      return after(n, axes.length === 0 ? prepared : reduce(n.b, op, prepared, axes, keep, n.quant));
    },
  });

const same = (_: OnnxNode, x: Tensor): Tensor => x;
const squared = (n: OnnxNode, x: Tensor): Tensor => binary(n.b, "MUL", x, x);
const logOf = (n: OnnxNode, x: Tensor): Tensor => unary(n.b, "LOG", x);

/** log(sum(e^x)), the largest element taken off before and added after, so that nothing overflows. */
function logSumExp(n: OnnxNode): Tensor {
  const x = n.input(0);
  const { axes, keep } = reductionOf(n, x);
  if (axes.length === 0) return x;
  const largest = reduce(n.b, "REDUCE_MAX", x, axes, "keep");
  const sum = reduce(n.b, "SUM", unary(n.b, "EXP", binary(n.b, "SUB", x, largest)), axes, "keep");
  const result = binary(n.b, "ADD", unary(n.b, "LOG", sum), largest);
  return keep === "keep"
    ? result
    : n.b.reshape(
        result,
        x.shape.filter((_, d) => !axes.includes(d)),
      );
}

/** The last of equal extremes is the first of the reversed axis. */
function arg(n: OnnxNode, op: "ARG_MAX" | "ARG_MIN"): Tensor {
  const x = n.input(0);
  const axis = axisOf(n, n.attr.int("axis", 0), x.shape.length);
  const size = x.shape[axis] ?? 1;
  const isLast = n.attr.int("select_last_index", 0) === 1;
  const from = isLast ? n.b.sliceAxis(x, axis, size - 1, -1, -1) : x;
  const found = n.b.emit(op, [from, n.b.scalar(axis, "int32")], { outputType: "int32" }, { dtype: "int32" });
  const index = isLast ? binary(n.b, "SUB", size - 1, found) : found;
  return n.attr.int("keepdims", 1) === 1 ? n.b.reshape(index, x.shape.with(axis, 1)) : index;
}

/** The smallest are the largest of what is negated. */
function topK(n: OnnxNode): readonly Tensor[] {
  const x = n.input(0);
  const axis = axisOf(n, n.attr.int("axis", -1), x.shape.length);
  const k = n.attr.int("k", null) ?? n.constants(1, "k")[0] ?? 0;
  const isLargest = n.attr.int("largest", 1) === 1;
  const order = toEnd(x.shape.length, axis);
  const data = n.b.transpose(isLargest ? x : binary(n.b, "SUB", 0, x), order);
  const outputs = [{ quant: data.quant }, { dtype: "int32" as const }];
  const [values, indices] = n.b.emitAll("TOPK_V2", [data, n.b.scalar(k, "int32")], {}, outputs) as [Tensor, Tensor];
  const found = isLargest ? values : binary(n.b, "SUB", 0, values);
  return [n.b.transpose(found, inverse(order)), n.b.transpose(indices, inverse(order))];
}

/** Softmax and its kin. Up to operator set 12 all axes from the given one on are one. */
const alongLast = (
  name: string,
  make: (n: OnnxNode, x: Tensor) => Tensor,
  quantizable: "computes" | "never",
): OnnxOperator =>
  operator({
    name,
    types: float,
    quantizable,
    make: (n) => {
      const x = n.input(0);
      const rank = x.shape.length;
      const axis = axisOf(n, n.attr.int("axis", n.opset < 13 ? 1 : -1), rank);
      if (n.opset >= 13 || axis === rank - 1) return alongAxis(n.b, x, axis, (t) => make(n, t));
      const outer = x.shape.slice(0, axis).reduce((a, s) => a * s, 1);
      const flat = n.b.reshape(x, [outer, x.shape.slice(axis).reduce((a, s) => a * s, 1)]);
      return n.b.reshape(make(n, flat), x.shape);
    },
  });

/** 1 at the first of the largest elements along the last axis, 0 elsewhere. */
function hardmax(n: OnnxNode, x: Tensor): Tensor {
  const size = x.shape.at(-1) ?? 1;
  const axis = n.b.scalar(x.shape.length - 1, "int32");
  const first = n.b.emit("ARG_MAX", [x, axis], { outputType: "int32" }, { dtype: "int32" });
  const isFirst = binary(n.b, "EQUAL", n.b.reshape(first, [...x.shape.slice(0, -1), 1]), n.b.ints(countTo(size)));
  return castTo(n.b, isFirst, "float32");
}

export const reductions: readonly OnnxOperator[] = [
  reduction("ReduceSum", "SUM", same, same, "computes"),
  reduction("ReduceMean", "MEAN", same, same, "computes"),
  reduction("ReduceMax", "REDUCE_MAX", same, same, "computes"),
  reduction("ReduceMin", "REDUCE_MIN", same, same, "computes"),
  reduction("ReduceProd", "REDUCE_PROD", same, same),
  reduction("ReduceL1", "SUM", (n, x) => unary(n.b, "ABS", x), same),
  reduction("ReduceL2", "SUM", squared, (n, x) => unary(n.b, "SQRT", x)),
  reduction("ReduceSumSquare", "SUM", squared, same),
  reduction("ReduceLogSum", "SUM", same, logOf),
  operator({ name: "ReduceLogSumExp", types: float, make: logSumExp }),
  operator({ name: "ArgMax", types: number, quantizable: "moves", make: (n) => arg(n, "ARG_MAX") }),
  operator({ name: "ArgMin", types: number, quantizable: "moves", make: (n) => arg(n, "ARG_MIN") }),
  operator({ name: "TopK", types: number, limits: "k must be a constant", make: topK }),
  alongLast("Softmax", (n, x) => compute(n, "SOFTMAX", [x], { beta: 1 }), "computes"),
  alongLast("LogSoftmax", (n, x) => compute(n, "LOG_SOFTMAX", [x]), "never"),
  alongLast("Hardmax", hardmax, "never"),
  operator({
    name: "CumSum",
    types: number,
    limits: "the axis must be a constant",
    make: (n) => {
      const x = n.input(0);
      const axis = axisOf(n, n.constants(1, "axis")[0] ?? 0, x.shape.length);
      const attrs = { exclusive: n.attr.int("exclusive", 0) === 1, reverse: n.attr.int("reverse", 0) === 1 };
      return n.b.emit("CUMSUM", [x, n.b.scalar(axis, "int32")], attrs);
    },
  }),
];
