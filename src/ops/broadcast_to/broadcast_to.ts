import { broadcastShape, broadcastSteps } from "../common/broadcast.js";
import { checkConstant, checkShape } from "../common/checks.js";
import { only, sumTo } from "../common/gradients.js";
import { constant, defineMover, moverSample } from "../common/movers.js";
import { movedQuant, stepsOf } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { constantOf, inputOf, outputOf } from "../common/view.js";

export const broadcastTo = defineMover<"BROADCAST_TO", Empty>({
  name: "BROADCAST_TO",
  summary: "Repeats a tensor's axes of size 1 up to a shape",
  tflite: emptyBinding(130, 3, 104),
  indexInputs: 1,
  infer: (view, report) => {
    const input = inputOf(view, 0);
    if (!checkConstant(view, 1, report)) return null;
    const wanted = constantOf(inputOf(view, 1));
    const shape = broadcastShape(input.shape, wanted);
    const fits = shape !== null && shape.length === wanted.length && shape.every((n, d) => n === wanted[d]);
    if (!checkShape(input, fits, `a shape that broadcasts to [${wanted.join(", ")}]`, report) || !shape) return null;
    return [{ shape, dtype: input.dtype, quant: movedQuant(input) }];
  },
  box: (view) => {
    const sizes = outputOf(view, 0).shape;
    const inSteps = broadcastSteps(inputOf(view, 0).shape, sizes);
    return { sizes, inSteps, outSteps: stepsOf(sizes), inBase: 0, outBase: 0 };
  },
  gradient: (view, upstream, e) => [sumTo(e, only(upstream), inputOf(view, 0).shape), null],
  rows: (view) => equalRows(view, [0]),
  samples: [
    moverSample("columns", {}, "int8", [1, 3, 1, 2], [constant([1, 3, 4, 2])]),
    moverSample("more axes", {}, "float32", [3, 1], [constant([2, 3, 4])]),
    moverSample("scalar", {}, "int32", [], [constant([2, 3])]),
  ],
});
