import { elementsOf } from "../../base/dtype.js";
import { type NodeView, perTensor } from "../../ir/graph.js";
import { viewChannels } from "../common/channels.js";
import { checkOption, checkShape } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { viewGradient } from "../common/gradients.js";
import { movedQuant } from "../common/moves.js";
import { movedRanges } from "../common/ranges.js";
import { constantOf, inputOf, optionalInput, outputOf } from "../common/view.js";
import { copyKernels, copyReference, viewTraits } from "../common/views.js";
import { defineOp, type Report } from "../spec.js";

export interface ReshapeAttrs {
  /** The new shape, one size possibly -1; empty if only the second input holds it. */
  readonly shape: readonly number[];
}

/**
 * The requested shape. A second input that is not constant is ignored in favour of the option, or of what the model
 * declares, as TFLM does: shapes are static here.
 */
function requested(view: NodeView<ReshapeAttrs>): readonly number[] {
  const shape = optionalInput(view, 1);
  if (shape !== null && shape.data !== null) return constantOf(shape);
  const { attrs } = view;
  if (shape !== null && attrs.shape.length === 0) return outputOf(view, 0).shape;
  // Old converters wrote a scalar's shape as [0].
  return attrs.shape.length === 1 && attrs.shape[0] === 0 ? [] : attrs.shape;
}

/** Replaces a -1 by the size that makes `elements` elements; null if there is none. */
export function resolveShape(wanted: readonly number[], elements: number): readonly number[] | null {
  const open = wanted.indexOf(-1);
  const known = wanted.reduce((product, size, d) => (d === open ? product : product * size), 1);
  const shape = open < 0 ? wanted : wanted.map((size, d) => (d === open ? elements / known : size));
  const valid = shape.every((size) => Number.isInteger(size) && size >= 0);
  return valid && elementsOf(shape) === elements ? shape : null;
}

function infer(view: NodeView<ReshapeAttrs>, report: Report) {
  const input = inputOf(view, 0);
  const second = optionalInput(view, 1);
  if (second && !checkShape(second, second.shape.length <= 1, "a vector", report)) return null;
  const wanted = requested(view);
  const shape = resolveShape(wanted, elementsOf(input.shape));
  if (shape === null) {
    checkOption(false, "shape", `[${wanted.join(", ")}]`, `as many elements as [${input.shape.join(", ")}]`, report);
    return null;
  }
  return [{ shape, dtype: input.dtype, quant: movedQuant(input) }];
}

export const reshape = defineOp<"RESHAPE", ReshapeAttrs>({
  name: "RESHAPE",
  summary: "The same elements under another shape",
  arity: { inputs: [1, 2], outputs: [1, 1] },
  optionalInputs: [1],
  traits: viewTraits,
  tflite: {
    builtin: 22,
    maxVersion: 1,
    options: { tag: 17, fields: [["newShape", "int32[]", 0]] },
    decode: (v) => ({ shape: Array.isArray(v.newShape) ? [...v.newShape] : [] }),
    encode: (a) => ({ newShape: a.shape }),
  },
  infer,
  reference: copyReference,
  gradient: viewGradient,
  ranges: movedRanges(copyReference),
  channels: (view) =>
    viewChannels(view, (shape) => ({ inputs: new Map(view.inputs.length > 1 ? [[1, null]] : []), attrs: { shape } })),
  cost: noCost,
  kernels: copyKernels<ReshapeAttrs>([["int32", "int64"]]),
  samples: [
    {
      name: "shape input with -1",
      attrs: { shape: [] },
      inputs: [
        { shape: [2, 3, 4], dtype: "int8", quant: perTensor(0.1, 3) },
        { shape: [3], dtype: "int32", constant: [4, -1, 2] },
      ],
      outputs: [{ dtype: "int8", quant: perTensor(0.1, 3) }],
    },
    {
      name: "shape option",
      attrs: { shape: [-1, 5] },
      inputs: [{ shape: [1, 3, 5], dtype: "float32" }],
      outputs: [{ dtype: "float32" }],
    },
    {
      name: "to a scalar",
      attrs: { shape: [0] },
      inputs: [{ shape: [1, 1], dtype: "int64" }],
      outputs: [{ dtype: "int64" }],
    },
  ],
});
