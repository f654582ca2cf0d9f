import type { Tensor } from "../../ir/graph.js";
import { gradientAttrs } from "../common/conv-gradients.js";
import { only, sumTo, throughActivation, transpose } from "../common/gradients.js";
import { windowAxes } from "../common/padding.js";
import { inputOf, optionalInput, outputOf } from "../common/view.js";
import type { GradientOf } from "../gradient.js";
import { type TransposeConvAttrs, transposeConvGeometry } from "./geometry.js";

/** OHWI to IHWO and back. */
const swapped = [3, 1, 2, 0] as const;

/**
 * A transposed convolution is the gradient of a convolution from its output to its input, with the filter's channels
 * swapped; so its own gradients are that convolution and that convolution's gradient.
 */
export const transposeConvGradient: GradientOf<TransposeConvAttrs> = (view, upstream, e) => {
  const [w, x, bias, y] = [inputOf(view, 1), inputOf(view, 2), optionalInput(view, 3), outputOf(view, 0)];
  const { outHeight, outWidth, kernel } = transposeConvGeometry(view);
  const { padding, stride, activation } = view.attrs;
  const dy = throughActivation(e, activation, y, only(upstream));
  const attrs = { padding, stride, dilation: [1, 1] as const };
  const type = { shape: x.shape, dtype: "float32" as const, quant: null };
  const filter = transpose(e, w, swapped);
  const [dx = null] = e.node("CONV_2D", [dy, filter, null], { ...attrs, activation: "NONE" }, [type]);
  const gradient = gradientAttrs(windowAxes(outHeight, outWidth, { kernel, ...attrs }), "OHWI");
  const [dw] = e.node("CONV_2D_WEIGHTS_GRADIENT", [x, dy], { ...gradient, weightsShape: filter.shape });
  const inputs: (Tensor | null)[] = [null, dw ? transpose(e, dw, swapped) : null, dx];
  return view.inputs.length > 3 ? [...inputs, bias && sumTo(e, dy, bias.shape)] : inputs;
};
