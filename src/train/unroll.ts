import { present } from "../base/assert.js";
import type { Tensor } from "../ir/graph.js";
import { add, concat, mul, reshape, slice, unary } from "../ops/common/gradients.js";
import { emittedView, type GraphEmitter, graphEmitter } from "../ops/emitter.js";
import type { Graph, Node, OpName } from "../ops/index.js";

/** Replaces a node by others that compute its first output, which is returned. */
type Unroll = (e: GraphEmitter, node: Node) => Tensor;

/** Places of a recurrent operator's gates: input, forget, cell, output. */
const gates = [0, 1, 2, 3] as const;
const at = { weights: 1, recurrent: 5, bias: 12 } as const;

const dense = (e: GraphEmitter, x: Tensor, weights: Tensor, bias: Tensor | null): Tensor => {
  const inputs = bias === null ? [x, weights] : [x, weights, bias];
  return present(e.node("FULLY_CONNECTED", inputs, { activation: "NONE", keepNumDims: false })[0], "product");
};

/** x within [-limit, limit]. */
function limited(e: GraphEmitter, x: Tensor, limit: number): Tensor {
  const bound = (op: string, of: Tensor, value: number): Tensor =>
    present(e.node(op, [of, e.constant([], Float32Array.of(value))], {})[0], "bound");
  return bound("MAXIMUM", bound("MINIMUM", x, limit), -limit);
}

/** A long short-term memory from a state of zeros, a step after another; the weights' constants stay what they are. */
const lstm: Unroll = (e, node) => {
  const view = emittedView(e, node);
  const { timeMajor, cellClip } = node.attrs as { readonly timeMajor: boolean; readonly cellClip: number };
  const input = (index: number): Tensor => present(view.inputs[index], `input ${index}`);
  const x = input(0);
  const [first = 1, second = 1, depth = 1] = x.shape;
  const [batch, steps] = timeMajor ? [second, first] : [first, second];
  const units = input(at.weights).shape[0] ?? 1;
  const axis = timeMajor ? 0 : 1;
  // What the gates get from the input, of all steps at once.
  const fromInput = gates.map((g) => {
    const sums = dense(
      e,
      reshape(e, x, [batch * steps, depth]),
      input(at.weights + g),
      view.inputs[at.bias + g] ?? null,
    );
    return reshape(e, sums, [first, second, units]);
  });
  const stepShape = timeMajor ? [1, batch, units] : [batch, 1, units];
  const zeros = (): Tensor => e.constant([batch, units], new Float32Array(batch * units));
  let [hidden, cell] = [zeros(), zeros()];
  const outputs: Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    const begin = [0, 0, 0].with(axis, step);
    const sum = (g: number): Tensor => {
      const given = reshape(e, slice(e, present(fromInput[g], "gate"), begin, stepShape), [batch, units]);
      return add(e, given, dense(e, hidden, input(at.recurrent + g), null));
    };
    const [i, f, o] = [0, 1, 3].map((g) => unary(e, "LOGISTIC", sum(g))) as [Tensor, Tensor, Tensor];
    const next = add(e, mul(e, f, cell), mul(e, i, unary(e, "TANH", sum(2))));
    cell = cellClip > 0 ? limited(e, next, cellClip) : next;
    hidden = mul(e, o, unary(e, "TANH", cell));
    outputs.push(reshape(e, hidden, stepShape));
  }
  return concat(e, outputs, axis);
};

/** Operators with state, which training computes a step after another. */
const unrolled: Readonly<Partial<Record<OpName, Unroll>>> = { UNIDIRECTIONAL_SEQUENCE_LSTM: lstm };

/** A graph without operators of sequences: each is what it computes from a state of zeros, in operators that have gradients. */
export function unrollSequences(graph: Graph): Graph {
  if (!graph.nodes.some((n) => unrolled[n.op])) return graph;
  const e = graphEmitter(graph);
  for (const node of graph.nodes) {
    const unroll = unrolled[node.op];
    if (unroll === undefined) {
      e.append([node], []);
      continue;
    }
    e.from(node.origin, () => {
      const y = unroll(e, node);
      const output = present(e.tensors().get(present(node.outputs[0], "output")), "output");
      // A copy, so that it has the id which later nodes read.
      const copy = present(e.node("RESHAPE", [y], { shape: y.shape })[0], "copy");
      e.rename(copy.id, output.id);
    });
  }
  return { ...graph, tensors: e.tensors(), nodes: e.nodes() };
}
