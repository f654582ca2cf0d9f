import type { Tensor } from "../../../ir/graph.js";
import { countTo, noActivation, select } from "./arithmetic.js";
import { any, axisOf, boolean, type OnnxNode, type OnnxOperator, operator, type Value } from "./context.js";
import { plainOf } from "./quantization.js";

const plain = (tensor: Tensor): Value => ({ plain: tensor, quantized: null });

/** The truth of a value, or null where it is only known at run time. */
const truthOf = (n: OnnxNode, value: Value | null | undefined): boolean | null => {
  if (!value) return true;
  const { data } = plainOf(n.b, value);
  return data === null ? null : Number(data[0] ?? 0) !== 0;
};

/** A condition that is known takes its branch; of another one both are computed and one is chosen. */
function branch(n: OnnxNode): readonly Value[] {
  const [yes, no] = ["then_branch", "else_branch"].map((name) => n.attr.graph(name));
  if (!yes || !no) return n.refuse("TH2007", { found: "no branch", fix: "export the model again" });
  const condition = truthOf(n, n.value(0));
  if (condition !== null) return n.run(condition ? yes : no, []);
  const results = [n.run(yes, []), n.run(no, [])].map((r) => r.map((v) => plainOf(n.b, v))) as [Tensor[], Tensor[]];
  return results[0].map((t, i) => {
    const other = results[1][i] as Tensor;
    const alike = t.shape.length === other.shape.length && t.shape.every((s, d) => s === other.shape[d]);
    if (!alike)
      n.refuse("TH2018", {
        found: `[${t.shape.join(", ")}] and [${other.shape.join(", ")}]`,
        expected: "branches whose results have one shape, or a constant condition",
        fix: "export the model with the branch taken out",
      });
    return plain(select(n.b, n.b.reshape(n.input(0), []), t, other));
  });
}

/** Results of all iterations, one after another along a new first axis. */
function stacked(n: OnnxNode, parts: readonly Tensor[], axis: number): Tensor {
  const wide = parts.map((t) => n.b.reshape(t, t.shape.toSpliced(axis, 0, 1)));
  if (wide.length === 1) return wide[0] as Tensor;
  return n.b.emit("CONCATENATION", wide, { axis, ...noActivation });
}

/** The body once for every iteration, of which the number must be known. */
function loop(n: OnnxNode): readonly Value[] {
  const body = n.attr.graph("body") ?? n.refuse("TH2007", { found: "no body", fix: "export the model again" });
  const most = n.has(0) ? (n.constants(0, "the trip count")[0] ?? 0) : 2 ** 20;
  const carriedCount = n.inputCount - 2;
  const scans = (body.output ?? []).length - 1 - carriedCount;
  const collected = countTo(scans).map((): Tensor[] => []);
  const unknown = (): never =>
    n.refuse("TH2018", {
      found: "a loop that ends on a condition computed at run time",
      expected: "a constant number of iterations",
      fix: "export the model with the loop unrolled",
    });
  let carried = countTo(carriedCount).map((i) => n.value(i + 2));
  let goesOn: boolean | null = n.has(1) ? n.constants(1, "the condition before a loop")[0] !== 0 : true;
  for (let i = 0; i < most && goesOn !== false; i++) {
    if (goesOn === null) unknown();
    const condition = plain(n.b.scalar(1, "bool"));
    const results = n.run(body, [plain(n.b.scalar(i, "int32")), condition, ...carried]);
    goesOn = truthOf(n, results[0]);
    carried = results.slice(1, 1 + carriedCount);
    results.slice(1 + carriedCount).forEach((v, k) => {
      collected[k]?.push(plainOf(n.b, v));
    });
    if (goesOn === null && i + 1 < most) unknown();
  }
  return [...carried.map((v) => v ?? n.b.giveUp()), ...collected.map((parts) => plain(stacked(n, parts, 0)))];
}

/** The body once for every slice of the scanned inputs. Up to operator set 8 there was a batch axis before all. */
function scan(n: OnnxNode): readonly Value[] {
  const body = n.attr.graph("body") ?? n.refuse("TH2007", { found: "no body", fix: "export the model again" });
  const scanned = n.attr.int("num_scan_inputs", 1);
  const isOld = n.opset < 9;
  const first = isOld ? 1 : 0;
  const states = n.inputCount - scanned - first;
  const batched = (t: Tensor): Tensor => (isOld ? n.b.reshape(t, t.shape.slice(1)) : t);
  const data = countTo(scanned).map((i) => batched(n.input(first + states + i)));
  const axes = n.attr.ints(
    "scan_input_axes",
    data.map(() => 0),
  );
  const directions = n.attr.ints(
    isOld ? "directions" : "scan_input_directions",
    data.map(() => 0),
  );
  const scans = (body.output ?? []).length - states;
  const outAxes = n.attr.ints(
    "scan_output_axes",
    countTo(scans).map(() => 0),
  );
  const outDirections = n.attr.ints(
    "scan_output_directions",
    countTo(scans).map(() => 0),
  );
  const collected = countTo(scans).map((): Tensor[] => []);
  const axisAt = (i: number): number => axisOf(n, axes[i] ?? 0, data[i]?.shape.length ?? 1);
  const steps = data[0]?.shape[axisAt(0)] ?? 0;
  if (isOld && n.input(first).shape[0] !== 1)
    n.refuse("TH2007", { found: "several batches", expected: "one", fix: "export the model with a batch of 1" });
  let carried: readonly Value[] = countTo(states).map((i) => plain(batched(n.input(first + i))));
  for (let step = 0; step < steps; step++) {
    const slices = data.map((t, i) => {
      const at = directions[i] === 1 ? steps - 1 - step : step;
      const slice = n.b.sliceAxis(t, axisAt(i), at, at + 1);
      return plain(n.b.reshape(slice, t.shape.toSpliced(axisAt(i), 1)));
    });
    const results = n.run(body, [...carried, ...slices]);
    carried = results.slice(0, states);
    results.slice(states).forEach((v, k) => {
      const t = plainOf(n.b, v);
      if (outDirections[k] === 1) collected[k]?.unshift(t);
      else collected[k]?.push(t);
    });
  }
  const unbatched = (t: Tensor): Tensor => (isOld ? n.b.reshape(t, [1, ...t.shape]) : t);
  return [
    ...carried.map((v) => plain(unbatched(plainOf(n.b, v)))),
    ...collected.map((parts, k) => {
      const rank = (parts[0]?.shape.length ?? 0) + 1;
      return plain(unbatched(stacked(n, parts, axisOf(n, outAxes[k] ?? 0, rank))));
    }),
  ];
}

export const control: readonly OnnxOperator[] = [
  operator({ name: "If", types: boolean, limits: "branches of equal shapes, or a constant condition", make: branch }),
  operator({ name: "Loop", types: any, limits: "a constant number of iterations", make: loop }),
  operator({ name: "Scan", types: any, make: scan }),
];
