import { perTensor } from "../../ir/graph.js";
import { minusFrom, mul } from "../common/gradients.js";
import { type Empty, emptyBinding } from "../common/options.js";
import { inferSigmoid, sigmoidKernel16, sigmoidMap8, sigmoidMap16 } from "../common/sigmoid.js";
import { defineUnary, floatKernel, unarySample } from "../common/unary.js";

export const tanh = defineUnary<"TANH", Empty>({
  name: "TANH",
  summary: "Hyperbolic tangent",
  tflite: emptyBinding(28, 3, 0),
  float: () => Math.tanh,
  floatKernel: floatKernel("tanh"),
  int8: (view) => sigmoidMap8(view, "tanh"),
  int16: { map: (view) => sigmoidMap16(view, "tanh"), kernel: sigmoidKernel16("tanh") },
  infer: (view, report) => inferSigmoid(view, "tanh", report),
  quantizes: { int8: perTensor(1 / 128), int16: perTensor(1 / 32768) },
  gradient: (e, { y, dy }) => mul(e, dy, minusFrom(e, 1, mul(e, y, y))),
  samples: [
    unarySample<Empty>({}, "int8", [perTensor(0.05, 9), perTensor(1 / 128)]),
    unarySample<Empty>({}, "int8", [perTensor(0.002, -128), perTensor(1 / 128)]),
    unarySample<Empty>({}, "int16", [perTensor(0.0003), perTensor(1 / 32768)]),
    unarySample<Empty>({}, "int16", [perTensor(1 / 4096), perTensor(1 / 32768)]),
    unarySample<Empty>({}, "float32", null, [-9, 9]),
  ],
});
