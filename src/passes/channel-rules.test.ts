import { describe, expect, it } from "vitest";
import { elementsOf, makeData, type TensorData } from "../base/dtype.js";
import { type Random, seededRandom } from "../base/random.js";
import { type NodeView, type Tensor, viewOf } from "../ir/graph.js";
import { type ChannelRule, channelCount } from "../ops/channels.js";
import { sliceAxis } from "../ops/common/channels.js";
import { zeroPointOf } from "../ops/common/view.js";
import { type AnyOp, type Graph, type Node, operators } from "../ops/index.js";
import { sampleCase } from "../ops/sample.js";
import { createSession } from "../run/interpreter.js";
import { removeDeadChannels } from "./dead-channels.js";

const ruled = operators.filter((op) => op.channels !== "none");

interface Case {
  readonly view: NodeView<object>;
  readonly rule: ChannelRule<object>;
  readonly graph: Graph;
  readonly inputs: readonly TensorData[];
}

/** The channels that go, by tensor: some of those that ties and the rule allow, closed under the ties. */
function chooseRemoved({ view, rule }: Case, random: Random): readonly (readonly [Set<number>[], Set<number>[]])[] {
  const tied = (i: number, c: number): boolean =>
    rule.ties.some((t) => t.input === i && c >= t.from && c < t.from + t.count);
  const isTiedOutput = (o: number, c: number): boolean =>
    rule.ties.some((t) => t.output === o && c >= t.to && c < t.to + t.count * t.fanOut);
  const pick = (t: Tensor | null, may: (c: number) => boolean): Set<number> =>
    new Set(
      Array.from({ length: t && t.data === null ? channelCount(t) : 0 }, (_, c) => c).filter(
        (c) => may(c) && random.integer(0, 2) === 0,
      ),
    );
  const inputs = view.inputs.map((t, i) => pick(t, (c) => tied(i, c) || rule.mixes.includes(i)));
  const outputs = view.outputs.map((t, o) => pick(t, (c) => !isTiedOutput(o, c)));
  for (let changed = true; changed; ) {
    changed = false;
    for (const t of rule.ties) {
      for (let k = 0; k < t.count * t.fanOut; k++) {
        const [from, to] = [t.from + Math.floor(k / t.fanOut), t.to + k];
        const [a, b] = [inputs[t.input] as Set<number>, outputs[t.output] as Set<number>];
        if (a.has(from) === b.has(to)) continue;
        a.add(from);
        b.add(to);
        changed = true;
      }
    }
  }
  const leaves = (sets: Set<number>[], tensors: readonly (Tensor | null)[]): boolean =>
    sets.every((s, i) => s.size === 0 || s.size < channelCount(tensors[i] as Tensor));
  const any = [...inputs, ...outputs].some((s) => s.size > 0);
  return any && leaves(inputs, view.inputs) && leaves(outputs, view.outputs) ? [[inputs, outputs]] : [];
}

const rest = (t: Tensor, removed: ReadonlySet<number>): readonly number[] =>
  Array.from({ length: channelCount(t) }, (_, c) => c).filter((c) => !removed.has(c));

const cut = (t: Tensor, data: TensorData, kept: readonly number[]): Tensor =>
  t.shape.length === 0 ? { ...t, data } : { ...sliceAxis({ ...t, data }, t.shape.length - 1, kept), id: t.id };

/** Fills removed channels of mixed inputs with a value that the rule can fold; null if there is none. */
function fillRemoved(c: Case, index: number, removed: ReadonlySet<number>, random: Random): TensorData | null {
  const t = c.view.inputs[index] as Tensor;
  const data = (c.inputs[c.graph.inputs.indexOf(t.id)] as Int8Array).slice();
  if (!c.rule.mixes.includes(index)) return data;
  const any = random.integer(-128, 127);
  for (const channel of removed) {
    const value = c.rule.folds(index, channel, any) ? any : zeroPointOf(t);
    if (!c.rule.folds(index, channel, value)) return null;
    for (let i = channel; i < data.length; i += channelCount(t)) data[i] = value;
  }
  return data;
}

/** Runs the node whole and cut; null if the choice of channels does not go. */
function bothWays(op: AnyOp, c: Case, [gone, lost]: readonly [Set<number>[], Set<number>[]], random: Random) {
  const { view, rule, graph } = c;
  const data = view.inputs.map((t, i) =>
    t === null || t.data !== null || !graph.inputs.includes(t.id)
      ? (t?.data ?? null)
      : fillRemoved(c, i, gone[i] as Set<number>, random),
  );
  if (view.inputs.some((t, i) => t !== null && data[i] === null)) return null;
  const keptInputs = view.inputs.map((t, i) => (t && t.data === null ? rest(t, gone[i] as Set<number>) : null));
  const keptOutputs = view.outputs.map((t, o) => rest(t, lost[o] as Set<number>));
  const result = rule.cut({
    inputs: keptInputs,
    outputs: keptOutputs,
    value: (i, channel) => Number((data[i] as Int8Array)[channel]),
  });
  if (result === null) return null;
  const run = (v: NodeView<object>, given: readonly (TensorData | null)[]): readonly TensorData[] => {
    const out = v.outputs.map((t) => makeData(t.dtype, elementsOf(t.shape)));
    op.reference({ ...v, in: given, out, variable: () => new Uint8Array(0) });
    return out;
  };
  const whole = run(view, data).map(
    (d, o) => cut(view.outputs[o] as Tensor, d, keptOutputs[o] as readonly number[]).data,
  );
  const cutInputs = view.inputs.map((t, i) => (t && keptInputs[i] ? cut(t, data[i] as TensorData, keptInputs[i]) : t));
  for (const [i, constant] of result.inputs) cutInputs[i] = constant === null ? null : { ...constant, id: -1 as never };
  const cutOutputs = view.outputs.map((t, o) => ({ ...t, shape: t.shape.with(-1, keptOutputs[o]?.length ?? 0) }));
  const small = run(
    { ...view, inputs: cutInputs, outputs: cutOutputs, attrs: result.attrs ?? view.attrs },
    cutInputs.map((t) => t?.data ?? null),
  );
  return { whole, small };
}

/** Compares all samples of an operator; returns how many were cut. */
function compareSamples(op: AnyOp): number {
  let count = 0;
  for (const sample of op.samples) {
    for (let seed = 1; seed <= 12; seed++) {
      const { graph, inputs } = sampleCase(op, sample, seed);
      const view = viewOf(graph, graph.nodes[0] as Node) as NodeView<object>;
      const rule = op.channels === "none" ? null : op.channels(view);
      if (rule === null) continue;
      const random = seededRandom(seed);
      const c = { view, rule, graph, inputs };
      for (const choice of chooseRemoved(c, random)) {
        const found = bothWays(op, c, choice, random);
        if (found === null) continue;
        count++;
        expect(found.small, `${sample.name}, seed ${seed}`).toEqual(found.whole);
      }
    }
  }
  return count;
}

describe("channel rules", () => {
  it.each(ruled.map((op) => [op.name, op] as const))("%s: gives the same values of the channels that stay", (_, op) => {
    expect(compareSamples(op)).toBeGreaterThan(0);
  });

  it("samples on their own keep all channels: they belong to ports", () => {
    for (const op of operators) {
      for (const sample of op.samples) {
        const { graph, inputs } = sampleCase(op, sample);
        const after = removeDeadChannels.run(graph, { subgraphs: [] });
        const [was, is] = [graph, after].map((main) => createSession({ main, subgraphs: [] }).invoke(inputs));
        expect(is).toEqual(was);
      }
    }
  });
});
