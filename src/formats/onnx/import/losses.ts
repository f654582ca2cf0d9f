import { elementsOf } from "../../../base/dtype.js";
import type { Tensor } from "../../../ir/graph.js";
import { binary, castTo, reduce, unary } from "./arithmetic.js";
import { float, type OnnxNode, type OnnxOperator, operator } from "./context.js";
import { isIndex } from "./shapes.js";

/**
 * The loss of log-probabilities [batch * places, classes] at the classes of `target`: every class's place is weighed by
 * whether it is the target's, so that targets out of range, and the ignored one, count nothing.
 */
function negativeLogLikelihood(n: OnnxNode, logs: Tensor, target: Tensor): Tensor {
  const { b } = n;
  const [batch = 1, classes = 1, ...space] = logs.shape;
  const places = elementsOf(space);
  const rows = b.reshape(b.transpose(b.reshape(logs, [batch, classes, places]), [0, 2, 1]), [batch * places, classes]);
  const labels = b.reshape(castTo(b, target, "int32"), [batch * places]);
  const isTarget = castTo(b, isIndex(n, labels, classes), "float32");
  const given = n.optional(2);
  const weighed = given === null ? isTarget : binary(b, "MUL", isTarget, given);
  const ignored = n.attr.int("ignore_index", null);
  const isKept = ignored === null ? null : castTo(b, binary(b, "NOT_EQUAL", labels, ignored), "float32");
  const weights = isKept === null ? weighed : binary(b, "MUL", weighed, b.reshape(isKept, [batch * places, 1]));
  const losses = unary(b, "NEG", reduce(b, "SUM", binary(b, "MUL", rows, weights), [1], "drop"));
  const reduction = n.attr.text("reduction", "mean");
  if (reduction === "none") return b.reshape(losses, [batch, ...space]);
  const sum = reduce(b, "SUM", losses, [0], "drop");
  if (reduction === "sum") return sum;
  return binary(b, "DIV", sum, reduce(b, "SUM", b.reshape(weights, [batch * places * classes]), [0], "drop"));
}

/** Log-probabilities along axis 1 from scores. */
function logProbabilities(n: OnnxNode, scores: Tensor): Tensor {
  const { b } = n;
  const [batch = 1, classes = 1, ...space] = scores.shape;
  const places = elementsOf(space);
  const last = b.transpose(b.reshape(scores, [batch, classes, places]), [0, 2, 1]);
  return b.reshape(b.transpose(b.emit("LOG_SOFTMAX", [last], {}), [0, 2, 1]), scores.shape);
}

export const losses: readonly OnnxOperator[] = [
  operator({
    name: "NegativeLogLikelihoodLoss",
    types: float,
    make: (n) => negativeLogLikelihood(n, n.input(0), n.input(1)),
  }),
  operator({
    name: "SoftmaxCrossEntropyLoss",
    types: float,
    make: (n) => {
      const logs = logProbabilities(n, n.input(0));
      return [negativeLogLikelihood(n, logs, n.input(1)), ...(n.wants(1) ? [logs] : [])];
    },
  }),
];
