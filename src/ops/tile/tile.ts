import { checkConstant, checkOption } from "../common/checks.js";
import { constant, defineMover, moverSample } from "../common/movers.js";
import { movedQuant, stepsOf } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { constantOf, inputOf, outputOf } from "../common/view.js";

/** Every axis is two: how often, and which element. */
export const tile = defineMover<"TILE", Empty>({
  name: "TILE",
  summary: "Repeats a tensor along its axes",
  tflite: emptyBinding(69, 3, 51),
  indexInputs: 1,
  infer: (view, report) => {
    const input = inputOf(view, 0);
    if (!checkConstant(view, 1, report)) return null;
    const times = constantOf(inputOf(view, 1));
    const fits = times.length === input.shape.length && times.every((n) => n >= 0 && n < 2 ** 31);
    if (!checkOption(fits, "multiples", `[${times.join(", ")}]`, `${input.shape.length} counts`, report)) return null;
    return [{ shape: input.shape.map((n, d) => n * (times[d] ?? 1)), dtype: input.dtype, quant: movedQuant(input) }];
  },
  box: (view) => {
    const input = inputOf(view, 0).shape;
    const [inSteps, outSteps] = [stepsOf(input), stepsOf(outputOf(view, 0).shape)];
    const times = constantOf(inputOf(view, 1));
    const pairs = <T>(of: (d: number) => readonly [T, T]): readonly T[] => input.flatMap((_, d) => of(d));
    return {
      sizes: pairs((d) => [times[d] ?? 1, input[d] ?? 1]),
      inSteps: pairs((d) => [0, inSteps[d] ?? 0]),
      outSteps: pairs((d) => [(input[d] ?? 1) * (outSteps[d] ?? 0), outSteps[d] ?? 0]),
      inBase: 0,
      outBase: 0,
    };
  },
  rows: (view) =>
    constantOf(inputOf(view, 1))
      .slice(0, 2)
      .every((n) => n === 1)
      ? equalRows(view, [0])
      : "none",
  samples: [
    moverSample("channels", {}, "int8", [1, 3, 4, 2], [constant([1, 1, 1, 3])]),
    moverSample("matrix", {}, "float32", [2, 3], [constant([3, 2])]),
    moverSample("columns", {}, "int16", [1, 3, 2, 2], [constant([1, 1, 4, 1])]),
    moverSample("vector", {}, "int32", [5], [constant([2])]),
  ],
});
