import { elementsOf } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import {
  defineOp,
  type ExecView,
  type Kernel,
  type KernelArg,
  noTraits,
  type OpSpec,
  type Report,
  type Sample,
} from "../spec.js";
import { checkOption, checkRank, checkShape } from "./checks.js";
import { inputOf, optionalInput, sizeAt } from "./view.js";

export interface RecurrentAttrs {
  /** From the last step to the first. */
  readonly reverse: boolean;
  /** Limit of the magnitude of what goes into an activation; 0 for none. */
  readonly clip: number;
  /** GRU: the reset gate scales the candidate's recurrent sum, as in cuDNN and Keras, not the state before it. */
  readonly linearBeforeReset: boolean;
  /** RNN: what makes the state of the sum. */
  readonly activation: "TANH" | "RELU";
}

/** Inputs: data [steps, batch, inputs], weights, biases of both products one after the other, states, peepholes. */
export const recurrentInputs = {
  data: 0,
  weights: 1,
  recurrent: 2,
  bias: 3,
  hidden: 4,
  cell: 5,
  peepholes: 6,
} as const;
const at = recurrentInputs;

export type RecurrentKind = "lstm" | "gru" | "rnn";

/** Gates, as ONNX orders them: input, output, forget, cell; update, reset, hidden; the state itself. */
const gateCount = { lstm: 4, gru: 3, rnn: 1 } as const;

