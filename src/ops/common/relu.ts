import { perTensor } from "../../ir/graph.js";
import type { OpSpec } from "../spec.js";
import { type Activation, floatActivationRange, limit, quantizedActivationRange } from "./activation.js";
import { throughActivation } from "./gradients.js";
import { type Empty, emptyBinding } from "./options.js";
import { evenRescale, rescaling } from "./rescale.js";
import { defineUnary, unaryKernel, unarySample } from "./unary.js";
import { inputOf, outputOf, scaleOf } from "./view.js";

/**
 * An activation as an operator of its own. Integers are rescaled, then clamped: TFLite's ReluX and TFLM's
 * ReluQuantized. TFLM's RELU6 clamps without rescaling, which is the same where both sides have one quantization, as
 * its converter makes them.
 */
export function defineRelu<const Name extends Exclude<Activation, "NONE">>(
  name: Name,
  summary: string,
  builtin: number,
  maxVersion: number,
): OpSpec<Name, Empty> {
  const range = floatActivationRange(name);
  return defineUnary<Name, Empty>({
    name,
    summary,
    activation: name,
    tflite: emptyBinding(builtin, maxVersion, 0),
    float: () => (x) => limit(x, range),
    floatKernel: unaryKernel("float32", "ops/common/unary_f32.h", "th_relu_f32", {
      type: "th_clamp_f32_params",
      fields: () => ({ min: { float: range.min }, max: { float: range.max } }),
    }),
    ...rescaling<Empty>((view) => {
      const [input, output] = [inputOf(view, 0), outputOf(view, 0)];
      return evenRescale(scaleOf(input) / scaleOf(output), quantizedActivationRange(name, output));
    }),
    gradient: (e, { y, dy }) => throughActivation(e, name, y, dy),
    samples: [
      unarySample<Empty>({}, "int8", [perTensor(0.09, -11), perTensor(0.05, -128)]),
      unarySample<Empty>({}, "int8", [perTensor(0.05, 127), perTensor(0.05, 127)]),
      unarySample<Empty>({}, "int16", [perTensor(0.0004), perTensor(0.0003)]),
      unarySample<Empty>({}, "float32", null, [-9, 9]),
    ],
  });
}
