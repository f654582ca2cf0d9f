import { checkOption } from "../common/checks.js";
import { noCost } from "../common/cost.js";
import { int8 } from "../common/options.js";
import { inputOf } from "../common/view.js";
import { defineOp, type ExecView, noTraits, type Report } from "../spec.js";

export interface ShapeAttrs {
  readonly dtype: "int32" | "int64";
}

/** TensorType enumerators of TFLite's schema that a shape can have. */
const types = { 2: "int32", 4: "int64" } as const;

function decodeType(code: unknown, report: Report): ShapeAttrs["dtype"] {
  // 0 is what the field reads as where a file leaves it out.
  const known = code === 0 || code === 2 || code === 4;
  checkOption(known, "out_type", code, "INT32 or INT64", report);
  return code === 4 ? types[4] : types[2];
}

function reference(view: ExecView<ShapeAttrs>): void {
  const out = view.out[0] as Int32Array | BigInt64Array;
  inputOf(view, 0).shape.forEach((size, i) => {
    out[i] = out instanceof BigInt64Array ? BigInt(size) : size;
  });
}

/**
 * The sizes of a tensor. Converters write it, with STRIDED_SLICE and PACK behind it, where a model was saved with an open
 * batch size; shapes here are fixed, so it is always folded away.
 */
export const shape = defineOp<"SHAPE", ShapeAttrs>({
  name: "SHAPE",
  summary: "The sizes of a tensor",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: { ...noTraits, shapeOnly: true },
  tflite: {
    builtin: 77,
    maxVersion: 1,
    options: { tag: 55, fields: [int8("outType")] },
    decode: (v, report) => ({ dtype: decodeType(v["outType"], report) }),
    encode: (a) => ({ outType: a.dtype === "int64" ? 4 : 2 }),
  },
  infer: (view) => [{ shape: [inputOf(view, 0).shape.length], dtype: view.attrs.dtype, quant: null }],
  reference,
  gradient: "integers",
  ranges: "none",
  channels: "none",
  cost: noCost,
  kernels: [],
  samples: [],
});
