import { bytesOf, type DType } from "../../base/dtype.js";
import type { NodeView } from "../../ir/graph.js";
import { evenChannels } from "../common/channels.js";
import { checkOption, checkShape } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { moverGradient } from "../common/gradients.js";
import { constant, indexTypes, moverSample } from "../common/movers.js";
import { movedQuant, movedTypes, moverTraits, stepsOf } from "../common/moves.js";
import { int8 } from "../common/options.js";
import { checkPaddings, padAmounts, paddedShape } from "../common/pads.js";
import { movedRanges } from "../common/ranges.js";
import { equalRows } from "../common/rows.js";
import { inputOf, outputOf } from "../common/view.js";
import { defineOp, type ExecView, type Kernel, type SampleTensor } from "../spec.js";

export interface MirrorPadAttrs {
  /** REFLECT leaves the edge itself out of the mirror image, SYMMETRIC repeats it. */
  readonly mode: "REFLECT" | "SYMMETRIC";
}

const modes = ["REFLECT", "SYMMETRIC"] as const;

const edgeOf = (view: NodeView<MirrorPadAttrs>): number => (view.attrs.mode === "SYMMETRIC" ? 1 : 0);

/** Every output element shows the input element whose indices are mirrored into range. */
function mirrorPadReference(view: ExecView<MirrorPadAttrs>): void {
  const [input, output] = [view.in[0] as Int32Array, view.out[0] as Int32Array];
  const [inShape, outShape] = [inputOf(view, 0).shape, outputOf(view, 0).shape];
  const steps = stepsOf(inShape);
  const amounts = padAmounts(view);
  const edge = edgeOf(view);
  let to = 0;
  const walk = (d: number, from: number): void => {
    const [size, outSize] = [inShape[d], outShape[d]];
    if (size === undefined || outSize === undefined) {
      output[to++] = input[from] as number;
      return;
    }
    for (let i = 0; i < outSize; i++) {
      const at = i - (amounts[d]?.[0] ?? 0);
      const mirrored = at < 0 ? -at - edge : at >= size ? 2 * (size - 1) - at + edge : at;
      walk(d + 1, from + mirrored * (steps[d] ?? 0));
    }
  };
  walk(0, 0);
}

const padded = (values: readonly number[], fill: number): number[] => [
  ...new Array<number>(6 - values.length).fill(fill),
  ...values,
];

const kernel = (dtype: DType): Kernel<MirrorPadAttrs> => ({
  name: `portable ${dtype}`,
  form: "slice",
  types: { inputs: [dtype, indexTypes], outputs: [dtype] },
  call: (view) => ({
    source: "ops/mirror_pad/mirror_pad.h",
    symbol: "th_mirror_pad",
    params: {
      type: "th_mirror_pad_params",
      fields: {
        in_size: padded(inputOf(view, 0).shape, 1),
        out_size: padded(outputOf(view, 0).shape, 1),
        before: padded(
          padAmounts(view).map(([before]) => before),
          0,
        ),
        edge: edgeOf(view),
        element_bytes: bytesOf(dtype, 1),
      },
    },
    args: [
      { kind: "input", index: 0 },
      { kind: "output", index: 0 },
    ],
    scratchBytes: 0,
  }),
});

const paddings = (rank: number, values: readonly number[]): SampleTensor => ({ ...constant(values), shape: [rank, 2] });

export const mirrorPad = defineOp<"MIRROR_PAD", MirrorPadAttrs>({
  name: "MIRROR_PAD",
  summary: "Padding with the mirrored input, up to 6-D",
  arity: { inputs: [2, 2], outputs: [1, 1] },
  optionalInputs: [],
  // Mirrored rows come back after others: only padding within rows leaves them in order.
  traits: { ...moverTraits, rows: (view) => equalRows(view, [0]) },
  tflite: {
    builtin: 100,
    maxVersion: 3,
    options: { tag: 77, fields: [int8("mode")] },
    decode: (v, report) => {
      const mode = modes[Number(v.mode)];
      checkOption(mode !== undefined, "mode", v.mode, "REFLECT or SYMMETRIC", report);
      return { mode: mode ?? "REFLECT" };
    },
    encode: (a) => ({ mode: modes.indexOf(a.mode) }),
  },
  infer: (view, report) => {
    if (!checkPaddings(view, report)) return null;
    const input = inputOf(view, 0);
    const edge = edgeOf(view);
    const fits = padAmounts(view).every(
      (amounts, d) => Math.max(...amounts) <= Math.max((input.shape[d] ?? 0) - 1 + edge, 0),
    );
    if (!checkShape(input, fits, "at least as large as its paddings", report)) return null;
    if (!checkShape(input, !input.shape.includes(0), "not empty", report)) return null;
    return [{ shape: paddedShape(view), dtype: input.dtype, quant: movedQuant(input) }];
  },
  reference: mirrorPadReference,
  gradient: moverGradient(mirrorPadReference),
  ranges: movedRanges(mirrorPadReference),
  channels: evenChannels(0),
  cost: noCost,
  kernels: movedTypes.map(kernel),
  samples: [
    moverSample("reflect", { mode: "REFLECT" }, "int8", [1, 4, 3, 2], [paddings(4, [0, 0, 3, 1, 1, 2, 0, 0])]),
    moverSample("within rows", { mode: "SYMMETRIC" }, "int8", [1, 3, 4, 2], [paddings(4, [0, 0, 0, 0, 2, 1, 0, 1])]),
    moverSample("symmetric", { mode: "SYMMETRIC" }, "int16", [3, 2], [paddings(2, [3, 1, 0, 2])]),
    moverSample(
      "symmetric, five dimensions",
      { mode: "SYMMETRIC" },
      "float32",
      [1, 2, 1, 2, 3],
      [paddings(5, [1, 0, 0, 2, 0, 0, 1, 0, 0, 1])],
    ),
  ],
});
