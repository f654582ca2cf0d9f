import { elementsOf } from "../../../base/dtype.js";
import type { Quantization, Tensor } from "../../../ir/graph.js";
import { binary, countTo, noActivation, reduce } from "./arithmetic.js";
import { float, type OnnxNode, type OnnxOperator, operator, requireOption } from "./context.js";
import { biasOf } from "./convolution.js";

/** Data times the transposed weights [units, depth], with a bias; leading axes stay. */
export function dense(
  n: OnnxNode,
  x: Tensor,
  weights: Tensor,
  bias: Tensor | null,
  quant: Quantization | null,
): Tensor {
  const inputs = [x, weights, ...(bias ? [biasOf(n.b, bias, x, weights)] : [])];
  return n.b.emit("FULLY_CONNECTED", inputs, { keepNumDims: true, ...noActivation }, { quant });
}

/** A matrix product by numpy's rules: constants are weights, vectors become matrices of one row or column. */
export function matMul(n: OnnxNode, left: Tensor, right: Tensor, quant: Quantization | null): Tensor {
  const { b } = n;
  const [isRow, isColumn] = [left.shape.length === 1, right.shape.length === 1];
  const a = isRow ? b.reshape(left, [1, left.shape[0] ?? 1]) : left;
  const m = isColumn ? b.reshape(right, [right.shape[0] ?? 1, 1]) : right;
  const isDense = m.data !== null && m.shape.length === 2;
  const depth = m.shape.at(-2);
  requireOption(n, a.shape.at(-1) === depth, "inner sizes", `${a.shape.at(-1)} and ${depth}`, "equal");
  const product = isDense ? dense(n, a, b.transpose(m, [1, 0]), null, quant) : batched(n, a, m, quant);
  const shape = product.shape.filter(
    (_, d) => !((isRow && d === product.shape.length - 2) || (isColumn && d === product.shape.length - 1)),
  );
  return b.reshape(product, shape);
}

/** A product of computed matrices; leading axes beyond three are one where both have the same. */
function batched(n: OnnxNode, a: Tensor, m: Tensor, quant: Quantization | null): Tensor {
  const attrs = { adjX: false, adjY: false };
  const lead = (t: Tensor): readonly number[] => t.shape.slice(0, -2);
  const same = lead(a).length === lead(m).length && lead(a).every((s, d) => s === lead(m)[d]);
  if (!same || lead(a).length < 2) return n.b.emit("BATCH_MATMUL", [a, m], attrs, { quant });
  const flat = (t: Tensor): Tensor => n.b.reshape(t, [elementsOf(lead(t)), ...t.shape.slice(-2)]);
  const product = n.b.emit("BATCH_MATMUL", [flat(a), flat(m)], attrs, { quant });
  return n.b.reshape(product, [...lead(a), ...product.shape.slice(-2)]);
}

/** A bias that a layer adds for each unit: a vector, or one number for all; null for any other shape. */
function vectorBias(n: OnnxNode, bias: Tensor | null, units: number): Tensor | null {
  if (bias === null || bias.data === null) return null;
  const size = elementsOf(bias.shape);
  if (size === units && bias.shape.at(-1) === units) return n.b.reshape(bias, [units]);
  return size === 1 && bias.dtype === "float32"
    ? n.b.emit("BROADCAST_TO", [n.b.reshape(bias, [1]), n.b.ints([units])])
    : null;
}

function gemm(n: OnnxNode): Tensor {
  const { b } = n;
  const [alpha, beta] = [n.attr.float("alpha", 1), n.attr.float("beta", 1)];
  const scaled = (t: Tensor, by: number): Tensor =>
    by === 1 ? t : t.quant === null ? binary(b, "MUL", t, by) : b.giveUp();
  const given = n.optional(2);
  const a = n.attr.int("transA", 0) === 1 ? b.transpose(n.input(0), [1, 0]) : n.input(0);
  const right = n.input(1);
  const bias = given === null || beta === 0 ? null : scaled(given, beta);
  const isTransposed = n.attr.int("transB", 0) === 1;
  const weights = scaled(isTransposed ? right : b.transpose(right, [1, 0]), alpha);
  const vector = vectorBias(n, bias, weights.shape[0] ?? 1);
  // Old operator sets let data of more than two axes through, flattened.
  const data = a.shape.length > 2 ? b.reshape(a, [a.shape[0] ?? 1, elementsOf(a.shape.slice(1))]) : a;
  const rest = vector === null && bias !== null;
  if (rest && n.quant !== null) b.giveUp();
  const product =
    weights.data !== null
      ? dense(n, data, weights, vector, n.quant)
      : b.emit("BATCH_MATMUL", [data, weights], { adjX: false, adjY: true }, { quant: n.quant });
  const isLeft = weights.data === null ? bias : rest ? bias : null;
  return isLeft === null ? product : binary(b, "ADD", product, isLeft);
}

