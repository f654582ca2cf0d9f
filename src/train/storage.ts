import type { StorageOf } from "./parameters.js";

/** Filters as ONNX's Conv reads them: OIHW. */
export const onnxStorage: StorageOf = (op, input) => {
  if (input !== 1) return null;
  if (op === "CONV_2D") return [0, 3, 1, 2];
  return op === "DEPTHWISE_CONV_2D" ? [3, 0, 1, 2] : null;
};