function sizesOf(view: NodeView<RecurrentAttrs>) {
  const { shape } = inputOf(view, at.data);
  return {
    steps: sizeAt(shape, 0),
    batch: sizeAt(shape, 1),
    inputs: sizeAt(shape, 2),
    units: sizeAt(inputOf(view, at.recurrent).shape, 1),
  };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Everything a step of one sequence needs: sums over the input, sums over a state, biases and peepholes by index. */
interface StepInput {
  readonly units: number;
  readonly attrs: RecurrentAttrs;
  /** Row of the weights times the input, with its bias. */
  readonly given: (row: number) => number;
  /** Row of the recurrent weights times a state, with its bias. */
  readonly recurrent: (row: number, state: ArrayLike<number>) => number;
  readonly peephole: (index: number) => number;
  readonly clip: (x: number) => number;
}

/** A step of one sequence: from the states before it to those after. */
type Step = (
  s: StepInput,
  hidden: readonly number[],
  cell: readonly number[],
) => readonly [hidden: number[], cell: number[]];

const each = (n: number, of: (u: number) => number): number[] => Array.from({ length: n }, (_, u) => of(u));

/** Source: the definitions of LSTM, GRU and RNN in ONNX's Operators.md, with its default activations. */
const steps: Record<RecurrentKind, Step> = {
  lstm: (s, hidden, cell) => {
    const n = s.units;
    const sum = (gate: number, u: number): number => s.given(gate * n + u) + s.recurrent(gate * n + u, hidden);
    const next = each(n, (u) => {
      const input = sigmoid(s.clip(sum(0, u) + s.peephole(u) * (cell[u] ?? 0)));
      const forget = sigmoid(s.clip(sum(2, u) + s.peephole(2 * n + u) * (cell[u] ?? 0)));
      return forget * (cell[u] ?? 0) + input * Math.tanh(s.clip(sum(3, u)));
    });
    const output = (u: number): number => sigmoid(s.clip(sum(1, u) + s.peephole(n + u) * (next[u] ?? 0)));
    return [each(n, (u) => output(u) * Math.tanh(next[u] ?? 0)), next];
  },
  gru: (s, hidden, cell) => {
    const n = s.units;
    const gate = (g: number): number[] =>
      each(n, (u) => sigmoid(s.clip(s.given(g * n + u) + s.recurrent(g * n + u, hidden))));
    const [update, reset] = [gate(0), gate(1)];
    const scaled = hidden.map((h, u) => h * (reset[u] ?? 0));
    const candidate = each(n, (u) => {
      const row = 2 * n + u;
      const past = s.attrs.linearBeforeReset ? (reset[u] ?? 0) * s.recurrent(row, hidden) : s.recurrent(row, scaled);
      return Math.tanh(s.clip(s.given(row) + past));
    });
    return [
      each(n, (u) => (1 - (update[u] ?? 0)) * (candidate[u] ?? 0) + (update[u] ?? 0) * (hidden[u] ?? 0)),
      [...cell],
    ];
  },
  rnn: (s, hidden, cell) => [
    each(s.units, (u) => {
      const sum = s.clip(s.given(u) + s.recurrent(u, hidden));
      return s.attrs.activation === "RELU" ? Math.max(sum, 0) : Math.tanh(sum);
    }),
    [...cell],
  ],
};

function reference(kind: RecurrentKind, view: ExecView<RecurrentAttrs>): void {
  const { steps: count, batch, inputs, units } = sizesOf(view);
  const [data, weights, recurrent, bias, hidden0, cell0, peepholes] = view.in as readonly (Float32Array | null)[];
  const [out, lastHidden, lastCell] = view.out as readonly Float32Array[];
  const rows = gateCount[kind] * units;
  const { clip: limit, reverse } = view.attrs;
  const initial = (state: Float32Array | null | undefined, n: number): number[] =>
    each(units, (u) => state?.[n * units + u] ?? 0);
  for (let n = 0; n < batch; n++) {
    let states: readonly [number[], number[]] = [initial(hidden0, n), initial(cell0, n)];
    for (let k = 0; k < count; k++) {
      const vector = (reverse ? count - 1 - k : k) * batch + n;
      const dot = (
        w: Float32Array | null | undefined,
        row: number,
        length: number,
        of: (i: number) => number,
      ): number => {
        let sum = 0;
        for (let i = 0; i < length; i++) sum += (w?.[row * length + i] as number) * of(i);
        return sum;
      };
      const input: StepInput = {
        units,
        attrs: view.attrs,
        given: (row) => (bias?.[row] ?? 0) + dot(weights, row, inputs, (i) => data?.[vector * inputs + i] as number),
        recurrent: (row, state) => (bias?.[rows + row] ?? 0) + dot(recurrent, row, units, (i) => state[i] as number),
        peephole: (index) => peepholes?.[index] ?? 0,
        clip: (x) => (limit > 0 ? Math.min(Math.max(x, -limit), limit) : x),
      };
      // States are floats from step to step, as in the kernels.
      const [hidden, cell] = steps[kind](input, ...states);
      states = [hidden.map(Math.fround), cell.map(Math.fround)];
      out?.set(states[0], vector * units);
    }
    lastHidden?.set(states[0], n * units);
    lastCell?.set(states[1], n * units);
  }
}

function infer(kind: RecurrentKind, view: NodeView<RecurrentAttrs>, report: Report) {
  const [data, recurrent] = [inputOf(view, at.data), inputOf(view, at.recurrent)];
  if (!checkRank(data, [3], report) || !checkRank(recurrent, [2], report)) return null;
  const { steps: count, batch, inputs, units } = sizesOf(view);
  const rows = gateCount[kind] * units;
  const expected: readonly (readonly number[])[] = [
    data.shape,
    [rows, inputs],
    [rows, units],
    [2 * rows],
    [batch, units],
    [batch, units],
    [3 * units],
  ];
  const fit = view.inputs.every((tensor, i) => {
    const shape = expected[i] ?? [];
    const same =
      tensor === null || (tensor.shape.length === shape.length && shape.every((n, d) => n === tensor.shape[d]));
    return tensor === null || checkShape(tensor, same, `[${shape.join(", ")}]`, report);
  });
  const { clip } = view.attrs;
  if (!fit || !checkOption(Number.isFinite(clip) && clip >= 0, "clip", clip, "at least 0", report)) return null;
  const state = { shape: [batch, units], dtype: "float32", quant: null } as const;
  return [{ ...state, shape: [count, batch, units] }, state, ...(kind === "lstm" ? [state] : [])];
}

function kernel(kind: RecurrentKind): Kernel<RecurrentAttrs> {
  const inputs = new Array<"float32">(7).fill("float32");
  const given = (view: NodeView<RecurrentAttrs>, index: number): KernelArg =>
    optionalInput(view, index) === null ? { kind: "null" } : { kind: "input", index };
  return {
    name: "portable f32",
    form: "whole",
    types: { inputs, outputs: ["float32", "float32", "float32"] },
    call: (view) => {
      const { reverse, clip, linearBeforeReset, activation } = view.attrs;
      const sizes = sizesOf(view);
      const options = {
        lstm: {},
        gru: { linear_before_reset: Number(linearBeforeReset) },
        rnn: { relu: Number(activation === "RELU") },
      };
      return {
        source: "ops/common/recurrent_f32.h",
        symbol: `th_recurrent_${kind}_f32`,
        params: {
          type: "th_recurrent_params",
          fields: { ...sizes, reverse: Number(reverse), clip: { float: clip }, ...options[kind] },
        },
        args: [
          ...[at.data, at.weights, at.recurrent].map((index): KernelArg => ({ kind: "input", index })),
          given(view, at.bias),
          given(view, at.hidden),
          ...(kind === "lstm" ? [given(view, at.cell), given(view, at.peepholes)] : []),
          { kind: "scratch" },
          { kind: "output", index: 0 },
          { kind: "output", index: 1 },
          ...(kind === "lstm" ? [{ kind: "output", index: 2 } as const] : []),
        ],
        scratchBytes: 16 * sizes.units,
      };
    },
  };
}

const plain: RecurrentAttrs = { reverse: false, clip: 0, linearBeforeReset: false, activation: "TANH" };

function samples(kind: RecurrentKind): readonly Sample<RecurrentAttrs>[] {
  const [count, batch, inputs, units] = [4, 2, 3, 5];
  const rows = gateCount[kind] * units;
  const tensor = (shape: readonly number[], constant?: "random") => ({
    shape,
    dtype: "float32" as const,
    ...(constant ? { constant } : {}),
  });
  const base = [tensor([count, batch, inputs]), tensor([rows, inputs], "random"), tensor([rows, units], "random")];
  const output = { dtype: "float32" } as const;
  const sample = (
    name: string,
    attrs: RecurrentAttrs,
    more: Sample<RecurrentAttrs>["inputs"],
  ): Sample<RecurrentAttrs> => ({
    name,
    attrs,
    inputs: [...base, ...more],
    outputs: kind === "lstm" ? [output, output, output] : [output, output],
  });
  const bias = tensor([2 * rows], "random");
  const state = tensor([batch, units]);
  const variant = { lstm: {}, gru: { linearBeforeReset: true }, rnn: { activation: "RELU" as const } }[kind];
  return [
    sample("no bias", plain, []),
    sample("bias", { ...plain, ...variant }, [bias]),
    sample("reverse, clipped, initial state", { ...plain, reverse: true, clip: 0.7 }, [
      bias,
      state,
      ...(kind === "lstm" ? [state, tensor([3 * units], "random")] : []),
    ]),
  ];
}

/** The record of a recurrent layer: all its steps, from states that are zero unless given. */
export const defineRecurrent = <const Name extends string>(
  name: Name,
  kind: RecurrentKind,
  summary: string,
): OpSpec<Name, RecurrentAttrs> =>
  defineOp<Name, RecurrentAttrs>({
    name,
    summary,
    arity: { inputs: [3, kind === "lstm" ? 7 : 5], outputs: kind === "lstm" ? [3, 3] : [2, 2] },
    optionalInputs: [at.bias, at.hidden, at.cell, at.peepholes],
    traits: noTraits,
    tflite: "none",
    infer: (view, report) => infer(kind, view, report),
    reference: (view) => reference(kind, view),
    gradient: "not needed yet",
    ranges: "none",
    channels: "none",
    cost: (view) => {
      const { steps: count, batch, inputs, units } = sizesOf(view);
      const sums = count * batch * gateCount[kind] * units;
      return { macs: sums * (inputs + units), operations: 2 * sums + elementsOf([count, batch, units]) };
    },
    kernels: [kernel(kind)],
    samples: samples(kind),
  });
