import type { DiagnosticSink, Report } from "../../../base/diagnostics.js";
import { bytesOf, type DType, elementsOf, makeData, type TensorData } from "../../../base/dtype.js";
import { type TensorId, tensorId } from "../../../base/units.js";
import { type NodeView, type Origin, type Quantization, type Tensor, tensorName } from "../../../ir/graph.js";
import { inferOutputs } from "../../../ops/check.js";
import { type Node, type OpName, specOf } from "../../../ops/index.js";
import type { ExecView } from "../../../ops/spec.js";
import { maxTensorBytes } from "../proto.js";

/** Thrown, after reporting why, to give up one operator; what hangs on it is passed over, the rest still looked at. */
export class Refused extends Error {}

/** Type of an output, where it is not that of the first input. */
export interface OutputSpec {
  readonly dtype?: DType;
  readonly quant?: Quantization | null;
}

/** A file may hold far more work in few bytes (unrolled loops, repeated data) than it is worth. */
const maxNodes = 100_000;
const maxConstantBytes = 2 ** 29;
/** Constants are computed at once if they are no larger and take no more operations than this. */
const maxFoldedBytes = 2 ** 24;
const maxFoldedWork = 1e8;

/**
 * A graph under construction. What follows from constants is computed as soon as it is asked for, so that shapes which a
 * file computes in many small operators are numbers by the time somebody needs them.
 */
export class GraphBuilder {
  readonly tensors = new Map<TensorId, Tensor>();
  readonly nodes: Node[] = [];
  /** The operator of the file that new nodes stand for, how diagnostics name it, and what its results are called. */
  origin: Origin = { index: -1, op: "" };
  where: readonly string[] = [];
  label = "";
  private constantBytes = 0;

  constructor(public sink: DiagnosticSink) {}

  readonly report: Report = (code, problem) =>
    this.sink.report(code, { ...problem, where: [...this.where, ...(problem.where ?? [])] });

  /** Reports and gives up the operator at hand. */
  refuse(...[code, problem]: Parameters<Report>): never {
    this.report(code, problem);
    throw new Refused();
  }

  /** Gives up the operator at hand, after a report. */
  giveUp(): never {
    throw new Refused();
  }

  /** Adds a tensor; `data` makes it a constant. */
  add(type: Omit<Tensor, "id" | "name" | "variable"> & { readonly name?: string }): Tensor {
    const id = tensorId(this.tensors.size);
    if (bytesOf(type.dtype, elementsOf(type.shape)) > maxTensorBytes)
      this.refuse("TH1010", {
        found: `a tensor [${type.shape.join(", ")}]`,
        expected: `at most ${maxTensorBytes} bytes`,
        fix: "export the model with smaller inputs",
      });
    const tensor: Tensor = { ...type, id, name: type.name ?? `${this.label}/${id}`, variable: false };
    this.constantBytes += type.data?.byteLength ?? 0;
    if (this.constantBytes > maxConstantBytes)
      this.refuse("TH1010", {
        found: "constants of more than 512 MiB",
        fix: "give a model meant for a microcontroller",
      });
    this.tensors.set(id, tensor);
    return tensor;
  }

  /** A constant of the given elements. */
  constant(
    dtype: DType,
    shape: readonly number[],
    values: ArrayLike<number>,
    quant: Quantization | null = null,
  ): Tensor {
    const data = makeData(dtype, elementsOf(shape)) as Float32Array;
    data.set(values);
    return this.add({ shape, dtype, quant, data });
  }

  /** A constant vector of int32: axes, sizes, a permutation. */
  ints(values: readonly number[]): Tensor {
    return this.constant("int32", [values.length], values);
  }

  /** A constant float. */
  scalar(value: number, dtype: DType = "float32"): Tensor {
    return this.constant(dtype, [], [value]);
  }

  /** Replaces what is known of a tensor: its name, or the quantization that its readers give it. */
  update(tensor: Tensor, change: Partial<Tensor>): Tensor {
    const changed = { ...tensor, ...change };
    this.tensors.set(tensor.id, changed);
    return changed;
  }

  /** Adds a node of one output and returns that. Gives up the operator at hand if the node makes no sense. */
  emit(op: OpName, inputs: readonly (Tensor | null)[], attrs: object = {}, output: OutputSpec = {}): Tensor {
    const [tensor] = this.emitAll(op, inputs, attrs, [output]);
    return tensor as Tensor;
  }

