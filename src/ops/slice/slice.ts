import type { NodeView, Tensor } from "../../ir/graph.js";
import { evenTie, tiedRule } from "../common/channels.js";
import { checkConstant, checkOption, checkShape } from "../common/checks.js";
import { only, padTo } from "../common/gradients.js";
import { constant, defineMover, moverSample } from "../common/movers.js";
import { movedQuant, stepsOf } from "../common/moves.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { equalRows } from "../common/rows.js";
import { constantOf, inputOf, outputOf } from "../common/view.js";

/** Sizes of the slice; -1 reaches to the end. */
function sliceSizes(view: NodeView<Empty>): readonly number[] {
  const begin = constantOf(inputOf(view, 1));
  const shape = inputOf(view, 0).shape;
  return constantOf(inputOf(view, 2)).map((size, d) => (size === -1 ? (shape[d] ?? 0) - (begin[d] ?? 0) : size));
}

export const slice = defineMover<"SLICE", Empty>({
  name: "SLICE",
  summary: "A block of the input, up to 6-D",
  tflite: emptyBinding(65, 8, 48),
  indexInputs: 2,
  infer: (view, report) => {
    const input = inputOf(view, 0);
    const rank = input.shape.length;
    if (!checkShape(input, rank <= 6, "at most six dimensions", report)) return null;
    if (!checkConstant(view, 1, report) || !checkConstant(view, 2, report)) return null;
    const [begin, sizes] = [constantOf(inputOf(view, 1)), sliceSizes(view)];
    const inside =
      begin.length === rank &&
      sizes.length === rank &&
      input.shape.every((size, d) => {
        const [first, count] = [begin[d] ?? -1, sizes[d] ?? 0];
        return first >= 0 && count > 0 && first + count <= size;
      });
    const found = `begin [${begin.join(", ")}], size [${constantOf(inputOf(view, 2)).join(", ")}]`;
    if (!checkOption(inside, "slice", found, `within [${input.shape.join(", ")}]`, report)) return null;
    return [{ shape: sizes, dtype: input.dtype, quant: movedQuant(input) }];
  },
  box: (view) => {
    const inSteps = stepsOf(inputOf(view, 0).shape);
    const sizes = outputOf(view, 0).shape;
    const inBase = constantOf(inputOf(view, 1)).reduce((sum, first, d) => sum + first * (inSteps[d] ?? 0), 0);
    return { sizes, inSteps, outSteps: stepsOf(sizes), inBase, outBase: 0 };
  },
  rows: (view) => equalRows(view, [0]),
  channels: (view) => {
    const begin = constantOf(inputOf(view, 1));
    const sizes = outputOf(view, 0).shape;
    const first = begin.at(-1) ?? 0;
    const indices = (tensor: Tensor, values: readonly number[]) =>
      ({ ...tensor, dtype: "int32", data: Int32Array.from(values) }) as const;
    return tiedRule([evenTie(0, 0, sizes.at(-1) ?? 1, first)], ({ inputs: [kept], outputs: [channels] }) => {
      const before = (kept ?? []).filter((c) => c < first).length;
      const to = indices(inputOf(view, 1), begin.with(-1, before));
      const size = indices(inputOf(view, 2), sizes.with(-1, channels?.length ?? 0));
      return {
        inputs: new Map([
          [1, to],
          [2, size],
        ]),
      };
    });
  },
  gradient: (view, upstream, e) => [
    padTo(e, only(upstream), constantOf(inputOf(view, 1)), inputOf(view, 0).shape),
    null,
    null,
  ],
  parts: (view) => ({
    whole: inputOf(view, 0),
    parts: [{ tensor: outputOf(view, 0), begin: constantOf(inputOf(view, 1)) }],
  }),
  samples: [
    moverSample(
      "columns and channels of an image",
      {},
      "int8",
      [1, 4, 6, 5],
      [constant([0, 0, 1, 2]), constant([1, 4, 3, 3])],
    ),
    moverSample("block", {}, "int8", [2, 5, 6, 3], [constant([1, 2, 0, 1]), constant([1, 2, -1, 2])]),
    moverSample("rows", {}, "float32", [7, 4], [constant([3, 0], "int64"), constant([-1, -1], "int64")]),
    moverSample(
      "five dimensions",
      {},
      "int16",
      [2, 3, 2, 3, 4],
      [constant([0, 1, 1, 0, 1]), constant([2, 2, 1, 3, 2])],
    ),
  ],
});
