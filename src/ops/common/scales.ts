import { type Tensor, tensorName } from "../../ir/graph.js";
import type { Report } from "../spec.js";

/** Checks that a tensor has the scale (within 0.1%, as TFLM takes it) and zero point that its operator fixes. */
export function checkFixedScale(tensor: Tensor, scale: number, zeroPoint: number, report: Report): boolean {
  const [found, zero] = [tensor.quant?.scales[0] ?? 0, tensor.quant?.zeroPoints[0]];
  if (zero === zeroPoint && Math.abs(found - scale) <= 0.001 * scale) return true;
  report("TH2006", {
    where: [tensorName(tensor)],
    found: tensor.quant === null ? "no quantization" : `scale ${found}, zero point ${zero}`,
    expected: `scale ${scale}, zero point ${zeroPoint}`,
    fix: "re-export with a current TFLite converter",
  });
  return false;
}
