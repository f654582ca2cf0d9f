import type { DiagnosticCode, DiagnosticSink, Problem } from "../base/diagnostics.js";
import type { DType } from "../base/dtype.js";
import { type NodeView, originName, sameQuantization, type Tensor, tensorName } from "../ir/graph.js";
import type { AnyOp } from "./index.js";
import type { OutputType, Report, TypeSignature } from "./spec.js";

const dtypeAt = (list: TypeSignature["inputs"], index: number, variadic: boolean): readonly DType[] | null => {
  const entry = list[index] ?? (variadic ? list[list.length - 1] : undefined);
  if (entry === undefined) return null;
  return typeof entry === "string" ? [entry] : entry;
};

const fits = (tensors: readonly (Tensor | null)[], types: TypeSignature["inputs"], variadic: boolean): boolean =>
  tensors.every((tensor, i) => tensor === null || dtypeAt(types, i, variadic)?.includes(tensor.dtype));

/** True if the node's tensors have the signature's types; omitted inputs fit any. */
export const matchesTypes = (view: NodeView<unknown>, types: TypeSignature): boolean =>
  fits(view.inputs, types.inputs, types.variadic === "inputs") &&
  fits(view.outputs, types.outputs, types.variadic === "outputs");

/** `int8, int8, int32 -> int8`. */
export function signatureText(types: TypeSignature): string {
  const side = (list: TypeSignature["inputs"], more: boolean): string =>
    list.map((t) => (typeof t === "string" ? t : t.join("|"))).join(", ") + (more ? ", ..." : "");
  return `${side(types.inputs, types.variadic === "inputs")} -> ${side(types.outputs, types.variadic === "outputs")}`;
}

function checkArity(spec: AnyOp, view: NodeView<object>, report: Report): boolean {
  const [minIn, maxIn] = spec.arity.inputs;
  const [minOut, maxOut] = spec.arity.outputs;
  const inputs = view.inputs.length;
  const outputs = view.outputs.length;
  const missing = view.inputs.findIndex((t, i) => t === null && !spec.optionalInputs.includes(i));
  if (inputs >= minIn && inputs <= maxIn && outputs >= minOut && outputs <= maxOut && missing < 0) return true;
  report("TH2003", {
    found: missing >= 0 ? `input ${missing} is missing` : `${inputs} inputs and ${outputs} outputs`,
    expected: `${minIn} to ${maxIn} inputs and ${minOut} to ${maxOut} outputs`,
    fix: "the file is damaged or made by a faulty exporter: convert the model again",
  });
  return false;
}

function checkTypes(spec: AnyOp, view: NodeView<object>, report: Report): boolean {
  if (spec.kernels.length === 0 || spec.kernels.some((k) => matchesTypes(view, k.types))) return true;
  const of = (list: readonly (Tensor | null)[]): string => list.map((t) => t?.dtype ?? "none").join(", ");
  report("TH2004", {
    found: `${of(view.inputs)} -> ${of(view.outputs)}`,
    expected: spec.kernels.map((k) => signatureText(k.types)).join("; or "),
    fix: "convert the model fully to one of the supported type combinations (int8, int16x8 or float32)",
  });
  return false;
}

/** Output types of a node, after checking arity and element types; null after reporting problems. */
export function inferOutputs(spec: AnyOp, view: NodeView<object>, report: Report): readonly OutputType[] | null {
  if (!checkArity(spec, view, report) || !checkTypes(spec, view, report)) return null;
  return spec.infer(view, report);
}

/** Compares what a model declares of its outputs with what inference found. */
export function checkDeclared(view: NodeView<object>, inferred: readonly OutputType[], report: Report): void {
  view.outputs.forEach((tensor, i) => {
    const type = inferred[i];
    if (type === undefined) return;
    const text = (shape: readonly number[], dtype: DType): string => `${dtype} [${shape.join(", ")}]`;
    const same =
      type.dtype === tensor.dtype &&
      type.shape.length === tensor.shape.length &&
      type.shape.every((n, d) => n === tensor.shape[d]);
    if (!same) {
      report("TH2010", {
        where: [tensorName(tensor)],
        found: text(tensor.shape, tensor.dtype),
        expected: text(type.shape, type.dtype),
        fix: "convert the model again with fixed input shapes",
      });
    } else if (type.quant !== "free" && type.quant !== null && !sameQuantization(type.quant, tensor.quant)) {
      const describe = (q: Tensor["quant"]): string =>
        q ? `scale ${q.scales[0]}, zero point ${q.zeroPoints[0]}` : "no quantization";
      report("TH2006", {
        where: [tensorName(tensor)],
        found: describe(tensor.quant),
        expected: describe(type.quant),
        fix: "re-export with a current TFLite converter",
      });
    }
  });
}

/** A Report that adds the node to `where` and collects into `sink`. */
export const reportInto =
  (sink: DiagnosticSink, place: readonly string[], view: NodeView<unknown>): Report =>
  (code: DiagnosticCode, problem: Problem) =>
    sink.report(code, { ...problem, where: [...place, originName(view.origin), ...(problem.where ?? [])] });