  /** Adds a node and returns its outputs, their shapes inferred. */
  emitAll(
    op: OpName,
    inputs: readonly (Tensor | null)[],
    attrs: object,
    outputs: readonly OutputSpec[],
  ): readonly Tensor[] {
    const dtype = inputs[0]?.dtype ?? "float32";
    const declared = outputs.map(
      (o, i): Tensor => ({
        id: tensorId(2 ** 30 + i),
        name: this.label,
        shape: [],
        dtype: o.dtype ?? dtype,
        quant: o.quant ?? null,
        data: null,
        variable: false,
      }),
    );
    const spec = specOf({ op });
    const view: NodeView<object> = { op, attrs, inputs, outputs: declared, origin: this.origin };
    const types = inferOutputs(spec, view, this.report);
    if (types === null || this.nodes.length >= maxNodes) {
      if (types !== null)
        this.report("TH1010", {
          found: `more than ${maxNodes} operators`,
          fix: "export the model without unrolled loops",
        });
      throw new Refused();
    }
    const typed = types.map((type, i) => ({
      shape: type.shape,
      dtype: type.dtype,
      quant: type.quant === "free" ? (outputs[i]?.quant ?? null) : type.quant,
    }));
    const folded = this.fold({ ...view, outputs: declared.map((t, i) => ({ ...t, ...typed[i] })) });
    const results = typed.map((type, i) => this.add({ ...type, data: folded?.[i] ?? null }));
    if (folded === null) {
      const node = {
        op,
        inputs: inputs.map((t) => t?.id ?? null),
        outputs: results.map((t) => t.id),
        attrs,
        origin: this.origin,
      };
      this.nodes.push(node as Node);
    }
    return results;
  }

  /** The outputs of a node whose inputs are constants, if they are little work. */
  private fold(view: NodeView<object>): readonly TensorData[] | null {
    const spec = specOf(view as { op: OpName });
    const isConstant =
      spec.traits.shapeOnly || (view.inputs.length > 0 && view.inputs.every((t) => t === null || t.data));
    if (!isConstant || spec.traits.sideEffects) return null;
    const bytes = view.outputs.reduce((sum, t) => sum + bytesOf(t.dtype, elementsOf(t.shape)), 0);
    const { macs, operations } = spec.cost(view);
    if (bytes > maxFoldedBytes || macs + operations > maxFoldedWork) return null;
    const out = view.outputs.map((t) => makeData(t.dtype, elementsOf(t.shape)));
    const exec: ExecView<object> = {
      ...view,
      in: view.inputs.map((t) => t?.data ?? null),
      out,
      variable: () => new Uint8Array(0),
    };
    spec.reference(exec);
    return out;
  }

  /** A tensor with its axes permuted; per-channel quantization moves along. */
  transpose(t: Tensor, order: readonly number[]): Tensor {
    if (order.every((axis, i) => axis === i)) return t;
    const quant = t.quant && { ...t.quant, axis: Math.max(order.indexOf(t.quant.axis), 0) };
    return this.emit("TRANSPOSE", [t, this.ints(order)], {}, { quant });
  }

  /** A tensor under another shape of as many elements. */
  reshape(t: Tensor, shape: readonly number[]): Tensor {
    if (t.shape.length === shape.length && shape.every((n, i) => n === t.shape[i])) return t;
    // An attribute of [0] is how files state a scalar.
    return this.emit("RESHAPE", [t], { shape: shape.length === 0 ? [0] : shape }, { quant: t.quant });
  }

  /** `t[begin : end : stride]` along every axis; negative strides go down to `end`, -1 being before the first element. */
  slice(t: Tensor, axes: readonly { readonly begin: number; readonly end: number; readonly stride: number }[]): Tensor {
    const whole = axes.every((a, d) => a.begin === 0 && a.stride === 1 && a.end === t.shape[d]);
    if (whole) return t;
    const endMask = axes.reduce((mask, a, d) => (a.stride < 0 && a.end < 0 ? mask | (1 << d) : mask), 0);
    const attrs = { beginMask: 0, endMask, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0, offset: false };
    const of = (key: "begin" | "end" | "stride"): Tensor => this.ints(axes.map((a) => a[key]));
    return this.emit("STRIDED_SLICE", [t, of("begin"), of("end"), of("stride")], attrs, { quant: t.quant });
  }

  /** `t[begin : end : stride]` along one axis. */
  sliceAxis(t: Tensor, axis: number, begin: number, end: number, stride = 1): Tensor {
    return this.slice(
      t,
      t.shape.map((size, d) => (d === axis ? { begin, end, stride } : { begin: 0, end: size, stride: 1 })),
    );
  }

  /** Inputs of the model that a tensor follows from. */
  private sourcesOf(tensor: Tensor): readonly Tensor[] {
    const producers = new Map(this.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
    const seen = new Set<TensorId>();
    const walk = (id: TensorId): readonly Tensor[] => {
      if (seen.has(id)) return [];
      seen.add(id);
      const node = producers.get(id);
      const own = this.tensors.get(id);
      if (node !== undefined) return node.inputs.flatMap((input) => (input === null ? [] : walk(input)));
      return own === undefined || own.data !== null ? [] : [own];
    };
    return walk(tensor.id);
  }

  /** The elements of a constant; gives up the operator for a tensor computed at run time. */
  valuesOf(tensor: Tensor, what: string): readonly number[] {
    if (tensor.data !== null) return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
    const sources = this.sourcesOf(tensor);
    return this.refuse("TH2008", {
      where: sources.map(tensorName),
      message: `${what} must be a constant`,
      found: "a value computed at run time",
      fix: "export the model with fixed sizes and weights, or fix the input with --constant",
    });
  }
}
