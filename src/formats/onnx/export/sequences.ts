import { fail } from "../../../base/diagnostics.js";
import { originName, type Tensor } from "../../../ir/graph.js";
import {
  outputIndex,
  type RecurrentAttrs,
  recurrentInputs as recurrentAt,
  recurrentSizes,
} from "../../../ops/common/recurrent-layer.js";
import { inputOf, optionalInput, outputOf } from "../../../ops/common/view.js";
import type { OpName } from "../../../ops/index.js";
import type { Lower } from "./context.js";

/** Gates lie in the order input, output, forget, cell in ONNX; input, forget, cell, output in TFLite. */
const gateOrder = [0, 3, 1, 2] as const;

/** State is not kept between runs: it starts as zeros. */
const lstm: Lower = (c, view) => {
  const { timeMajor, cellClip } = view.attrs as { readonly timeMajor: boolean; readonly cellClip: number };
  if (cellClip > 0)
    fail("TH1013", {
      where: [originName(view.origin)],
      found: `a cell limited to ${cellClip}`,
      fix: "leave cell_clip at 0: ONNX limits sums before the gates instead",
    });
  const [x, y] = [inputOf(view, 0), outputOf(view, 0)];
  const [units = 1] = inputOf(view, 1).shape;
  const joined = (first: number): string =>
    c.op(
      "Concat",
      gateOrder.map((g) => c.take(inputOf(view, first + g), first === 12 ? "0" : "01")),
      { axis: 0 },
    );
  const [weights, recurrent] = [joined(1), joined(5)].map((value, i) =>
    c.reshape(value, [1, 4 * units, i === 0 ? (x.shape[2] ?? 1) : units]),
  );
  const bias = c.op("Concat", [joined(12), c.floats([4 * units], new Array<number>(4 * units).fill(0))], { axis: 0 });
  const steps = timeMajor ? "012" : "102";
  const inputs = [c.take(x, steps), weights ?? "", recurrent ?? "", c.reshape(bias, [1, 8 * units])];
  const shape = [0, 1, 2].map((d) => y.shape[Number(steps[d])] ?? 1);
  c.give(y, steps, c.reshape(c.op("LSTM", inputs, { hidden_size: units }), shape));
};

/** A layer from the states given; the orders of gates are ONNX's own. */
const recurrent =
  (layer: "GRU" | "LSTM" | "RNN"): Lower =>
  (c, view) => {
    const attrs = view.attrs as RecurrentAttrs;
    const { steps, batch, units } = recurrentSizes(view);
    const rows = inputOf(view, recurrentAt.weights).shape[0] ?? 1;
    const order = attrs.timeMajor ? "012" : "102";
    const plain = (t: Tensor): string => c.take(t, t.shape.length === 1 ? "0" : "01");
    const directed = (index: number, shape: readonly number[]): string => {
      const t = optionalInput(view, index);
      return t === null ? "" : c.reshape(plain(t), [1, ...shape]);
    };
    const biases = [recurrentAt.bias, recurrentAt.recurrentBias].map((index) => {
      const t = optionalInput(view, index);
      return t === null ? c.floats([rows], new Array<number>(rows).fill(0)) : plain(t);
    });
    const [weights, past] = [inputOf(view, recurrentAt.weights), inputOf(view, recurrentAt.recurrent)];
    const inputs = [
      c.take(inputOf(view, recurrentAt.data), order),
      c.reshape(plain(weights), [1, ...weights.shape]),
      c.reshape(plain(past), [1, ...past.shape]),
      c.reshape(c.op("Concat", biases, { axis: 0 }), [1, 2 * rows]),
      "",
      directed(recurrentAt.hidden, [batch, units]),
      ...(layer === "LSTM"
        ? [directed(recurrentAt.cell, [batch, units]), directed(recurrentAt.peepholes, [3 * units])]
        : []),
    ];
    const values = c.writer.node(
      layer,
      inputs.slice(0, inputs.findLastIndex((name) => name !== "") + 1),
      {
        hidden_size: units,
        direction: attrs.reverse ? "reverse" : "forward",
        ...(attrs.clip > 0 ? { clip: { float: attrs.clip } } : {}),
        ...(layer === "GRU" ? { linear_before_reset: Number(attrs.linearBeforeReset) } : {}),
        ...(layer === "RNN" && attrs.activation === "RELU" ? { activations: { texts: ["Relu"] } } : {}),
      },
      { outputs: layer === "LSTM" ? 3 : 2 },
    );
    (["sequence", "hidden", "cell"] as const).forEach((output, i) => {
      const index = outputIndex(attrs, output);
      if (index < 0 || index >= view.outputs.length) return;
      const layout = output === "sequence" ? order : "01";
      const shape = output === "sequence" ? [steps, batch, units] : [batch, units];
      c.give(outputOf(view, index), layout, c.reshape(values[i] ?? "", shape));
    });
  };

/** Operators of sequences. */
export const sequenceLowerings = {
  UNIDIRECTIONAL_SEQUENCE_LSTM: lstm,
  GRU: recurrent("GRU"),
  LSTM: recurrent("LSTM"),
  RNN: recurrent("RNN"),
} as const satisfies Partial<Record<OpName, Lower>>;
