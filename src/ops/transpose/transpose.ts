import { checkConstant, checkOption, checkShape } from "../common/checks.js";
import { only, transpose as permute } from "../common/gradients.js";
import { constant, defineMover, moverSample } from "../common/movers.js";
import { movedQuant, stepsOf } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { constantOf, inputOf, outputOf } from "../common/view.js";

export const transpose = defineMover<"TRANSPOSE", Empty>({
  name: "TRANSPOSE",
  summary: "Permutes axes, up to 6-D",
  tflite: emptyBinding(39, 9, 26),
  indexInputs: 1,
  infer: (view, report) => {
    const input = inputOf(view, 0);
    const rank = input.shape.length;
    if (!checkShape(input, rank <= 6, "at most six dimensions", report) || !checkConstant(view, 1, report)) return null;
    const order = constantOf(inputOf(view, 1));
    const valid = order.length === rank && input.shape.every((_, d) => order.includes(d));
    if (!checkOption(valid, "perm", `[${order.join(", ")}]`, `a permutation of ${rank} axes`, report)) return null;
    return [{ shape: order.map((d) => input.shape[d] ?? 0), dtype: input.dtype, quant: movedQuant(input) }];
  },
  box: (view) => {
    const steps = stepsOf(inputOf(view, 0).shape);
    const sizes = outputOf(view, 0).shape;
    const inSteps = constantOf(inputOf(view, 1)).map((d) => steps[d] ?? 0);
    return { sizes, inSteps, outSteps: stepsOf(sizes), inBase: 0, outBase: 0 };
  },
  gradient: (view, upstream, e) => {
    const order = constantOf(inputOf(view, 1));
    return [
      permute(
        e,
        only(upstream),
        order.map((_, axis) => order.indexOf(axis)),
      ),
      null,
    ];
  },
  rows: (view) => {
    const [first, second] = constantOf(inputOf(view, 1));
    return first === 0 && second === 1 ? equalRows(view, [0]) : "none";
  },
  samples: [
    moverSample("within rows", {}, "int8", [1, 3, 4, 2], [constant([0, 1, 3, 2])]),
    moverSample("matrix", {}, "int8", [5, 7], [constant([1, 0])]),
    moverSample("channels first", {}, "int8", [1, 3, 4, 2], [constant([0, 3, 1, 2])]),
    moverSample("outer axes only", {}, "int16", [3, 2, 5], [constant([1, 0, 2])]),
    moverSample("six dimensions", {}, "float32", [2, 3, 2, 1, 3, 2], [constant([5, 2, 4, 0, 1, 3])]),
    moverSample("64 bits", {}, "int64", [2, 3], [constant([1, 0])]),
    moverSample("order of 64 bits", {}, "int8", [2, 3, 2], [constant([2, 0, 1], "int64")]),
  ],
});
