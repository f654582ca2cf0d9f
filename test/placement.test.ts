import { describe, expect, it } from "vitest";
import { elementsOf } from "../src/base/dtype.js";
import type { TensorId } from "../src/base/units.js";
import { perTensor } from "../src/ir/graph.js";
import type { Graph } from "../src/ops/index.js";
import { lower } from "../src/ops/lower.js";
import { findTarget } from "../src/verify/targets.js";
import { addNode, addTensor, type Draft, newDraft, toGraph } from "./graphs.js";
import { planForms, runForms } from "./plan-checks.js";

const quant = perTensor(0.1, 3);

const activation = (d: Draft, shape: readonly number[]): TensorId =>
  addTensor(d, `t${d.tensors.size}`, shape, { quant });

const index = (d: Draft, values: readonly number[]): TensorId =>
  addTensor(d, `i${d.tensors.size}`, [values.length], { dtype: "int32", data: Int32Array.from(values) });

const shapeOf = (d: Draft, id: TensorId): readonly number[] => d.tensors.get(id)?.shape ?? [];

/** A SAME convolution with the given channels. */
function conv(d: Draft, x: TensorId, channels: number, size = 3): TensorId {
  const [n = 1, h = 1, w = 1, c = 1] = shapeOf(d, x);
  const shape = [channels, size, size, c];
  const data = Int8Array.from({ length: elementsOf(shape) }, (_, i) => ((i * 71) % 255) - 127);
  const filter = addTensor(d, `w${d.tensors.size}`, shape, { quant: perTensor(0.002), data });
  const out = activation(d, [n, h, w, channels]);
  const attrs = { padding: "SAME", stride: [1, 1], dilation: [1, 1], activation: "NONE" };
  addNode(d, "CONV_2D", [x, filter, null], [out], attrs);
  return out;
}

function pool(d: Draft, x: TensorId): TensorId {
  const out = activation(d, shapeOf(d, x));
  const attrs = { padding: "SAME", stride: [1, 1], kernel: [2, 3], activation: "NONE" };
  addNode(d, "MAX_POOL_2D", [x], [out], attrs);
  return out;
}

function concat(d: Draft, parts: readonly TensorId[], axis: number): TensorId {
  const total = parts.reduce((sum, id) => sum + (shapeOf(d, id)[axis] ?? 0), 0);
  const out = activation(d, shapeOf(d, parts[0] as TensorId).with(axis, total));
  addNode(d, "CONCATENATION", parts, [out], { axis, activation: "NONE" });
  return out;
}

function split(d: Draft, x: TensorId, axis: number, count: number): readonly TensorId[] {
  const shape = shapeOf(d, x);
  const outs = Array.from({ length: count }, () => activation(d, shape.with(axis, (shape[axis] ?? 0) / count)));
  addNode(d, "SPLIT", [index(d, [axis]), x], outs, { count });
  return outs;
}

function slice(d: Draft, x: TensorId, begin: readonly number[], size: readonly number[]): TensorId {
  const out = activation(d, size);
  addNode(d, "SLICE", [x, index(d, begin), index(d, size)], [out]);
  return out;
}

function relu(d: Draft, x: TensorId): TensorId {
  const out = activation(d, shapeOf(d, x));
  addNode(d, "RELU", [x], [out]);
  return out;
}

/** A graph from one input, as `make` says, and how many of its joins and parts have nothing to do. */
interface Case {
  readonly name: string;
  readonly input: readonly number[];
  readonly make: (d: Draft, x: TensorId) => TensorId | readonly TensorId[];
  readonly idle: number;
}

