import { elementsOf } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import { stepsOf } from "../../../ops/common/moves.js";
import { binary, castTo, countTo, select } from "./arithmetic.js";
import type { GraphBuilder } from "./builder.js";
import { any, axisOf, number, type OnnxNode, type OnnxOperator, operator, requireOption } from "./context.js";
import { isIndex } from "./shapes.js";

/** Indices that count from the end made to count from the front; constants are computed at once. */
function fromFront(b: GraphBuilder, indices: Tensor, size: number): Tensor {
  const isConstant = indices.data !== null;
  if (isConstant && !Array.from(indices.data as Int32Array).some((i) => i < 0)) return indices;
  return select(b, binary(b, "LESS", indices, 0), binary(b, "ADD", indices, size), indices);
}

function gather(n: OnnxNode): Tensor {
  const x = n.input(0);
  const axis = axisOf(n, n.attr.int("axis", 0), x.shape.length);
  const indices = fromFront(n.b, n.input(1), x.shape[axis] ?? 1);
  return n.b.emit("GATHER", [x, indices], { axis, batchDims: 0 }, { quant: x.quant });
}

/**
 * For every element of the indices, the place in the flattened data of the element with the same coordinates but for `axis`,
 * where the index stands.
 */
function elementPlaces(n: OnnxNode, data: Tensor, given: Tensor, axis: number): Tensor {
  const steps = stepsOf(data.shape);
  const own = stepsOf(given.shape);
  const base = countTo(elementsOf(given.shape)).map((i) =>
    steps.reduce((sum, step, d) => {
      const coordinate = Math.floor(i / (own[d] ?? 1)) % (given.shape[d] ?? 1);
      return d === axis ? sum : sum + coordinate * step;
    }, 0),
  );
  const indices = fromFront(n.b, n.b.reshape(given, [base.length]), data.shape[axis] ?? 1);
  return binary(n.b, "ADD", binary(n.b, "MUL", indices, steps[axis] ?? 1), n.b.ints(base));
}

function gatherElements(n: OnnxNode): Tensor {
  const [x, indices] = [n.input(0), n.input(1)];
  const axis = axisOf(n, n.attr.int("axis", 0), x.shape.length);
  const flat = n.b.reshape(x, [elementsOf(x.shape)]);
  const places = elementPlaces(n, x, indices, axis);
  const found = n.b.emit("GATHER", [flat, places], { axis: 0, batchDims: 0 }, { quant: x.quant });
  return n.b.reshape(found, indices.shape);
}

/** Rows of the data that tuples of indices along the last axis name: [tuples], of data seen as [rows][unit]. */
function tuplePlaces(n: OnnxNode, data: Tensor, indices: Tensor, batchDims: number) {
  const depth = indices.shape.at(-1) ?? 1;
  const named = data.shape.slice(batchDims, batchDims + depth);
  requireOption(n, named.length === depth, "indices", depth, `at most ${data.shape.length - batchDims} wide`);
  const tuples = elementsOf(indices.shape) / depth;
  const steps = stepsOf(named);
  const rows = n.b.reshape(indices, [tuples, depth]);
  const terms = named.map((size, k) => {
    const index = n.b.reshape(n.b.sliceAxis(rows, 1, k, k + 1), [tuples]);
    return binary(n.b, "MUL", fromFront(n.b, index, size), steps[k] ?? 1);
  });
  const batches = elementsOf(data.shape.slice(0, batchDims));
  const base = n.b.ints(countTo(tuples).map((i) => Math.floor(i / (tuples / batches)) * elementsOf(named)));
  const places = terms.reduce((sum, term) => binary(n.b, "ADD", sum, term), base);
  return { places, rows: batches * elementsOf(named), unit: elementsOf(data.shape.slice(batchDims + depth)) };
}

function gatherNd(n: OnnxNode): Tensor {
  const [x, indices] = [n.input(0), n.input(1)];
  const batchDims = n.attr.int("batch_dims", 0);
  const { places, rows, unit } = tuplePlaces(n, x, indices, batchDims);
  const found = n.b.emit(
    "GATHER",
    [n.b.reshape(x, [rows, unit]), places],
    { axis: 0, batchDims: 0 },
    { quant: x.quant },
  );
  const depth = indices.shape.at(-1) ?? 1;
  return n.b.reshape(found, [...indices.shape.slice(0, -1), ...x.shape.slice(batchDims + depth)]);
}

/** What becomes of an element and its update; sets of names agree but for "none". */
function reductionOf(n: OnnxNode): "none" | "add" | "mul" | "min" | "max" {
  const text = n.attr.text("reduction", "none");
  const known = (["none", "add", "mul", "min", "max"] as const).find((r) => r === text);
  requireOption(n, known !== undefined, "reduction", text, "none, add, mul, min or max");
  return known ?? "none";
}

