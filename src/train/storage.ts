import type { StorageOf } from "./parameters.js";

/**
 * Filters OHWI, as the graph has them and gradients come; depthwise ones with their channels first, which is how both the
 * runtime's filters and its blocks begin.
 */
export const onnxStorage: StorageOf = (op, input) => (input === 1 && op === "DEPTHWISE_CONV_2D" ? [3, 0, 1, 2] : null);