const cases: readonly Case[] = [
  {
    name: "channels of two convolutions",
    input: [1, 6, 5, 3],
    idle: 1,
    make: (d, x) => conv(d, concat(d, [conv(d, x, 4), conv(d, x, 3, 1)], 3), 2),
  },
  {
    name: "a part with other readers",
    input: [1, 6, 5, 3],
    idle: 1,
    make: (d, x) => {
      const a = conv(d, x, 4);
      return conv(d, concat(d, [a, conv(d, a, 5)], 3), 2);
    },
  },
  {
    name: "joins of joins",
    input: [1, 7, 4, 2],
    idle: 2,
    make: (d, x) => {
      const a = concat(d, [conv(d, x, 3), conv(d, x, 2)], 3);
      return conv(d, concat(d, [a, pool(d, a)], 3), 3);
    },
  },
  {
    name: "columns",
    input: [1, 5, 3, 4],
    idle: 1,
    make: (d, x) => conv(d, concat(d, [conv(d, x, 4), relu(d, conv(d, x, 4))], 2), 2),
  },
  {
    name: "rows",
    input: [1, 5, 3, 4],
    idle: 1,
    make: (d, x) => conv(d, concat(d, [conv(d, x, 4), conv(d, x, 4, 1)], 1), 2),
  },
  {
    name: "rows of the output",
    input: [1, 5, 3, 4],
    idle: 1,
    make: (d, x) => concat(d, [conv(d, x, 4), relu(d, conv(d, x, 4, 1))], 1),
  },
  {
    name: "channels taken apart",
    input: [1, 6, 5, 3],
    idle: 2,
    make: (d, x) => {
      const [a, b] = split(d, conv(d, x, 6), 3, 2) as [TensorId, TensorId];
      return concat(d, [conv(d, a, 2), pool(d, b)], 3);
    },
  },
  {
    name: "columns of the input",
    input: [1, 6, 8, 3],
    idle: 2,
    make: (d, x) => {
      const [a, b] = split(d, x, 2, 2) as [TensorId, TensorId];
      return concat(d, [conv(d, a, 2), conv(d, b, 2, 1)], 3);
    },
  },
  {
    name: "a block",
    input: [1, 9, 8, 4],
    idle: 1,
    make: (d, x) => conv(d, slice(d, conv(d, x, 4), [0, 2, 3, 1], [1, 5, 4, 2]), 3),
  },
  {
    name: "rows of a computed image",
    input: [1, 9, 4, 2],
    idle: 1,
    make: (d, x) => relu(d, conv(d, slice(d, conv(d, x, 2), [0, 3, 0, 0], [1, 5, 4, 2]), 3)),
  },
  {
    name: "an input among the parts is copied",
    input: [1, 6, 5, 3],
    idle: 0,
    make: (d, x) => conv(d, concat(d, [x, conv(d, x, 3)], 3), 2),
  },
  {
    name: "the same part twice is copied",
    input: [1, 6, 5, 3],
    idle: 0,
    make: (d, x) => {
      const a = conv(d, x, 3);
      return conv(d, concat(d, [a, a], 3), 2);
    },
  },
  {
    name: "a reader that wants pixels side by side",
    input: [1, 6, 5, 3],
    idle: 0,
    make: (d, x) => {
      const a = conv(d, x, 3);
      return [conv(d, concat(d, [a, conv(d, x, 3)], 3), 2), relu(d, a)];
    },
  },
];

function graphOf({ input, make }: Case): Graph {
  const d = newDraft();
  const x = activation(d, input);
  const made = make(d, x);
  return toGraph(d, [x], Array.isArray(made) ? made : [made as TensorId]);
}

describe("joins and parts without a copy", () => {
  it.each(cases)("$name", (c) => {
    const graph = graphOf(c);
    const { placements } = lower(graph)[0] ?? { placements: null };
    expect(placements?.idle.size).toBe(c.idle);
    const { forms } = planForms(graph);
    expect(Object.values(forms).every((plan) => plan.steps.filter((s) => s.mode === "view").length >= c.idle)).toBe(
      true,
    );
  });

  for (const name of ["host", "cortex-m4"]) {
    const target = findTarget(name);
    it.skipIf(target.missingTool() !== null)(`give the interpreter's bytes on ${name}`, async () => {
      const problems = await runForms(
        target,
        cases.map((c) => planForms(graphOf(c))),
      );
      expect(problems.flatMap((p, i) => p.map((text) => `${cases[i]?.name}: ${text}`))).toEqual([]);
    });
  }
});
