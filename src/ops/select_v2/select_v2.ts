import { bytesOf, type DType } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { broadcastShape, broadcastSteps, maxBroadcastRank } from "../common/broadcast.js";
import { checkSameQuantization, checkShape } from "../common/checks.js";
import { elementCost } from "../common/cost.js";
import { only, sumTo, zerosLike } from "../common/gradients.js";
import { movedQuant } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { broadcastRows } from "../common/rows.js";
import { inputOf, outputOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, noTraits, type Report, type Sample } from "../spec.js";

/** The common shape of condition and both values, or null. */
function commonShape(view: NodeView<Empty>): readonly number[] | null {
  const [condition, a, b] = [0, 1, 2].map((i) => inputOf(view, i).shape) as [number[], number[], number[]];
  const values = broadcastShape(a, b);
  return values && broadcastShape(condition, values);
}

/** Sizes of the output and steps through the inputs, with outer dimensions of size 1 up to six. */
function loops(view: NodeView<Empty>) {
  const { shape } = outputOf(view, 0);
  const outer = (n: number): number[] => new Array<number>(maxBroadcastRank - shape.length).fill(n);
  const steps = [0, 1, 2].map((i) => [...outer(0), ...broadcastSteps(inputOf(view, i).shape, shape)]);
  return { sizes: [...outer(1), ...shape], steps };
}

function selectReference(view: ExecView<Empty>): void {
  const { sizes, steps } = loops(view);
  const [condition, a, b] = view.in as readonly Int32Array[];
  const out = view.out[0] as Int32Array;
  let to = 0;
  const walk = (d: number, at: readonly number[]): void => {
    const [c = 0, x = 0, y = 0] = at;
    if (d === sizes.length) out[to++] = (condition?.[c] ? a?.[x] : b?.[y]) as number;
    for (let i = 0; d < sizes.length && i < (sizes[d] ?? 0); i++) {
      walk(
        d + 1,
        at.map((p, k) => p + i * (steps[k]?.[d] ?? 0)),
      );
    }
  };
  walk(0, [0, 0, 0]);
}

const kernel = (dtype: DType): Kernel<Empty> => ({
  name: `portable ${dtype}`,
  form: "slice",
  types: { inputs: ["bool", dtype, dtype], outputs: [dtype] },
  call: (view) => {
    const { sizes, steps } = loops(view);
    const [step0 = [], step1 = [], step2 = []] = steps;
    return {
      source: "ops/select_v2/select_v2.h",
      symbol: `th_select_${8 * bytesOf(dtype, 1)}`,
      params: { type: "th_select_params", fields: { size: sizes, step0, step1, step2 } },
      args: [
        { kind: "input", index: 0 },
        { kind: "input", index: 1 },
        { kind: "input", index: 2 },
        { kind: "output", index: 0 },
      ],
      scratchBytes: 0,
    };
  },
});

function sample(name: string, dtype: DType, shapes: readonly (readonly number[])[]): Sample<Empty> {
  const quant = dtype === "int8" ? { quant: perTensor(0.1, 3) } : dtype === "int16" ? { quant: perTensor(0.01) } : {};
  const [condition = [], a = [], b = []] = shapes;
  const values = [a, b].map((shape) => ({
    shape,
    dtype,
    ...quant,
    ...(dtype === "bool" ? { range: [0, 1] as const } : {}),
  }));
  return {
    name,
    attrs: {},
    inputs: [{ shape: condition, dtype: "bool", range: [0, 1] }, ...values],
    outputs: [{ dtype, ...quant }],
  };
}

export const selectV2 = defineOp<"SELECT_V2", Empty>({
  name: "SELECT_V2",
  summary: "Elements of one tensor where a condition holds, else of another; with broadcasting",
  arity: { inputs: [3, 3], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, elementwise: true, inPlace: [1, 2], rows: broadcastRows },
  tflite: emptyBinding(123, 2, 98),
  infer: (view: NodeView<Empty>, report: Report) => {
    const [a, b] = [inputOf(view, 1), inputOf(view, 2)];
    const shape = commonShape(view);
    const fits = shape !== null && shape.length <= maxBroadcastRank;
    if (!checkShape(b, fits, `shapes of at most ${maxBroadcastRank} dimensions that broadcast`, report) || !shape)
      return null;
    if (movedQuant(a) !== "free" && !checkSameQuantization(a, b, report)) return null;
    return [{ shape, dtype: a.dtype, quant: movedQuant(a) }];
  },
  reference: selectReference,
  gradient: (view, upstream, e) => {
    const [condition, a, b] = [inputOf(view, 0), inputOf(view, 1), inputOf(view, 2)];
    const dy = only(upstream);
    const none = zerosLike(e, dy);
    const type = [{ shape: dy.shape, dtype: dy.dtype, quant: null }];
    const [da] = e.node("SELECT_V2", [condition, dy, none], {}, type);
    const [db] = e.node("SELECT_V2", [condition, none, dy], {}, type);
    return [null, da ? sumTo(e, da, a.shape) : null, db ? sumTo(e, db, b.shape) : null];
  },
  ranges: "none",
  channels: "none",
  cost: elementCost(1),
  kernels: (["float32", "int32", "int8", "int16", "bool"] as const).map(kernel),
  samples: [
    sample("float32", "float32", [
      [1, 3, 4, 5],
      [1, 3, 4, 5],
      [1, 3, 4, 5],
    ]),
    sample("int32, broadcast", "int32", [[3, 1], [], [4]]),
    sample("int8", "int8", [[1, 3, 4, 1], [1, 3, 4, 5], [5]]),
    sample("int16", "int16", [[1, 2, 3], [1, 2, 3], [3]]),
    sample("bool, six dimensions", "bool", [
      [2, 1, 2, 1, 2, 1],
      [2, 1, 2, 1, 2],
      [1, 2, 1, 2, 1, 2],
    ]),
  ],
});
