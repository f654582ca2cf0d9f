import { rangeOf } from "../../base/dtype.js";
import { poolGradient } from "../common/pool-gradients.js";
import { pool2d, pool2dWindow } from "../common/pool2d.js";

/** Integer types as TFLM's reference_integer_ops::MaxPool: no rescaling, clamped to the activation's range. */
export const maxPool2d = pool2d({
  name: "MAX_POOL_2D",
  summary: "Maximum of a window per channel",
  builtin: 17,
  stem: "ops/max_pool2d/max_pool2d",
  helium: true,
  gradient: poolGradient("MAX_POOL_2D_GRADIENT", pool2dWindow),
  start: (dtype) => rangeOf(dtype).min,
  add: Math.max,
  end: (value) => value,
  kept: (dtype) => dtype,
});
