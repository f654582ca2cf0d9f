import type { Tensor } from "../ir/graph.js";
import type { Activation } from "../ops/common/activation.js";
import type { Node, OpName } from "../ops/index.js";
import type { Pass } from "./pass.js";
import { type Neighbourhood, type Rule, rewriteToFixpoint } from "./rewrite.js";

/** The value of a float constant of one element; null for any other tensor. */
const scalarOf = (tensor: Tensor | null | undefined): number | null =>
  tensor?.dtype === "float32" && tensor.data?.length === 1 ? Number(tensor.data[0]) : null;

const near = (x: number | null, to: number): boolean => x !== null && Math.abs(x - to) <= 1e-4 * Math.abs(to);

/** The node that computes a tensor, if it is of that operator, with its inputs. */
function made(tensor: Tensor | undefined, op: OpName, around: Neighbourhood) {
  const node = tensor && around.producer(tensor.id);
  return node?.op === op ? { node, inputs: around.view(node).inputs } : null;
}

const activationOf = (node: Node): Activation | undefined =>
  (node.attrs as { readonly activation?: Activation }).activation;

/** An operand and the number that is combined with it, of an operator that commutes. */
function withNumber(tensor: Tensor | undefined, op: "ADD" | "MUL", around: Neighbourhood) {
  const found = made(tensor, op, around);
  const [left, right] = found?.inputs ?? [];
  const number = scalarOf(right) ?? scalarOf(left);
  const operand = scalarOf(right) === null ? right : left;
  return found && number !== null && operand ? { node: found.node, operand, number } : null;
}

/** x times a number, or divided by one. */
function scaled(
  tensor: Tensor | undefined,
  around: Neighbourhood,
): { readonly operand: Tensor; readonly number: number } | null {
  const product = withNumber(tensor, "MUL", around);
  if (product && activationOf(product.node) === "NONE") return product;
  const quotient = made(tensor, "DIV", around);
  const [operand, divisor] = quotient?.inputs ?? [];
  const number = scalarOf(divisor);
  return quotient && operand && number !== null && activationOf(quotient.node) === "NONE"
    ? { operand, number: 1 / number }
    : null;
}

/** The factors of a product, numbers multiplied together. */
function factorsOf(
  tensor: Tensor,
  around: Neighbourhood,
  depth = 0,
): { readonly tensors: readonly Tensor[]; readonly number: number } {
  const one = { tensors: [tensor], number: 1 };
  if (depth > 3) return one;
  const by = scaled(tensor, around);
  if (by) {
    const inner = factorsOf(by.operand, around, depth + 1);
    return { tensors: inner.tensors, number: inner.number * by.number };
  }
  const product = made(tensor, "MUL", around);
  const [left, right] = product?.inputs ?? [];
  if (!product || !left || !right || activationOf(product.node) !== "NONE") return one;
  const [a, b] = [factorsOf(left, around, depth + 1), factorsOf(right, around, depth + 1)];
  return { tensors: [...a.tensors, ...b.tensors], number: a.number * b.number };
}

/** clip(x + 3, 0, 6), by RELU6 or as an activation: x. */
function clippedLine(tensor: Tensor, around: Neighbourhood): Tensor | null {
  const clip = made(tensor, "RELU6", around);
  const sum = withNumber(clip ? (clip.inputs[0] ?? undefined) : tensor, "ADD", around);
  const isClipped = sum && activationOf(sum.node) === (clip ? "NONE" : "RELU6");
  return isClipped && near(sum.number, 3) ? sum.operand : null;
}

/** clip(x / 6 + 1/2, 0, 1), by MINIMUM and MAXIMUM: x. */
function hardSigmoid(tensor: Tensor, around: Neighbourhood): Tensor | null {
  const [below, zero] = made(tensor, "MAXIMUM", around)?.inputs ?? [];
  const [line, one] = made(below ?? undefined, "MINIMUM", around)?.inputs ?? [];
  const sum = withNumber(line ?? undefined, "ADD", around);
  const slope = sum && scaled(sum.operand, around);
  return scalarOf(zero) === 0 &&
    scalarOf(one) === 1 &&
    near(sum?.number ?? null, 0.5) &&
    near(slope?.number ?? null, 1 / 6)
    ? (slope?.operand ?? null)
    : null;
}

/** 1 + erf(x / sqrt(2)): x. */
function normalDistribution(tensor: Tensor, around: Neighbourhood): Tensor | null {
  const sum = withNumber(tensor, "ADD", around);
  const [inner] = made(sum?.operand, "ERF", around)?.inputs ?? [];
  const half = scaled(inner ?? undefined, around);
  const isPlain = sum && activationOf(sum.node) === "NONE" && sum.number === 1;
  return isPlain && near(half?.number ?? null, Math.SQRT1_2) ? (half?.operand ?? null) : null;
}

/** Products of x, a function of x and a number that are one operator. */
const products = [
  { op: "HARD_SWISH", attrs: {}, number: 1 / 6, other: clippedLine },
  { op: "HARD_SWISH", attrs: {}, number: 1, other: hardSigmoid },
  { op: "GELU", attrs: { approximate: false }, number: 0.5, other: normalDistribution },
] as const;

const nameProducts: Rule = {
  name: "give functions written with several operators their name",
  apply: (node, around) => {
    if ((node.op !== "MUL" && node.op !== "DIV") || activationOf(node) !== "NONE") return null;
    const [output] = around.view(node).outputs;
    if (output?.dtype !== "float32") return null;
    const { tensors, number } = factorsOf(output, around);
    const [first, second] = tensors;
    if (tensors.length !== 2 || !first || !second) return null;
    for (const pattern of products) {
      const x = [first, second].find((t, i) => pattern.other(i === 0 ? second : first, around)?.id === t.id);
      if (x === undefined || !near(number, pattern.number)) continue;
      const named = { ...node, op: pattern.op, attrs: pattern.attrs, inputs: [x.id] } as Node;
      return { nodes: new Map<Node, Node>([[node, named]]) };
    }
    return null;
  },
};

/** HARD_SWISH and GELU, which exporters write with several operators, as the operators that they are. */
export const nameFunctions: Pass = {
  name: "name functions",
  run: (graph) => rewriteToFixpoint(graph, [nameProducts]),
};
