import { present } from "../../base/assert.js";
import { bytesOf, type DType, elementsOf, type TensorData } from "../../base/dtype.js";
import type { NodeView, Tensor } from "../../ir/graph.js";
import { type ChannelRule, channelCount } from "../channels.js";
import type { ExecView, Kernel, KernelArg, OutputType, Parts, Report, RowWindows } from "../spec.js";
import { elementwiseChannels, evenTie, sliceAxis, tiedRule } from "./channels.js";
import { checkOption, checkSameQuantization, checkShape } from "./checks.js";
import { movedQuant, movedTypes } from "./moves.js";
import { equalRows } from "./rows.js";
import { inputOf } from "./view.js";

/** Tensors that are slices of one whole along an axis; all their other axes agree. */
export interface Slices {
  readonly slices: readonly Tensor[];
  /** Axis of the whole, not negative. For PACK and UNPACK, slices have no such axis. */
  readonly axis: number;
}

/** Indices of the axes before, and the elements of each slice that belong to one of them. */
function runsOf({ slices, axis }: Slices): { readonly outer: number; readonly runs: readonly number[] } {
  const outer = elementsOf((slices[0]?.shape ?? []).slice(0, axis));
  return { outer, runs: slices.map((t) => (outer === 0 ? 0 : elementsOf(t.shape) / outer)) };
}

/** Copies runs between the whole and its slices. */
function eachRun(parts: Slices, copy: (slice: number, at: number, wholeAt: number, run: number) => void): void {
  const { outer, runs } = runsOf(parts);
  let wholeAt = 0;
  for (let i = 0; i < outer; i++) {
    runs.forEach((run, k) => {
      copy(k, i * run, wholeAt, run);
      wholeAt += run;
    });
  }
}

/** Puts the inputs together along an axis. */
export function joinReference(view: ExecView<unknown>, parts: Slices): void {
  const whole = view.out[0] as Int32Array;
  eachRun(parts, (k, at, wholeAt, run) => whole.set((view.in[k] as Int32Array).subarray(at, at + run), wholeAt));
}

/** Takes the input apart along an axis. */
export function partReference(view: ExecView<unknown>, whole: TensorData | null | undefined, parts: Slices): void {
  const from = present(whole, "input") as Int32Array;
  eachRun(parts, (k, at, wholeAt, run) => (view.out[k] as Int32Array).set(from.subarray(wholeAt, wholeAt + run), at));
}

/** The slices as blocks of the whole. */
export function partsAlong(whole: Tensor, { slices, axis }: Slices): Parts {
  let at = 0;
  const parts = slices.map((tensor) => {
    const begin = whole.shape.map((_, d) => (d === axis ? at : 0));
    at += tensor.shape[axis] ?? 0;
    return { tensor, begin };
  });
  return { whole, parts };
}

function joinCall(symbol: "th_join" | "th_part", parts: Slices, whole: KernelArg, slices: readonly KernelArg[]) {
  const { outer, runs } = runsOf(parts);
  const bytes = bytesOf(present(parts.slices[0], "slice").dtype, 1);
  const data = Int32Array.from(runs, (run) => run * bytes);
  return {
    source: "ops/common/th_join.h",
    symbol,
    params: { type: "th_join_params", fields: { outer, count: runs.length } },
    args: [whole, { kind: "constant", label: "runs", dtype: "int32", data } as const, ...slices],
    scratchBytes: 0,
  };
}

/** Kernels of an operator that puts its inputs together. */
export const joinKernels = <A>(partsOf: (view: NodeView<A>) => Slices): readonly Kernel<A>[] =>
  movedTypes.map((dtype) => ({
    name: `portable ${dtype}`,
    form: "slice",
    types: { inputs: [dtype], outputs: [dtype], variadic: "inputs" },
    call: (view) =>
      joinCall(
        "th_join",
        partsOf(view),
        { kind: "output", index: 0 },
        view.inputs.map((_, index) => ({ kind: "input", index })),
      ),
  }));

