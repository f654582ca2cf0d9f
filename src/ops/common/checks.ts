import { type NodeView, sameQuantization, type Tensor, tensorName } from "../../ir/graph.js";
import type { Report } from "../spec.js";
import { inputOf } from "./view.js";

/** Checks that `tensor` has one of the given ranks. */
export function checkRank(tensor: Tensor, ranks: readonly number[], report: Report): boolean {
  if (ranks.includes(tensor.shape.length)) return true;
  report("TH2005", {
    where: [tensorName(tensor)],
    found: `rank ${tensor.shape.length}, shape [${tensor.shape.join(", ")}]`,
    expected: `rank ${ranks.join(" or ")}`,
    fix: "reshape the tensor in the exported model",
  });
  return false;
}

/** Checks a relation of shapes that `holds` states; `expected` says it in words. */
export function checkShape(tensor: Tensor, holds: boolean, expected: string, report: Report): boolean {
  if (holds) return true;
  report("TH2005", {
    where: [tensorName(tensor)],
    found: `[${tensor.shape.join(", ")}]`,
    expected,
    fix: "export the model again with its shapes fixed",
  });
  return false;
}

/** Checks that input `index` is a constant: its values decide the output's shape or the code. */
export function checkConstant(view: NodeView<unknown>, index: number, report: Report): boolean {
  const tensor = inputOf(view, index);
  if (tensor.data !== null) return true;
  report("TH2008", {
    where: [tensorName(tensor)],
    found: "a value computed at run time",
    fix: "fix the input shape before converting, so that the converter folds it to a constant",
  });
  return false;
}

/** Checks that an int8 or int16 tensor has one scale and zero point (16-bit ones a zero point of 0). */
export function checkPerTensor(tensor: Tensor, report: Report): boolean {
  if (tensor.dtype !== "int8" && tensor.dtype !== "int16" && tensor.dtype !== "uint8") return true;
  const quant = tensor.quant;
  const found =
    quant === null
      ? "no quantization"
      : quant.scales.length !== 1
        ? `${quant.scales.length} scales`
        : tensor.dtype === "int16" && quant.zeroPoints[0] !== 0
          ? `zero point ${quant.zeroPoints[0]}`
          : undefined;
  if (found === undefined) return true;
  report("TH2006", {
    where: [tensorName(tensor)],
    found,
    expected: tensor.dtype === "int16" ? "one scale and zero point 0" : "one scale and one zero point",
    fix: "quantize activations per tensor",
  });
  return false;
}

/** Checks that two tensors are quantized alike, as operators that only move values need. */
export function checkSameQuantization(a: Tensor, b: Tensor, report: Report): boolean {
  if (sameQuantization(a.quant, b.quant)) return true;
  report("TH2006", {
    where: [tensorName(b)],
    found: describe(b),
    expected: `${describe(a)}, as ${tensorName(a)} has`,
    fix: "re-export with a current TFLite converter, which gives both the same scale and zero point",
  });
  return false;
}

const describe = (tensor: Tensor): string =>
  tensor.quant === null
    ? "no quantization"
    : `scale ${tensor.quant.scales[0]}, zero point ${tensor.quant.zeroPoints[0]}`;

/** Checks an attribute. */
export function checkOption(holds: boolean, name: string, found: unknown, expected: string, report: Report): boolean {
  if (holds) return true;
  report("TH2007", {
    message: `option ${name} has an unsupported value`,
    found: String(found),
    expected,
    fix: `export the model with ${name} ${expected}`,
  });
  return false;
}

/** Checks an axis and makes it non-negative; null after reporting one out of range. */
export function normalizedAxis(axis: number, rank: number, report: Report): number | null {
  const positive = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(positive) && positive >= 0 && positive < rank) return positive;
  report("TH2013", {
    message: "an axis is out of range",
    found: String(axis),
    expected: `between ${-rank} and ${rank - 1}`,
    fix: "export the model with an axis that its tensor has",
  });
  return null;
}