/** One operand of an einsum with each letter once, in the order given; a repeated letter takes the diagonal. */
function arranged(n: OnnxNode, t: Tensor, letters: string): { readonly tensor: Tensor; readonly letters: string } {
  const repeated = [...letters].findIndex((l, i) => letters.indexOf(l) < i);
  if (repeated < 0) return { tensor: t, letters };
  const first = letters.indexOf(letters[repeated] ?? "");
  const rank = letters.length;
  const order = [...countTo(rank).filter((d) => d !== first && d !== repeated), first, repeated];
  const moved = n.b.transpose(t, order);
  const size = t.shape[first] ?? 1;
  const flat = n.b.reshape(moved, [...moved.shape.slice(0, -2), size * size]);
  const diagonal = n.b.ints(countTo(size).map((i) => i * (size + 1)));
  const taken = n.b.emit("GATHER", [flat, diagonal], { axis: rank - 2, batchDims: 0 });
  return arranged(
    n,
    taken,
    order
      .slice(0, -1)
      .map((d) => letters[d])
      .join(""),
  );
}

/** `...` spelled out in letters that the equation does not use; an output that is not stated is all single letters, sorted. */
function equationOf(n: OnnxNode, operands: readonly Tensor[]) {
  const [left = "", given] = n.attr.text("equation", "").replaceAll(" ", "").split("->");
  const most = Math.max(
    0,
    ...left
      .split(",")
      .map((term, i) => (term.includes("...") ? (operands[i]?.shape.length ?? 0) - term.length + 3 : 0)),
  );
  const spare = countTo(most).map((i) => String.fromCharCode(0x100 + i));
  const spell = (term: string, rank: number): string =>
    term.replace("...", spare.slice(most - (rank - term.length + 3)).join(""));
  const inputs = left.split(",").map((term, i) => spell(term, operands[i]?.shape.length ?? 0));
  const all = inputs.join("");
  const single = [...new Set(all)].filter((l) => all.split(l).length === 2 && !spare.includes(l)).sort();
  const output = given === undefined ? [...spare, ...single].join("") : given.replace("...", spare.join(""));
  const fits = inputs.length === operands.length && inputs.every((t, i) => t.length === operands[i]?.shape.length);
  requireOption(
    n,
    fits && [...output].every((l) => all.includes(l)),
    "equation",
    n.attr.text("equation", ""),
    "one that fits its operands",
  );
  return { inputs, output };
}

/** Sums over the letters that nothing else names. */
function summedOut(n: OnnxNode, t: Tensor, letters: string, kept: string) {
  const axes = [...letters].flatMap((l, d) => (kept.includes(l) ? [] : [d]));
  const tensor = axes.length === 0 ? t : reduce(n.b, "SUM", t, axes, "drop");
  return { tensor, letters: [...letters].filter((l) => kept.includes(l)).join("") };
}

/** Two operands as a product of matrices for each common letter that is kept. */
function contracted(
  n: OnnxNode,
  x: { tensor: Tensor; letters: string },
  y: { tensor: Tensor; letters: string },
  kept: string,
) {
  const { b } = n;
  const only = (from: string, test: (l: string) => boolean): string => [...from].filter(test).join("");
  const batch = only(x.letters, (l) => y.letters.includes(l) && kept.includes(l));
  const inner = only(x.letters, (l) => y.letters.includes(l) && !kept.includes(l));
  const left = only(x.letters, (l) => !y.letters.includes(l));
  const right = only(y.letters, (l) => !x.letters.includes(l));
  const size = (letter: string): number =>
    x.tensor.shape[x.letters.indexOf(letter)] ?? y.tensor.shape[y.letters.indexOf(letter)] ?? 1;
  const sizes = (letters: string): readonly number[] => [...letters].map(size);
  const matrix = (t: { tensor: Tensor; letters: string }, rows: string, columns: string): Tensor => {
    const order = [...batch, ...rows, ...columns].map((l) => t.letters.indexOf(l));
    return b.reshape(b.transpose(t.tensor, order), [
      elementsOf(sizes(batch)),
      elementsOf(sizes(rows)),
      elementsOf(sizes(columns)),
    ]);
  };
  const product = b.emit("BATCH_MATMUL", [matrix(x, left, inner), matrix(y, inner, right)], {
    adjX: false,
    adjY: false,
  });
  return { tensor: b.reshape(product, sizes(batch + left + right)), letters: batch + left + right };
}

function einsum(n: OnnxNode): Tensor {
  const operands = Array.from({ length: n.inputCount }, (_, i) => n.input(i));
  const { inputs, output } = equationOf(n, operands);
  const terms = operands.map((t, i) => arranged(n, t, inputs[i] ?? ""));
  const later = (i: number): string =>
    output +
    terms
      .slice(i + 1)
      .map((t) => t.letters)
      .join("");
  const first = terms[0] ?? n.b.giveUp();
  const start = summedOut(n, first.tensor, first.letters, later(0));
  const joined = terms.slice(1).reduce((x, term, i) => {
    const y = summedOut(n, term.tensor, term.letters, x.letters + later(i + 1));
    return contracted(n, summedOut(n, x.tensor, x.letters, y.letters + later(i + 1)), y, later(i + 1));
  }, start);
  const last = summedOut(n, joined.tensor, joined.letters, output);
  return n.b.transpose(
    last.tensor,
    [...output].map((l) => last.letters.indexOf(l)),
  );
}

export const linear: readonly OnnxOperator[] = [
  operator({ name: "Gemm", types: float, quantizable: "computes", make: gemm }),
  operator({
    name: "MatMul",
    types: float,
    quantizable: "computes",
    make: (n) => matMul(n, n.input(0), n.input(1), n.quant),
  }),
  operator({ name: "Einsum", types: float, make: einsum }),
];