/** Kernels of an operator that takes input `input` apart; the others are constants of integer types. */
export const partKernels = <A>(
  inputs: (dtype: DType) => Kernel<A>["types"]["inputs"],
  input: number,
  partsOf: (view: NodeView<A>) => Slices,
): readonly Kernel<A>[] =>
  movedTypes.map((dtype) => ({
    name: `portable ${dtype}`,
    form: "slice",
    types: { inputs: inputs(dtype), outputs: [dtype], variadic: "outputs" },
    call: (view) =>
      joinCall(
        "th_part",
        partsOf(view),
        { kind: "input", index: input },
        view.outputs.map((_, index) => ({ kind: "output", index })),
      ),
  }));

/** Checks that the inputs agree in type and quantization, and in shape but for `axis` (null: in all axes). */
export function checkAlike(view: NodeView<unknown>, axis: number | null, report: Report): boolean {
  const first = inputOf(view, 0);
  return view.inputs.every((tensor) => {
    if (tensor === null) return false;
    const alike =
      tensor.shape.length === first.shape.length && tensor.shape.every((n, d) => d === axis || n === first.shape[d]);
    const expected = `[${first.shape.map((n, d) => (d === axis ? "any" : n)).join(", ")}]`;
    if (!checkShape(tensor, alike, expected, report)) return false;
    return movedQuant(first) === "free" || checkSameQuantization(first, tensor, report);
  });
}

/** Outputs with the given sizes along an axis; null after reporting that they do not add up. */
export function inferParts(
  whole: Tensor,
  axis: number,
  sizes: readonly number[],
  outputs: number,
  report: Report,
): readonly OutputType[] | null {
  const sum = sizes.reduce((a, b) => a + b, 0);
  const total = whole.shape[axis] ?? 0;
  const fits = sizes.length === outputs && sum === total && sizes.every((n) => Number.isInteger(n) && n >= 0);
  const found = sizes.length > 20 ? `${sizes.length} sizes` : `[${sizes.join(", ")}]`;
  if (!checkOption(fits, "splits", found, `${outputs} sizes that add up to ${total}`, report)) return null;
  return sizes.map((size) => ({ shape: whole.shape.with(axis, size), dtype: whole.dtype, quant: movedQuant(whole) }));
}

/**
 * Rows of an operator that takes inputs `moving` together or apart along `axis`, not negative: an axis within a row keeps
 * rows apart from each other.
 */
export const joinRows = (view: NodeView<unknown>, axis: number, moving: readonly number[]): RowWindows | "none" =>
  axis >= 2 ? equalRows(view, moving) : "none";

/** Channels of an operator that puts its inputs together: side by side along the last axis, or the same in all. */
export function joinChannels<A>(view: NodeView<A>, { slices, axis }: Slices): ChannelRule<A> | null {
  const last = (slices[0]?.shape.length ?? 0) - 1;
  if (axis !== last) return elementwiseChannels(view);
  const starts = slices.map((_, i) => slices.slice(0, i).reduce((sum, t) => sum + channelCount(t), 0));
  const startOf = (i: number): number => starts[i] ?? 0;
  const ties = slices.flatMap((t, i) => (t.data ? [] : [evenTie(i, 0, channelCount(t), 0, startOf(i))]));
  return tiedRule(ties, ({ outputs: [channels = []] }) => {
    const cuts = slices.flatMap((t, i) => {
      if (t.data === null) return [];
      const own = channels.map((c) => c - startOf(i)).filter((c) => c >= 0 && c < channelCount(t));
      return [[i, own.length === 0 ? null : sliceAxis(t, last, own)] as const];
    });
    return cuts.some(([, cut]) => cut === null) ? null : { inputs: new Map(cuts) };
  });
}

/** The most slices an operator takes; files with more are damaged. */
export const maxSlices = 1024;