function scatterElements(n: OnnxNode): Tensor {
  const [x, indices, updates] = [n.input(0), n.input(1), n.input(2)];
  const axis = axisOf(n, n.attr.int("axis", 0), x.shape.length);
  const flat = n.b.reshape(x, [elementsOf(x.shape), 1]);
  const values = n.b.reshape(updates, [elementsOf(updates.shape), 1]);
  const places = elementPlaces(n, x, indices, axis);
  const result = n.b.emit("SCATTER", [flat, places, values], { reduction: reductionOf(n) });
  return n.b.reshape(result, x.shape);
}

function scatterNd(n: OnnxNode): Tensor {
  const [x, indices, updates] = [n.input(0), n.input(1), n.input(2)];
  const { places, rows, unit } = tuplePlaces(n, x, indices, 0);
  const values = n.b.reshape(updates, [elementsOf(places.shape), unit]);
  const result = n.b.emit("SCATTER", [n.b.reshape(x, [rows, unit]), places, values], { reduction: reductionOf(n) });
  return n.b.reshape(result, x.shape);
}

/** The axis of classes is new; indices out of range have none. */
function oneHot(n: OnnxNode): Tensor {
  const [given, values] = [n.input(0), n.input(2)];
  const depth = n.constants(1, "depth")[0] ?? 1;
  const axis = axisOf(n, n.attr.int("axis", -1), given.shape.length + 1);
  const indices = castTo(n.b, given, "int32");
  const isHot = isIndex(n, fromFront(n.b, indices, depth), depth);
  const [off, on] = [0, 1].map((i) => n.b.reshape(n.b.sliceAxis(values, 0, i, i + 1), [])) as [Tensor, Tensor];
  const hot = select(n.b, isHot, on, off);
  const last = given.shape.length;
  const order = [...countTo(axis), last, ...countTo(last).slice(axis)];
  return n.b.transpose(hot, order);
}

/** Slices of the axis that a constant condition marks. */
function compress(n: OnnxNode): Tensor {
  const given = n.input(0);
  const isFlat = !n.attr.has("axis");
  const x = isFlat ? n.b.reshape(given, [elementsOf(given.shape)]) : given;
  const axis = axisOf(n, n.attr.int("axis", 0), x.shape.length);
  const kept = n.constants(1, "condition").flatMap((c, i) => (c !== 0 ? [i] : []));
  if (kept.length === 0) return n.b.constant(x.dtype, x.shape.with(axis, 0), [], x.quant);
  return n.b.emit("GATHER", [x, n.b.ints(kept)], { axis, batchDims: 0 }, { quant: x.quant });
}

/** Sequences of constant lengths, each reversed, by gathering vectors of steps and batches. */
function reverseSequence(n: OnnxNode): Tensor {
  const x = n.input(0);
  const lengths = n.constants(1, "sequence_lens");
  const isTimeFirst = n.attr.int("time_axis", 0) === 0;
  const [first = 1, second = 1] = x.shape;
  const places = countTo(first * second).map((i) => {
    const [row, column] = [Math.floor(i / second), i % second];
    const [time, batch] = isTimeFirst ? [row, column] : [column, row];
    const length = lengths[batch] ?? 0;
    const from = time < length ? length - 1 - time : time;
    return isTimeFirst ? from * second + batch : batch * second + from;
  });
  const flat = n.b.reshape(x, [first * second, elementsOf(x.shape.slice(2))]);
  const found = n.b.emit("GATHER", [flat, n.b.ints(places)], { axis: 0, batchDims: 0 }, { quant: x.quant });
  return n.b.reshape(found, x.shape);
}

export const indexing: readonly OnnxOperator[] = [
  operator({ name: "Gather", types: any, quantizable: "moves", takesSaturated: true, make: gather }),
  operator({ name: "GatherElements", types: any, quantizable: "moves", make: gatherElements }),
  operator({ name: "GatherND", types: any, quantizable: "moves", make: gatherNd }),
  operator({ name: "ScatterElements", types: number, make: scatterElements }),
  operator({ name: "Scatter", types: number, make: scatterElements }),
  operator({ name: "ScatterND", types: number, make: scatterNd }),
  operator({ name: "OneHot", types: number, limits: "depth must be a constant", make: oneHot }),
  operator({
    name: "Compress",
    types: any,
    quantizable: "moves",
    limits: "the condition must be a constant",
    make: compress,
  }),
  operator({
    name: "ReverseSequence",
    types: any,
    quantizable: "moves",
    limits: "lengths must be constants",
    make: reverseSequence,
  }),
];
