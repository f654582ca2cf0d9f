import { perTensor } from "../../ir/graph.js";
import { minusFrom, mul } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { inferSigmoid, sigmoidKernel16, sigmoidMap8, sigmoidMap16 } from "../common/sigmoid.js";
import { defineUnary, floatKernel, unarySample } from "../common/unary.js";

export const logistic = defineUnary<"LOGISTIC", Empty>({
  name: "LOGISTIC",
  summary: "1 / (1 + e^-x)",
  tflite: emptyBinding(14, 3, 0),
  float: () => (x) => 1 / (1 + Math.exp(-x)),
  floatKernel: floatKernel("logistic"),
  int8: (view) => sigmoidMap8(view, "logistic"),
  int16: { map: (view) => sigmoidMap16(view, "logistic"), kernel: sigmoidKernel16("logistic") },
  infer: (view, report) => inferSigmoid(view, "logistic", report),
  quantizes: { int8: perTensor(1 / 256, -128), int16: perTensor(1 / 32768) },
  gradient: (e, { y, dy }) => mul(e, dy, mul(e, y, minusFrom(e, 1, y))),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.05, 9), perTensor(1 / 256, -128)]),
    unarySample<Empty>({}, "int8", [perTensor(0.002, -128), perTensor(1 / 256, -128)]),
    unarySample<Empty>({}, "int16", [perTensor(0.0003), perTensor(1 / 32768)]),
    unarySample<Empty>({}, "int16", [perTensor(1 / 4096), perTensor(1 / 32768)]),
    unarySample<Empty>({}, "float32", null, [-9, 9]),
  ],
});
