import { constants } from "./constants.js";
import type { OnnxOperator } from "./context.js";
import { control } from "./control.js";
import { convolutions } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { linear } from "./linear.js";
import { losses } from "./losses.js";
import { normalizations } from "./normalization.js";
import { pools } from "./pooling.js";
import { quantizedOperators } from "./quantized.js";
import { recurrents } from "./recurrent.js";
import { reductions } from "./reductions.js";
import { resizes } from "./resize.js";
import { shapes } from "./shapes.js";

/** The newest operator set that is read: the newest that ONNX Runtime 1.30 runs. */
export const newestOpset = 26;

/** Every ONNX operator that can be read. */
export const onnxOperators: readonly OnnxOperator[] = [
  ...elementwise,
  ...reductions,
  ...shapes,
  ...indexing,
  ...constants,
  ...convolutions,
  ...pools,
  ...normalizations,
  ...linear,
  ...recurrents,
  ...resizes,
  ...quantizedOperators,
  ...losses,
  ...control,
].toSorted((a, b) => (a.domain + a.name < b.domain + b.name ? -1 : 1));

const byName = new Map(onnxOperators.map((row) => [`${row.domain}.${row.name}`, row]));

/** The operator of a domain ("" for ONNX's own) and name, or undefined. */
export const findOnnxOperator = (domain: string, name: string): OnnxOperator | undefined =>
  byName.get(`${domain}.${name}`);
