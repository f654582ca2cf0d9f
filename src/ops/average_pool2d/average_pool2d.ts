import { rangeOf } from "../../base/dtype.js";
import { poolGradient } from "../common/pool-gradients.js";
import { pool2d, pool2dWindow } from "../common/pool2d.js";

/**
 * Integer types as TFLM's reference_integer_ops::AveragePool: the sum is divided by the number of elements inside the
 * image, halves rounded away from zero (of the quantized value, the zero point included).
 */
export const averagePool2d = pool2d({
  name: "AVERAGE_POOL_2D",
  summary: "Mean of a window per channel, padding not counted",
  builtin: 1,
  stem: "ops/average_pool2d/average_pool2d",
  helium: true,
  gradient: poolGradient("AVERAGE_POOL_2D_GRADIENT", pool2dWindow),
  start: () => 0,
  add: (sum, element) => sum + element,
  end: (sum, count, dtype) => {
    if (dtype === "float32") return sum / count;
    const half = Math.floor(count / 2);
    return Math.trunc((sum > 0 ? sum + half : sum - half) / count);
  },
  kept: (dtype, count) => {
    if (dtype === "float32") return dtype;
    const largest = -rangeOf(dtype).min * count + Math.floor(count / 2);
    return largest <= rangeOf("int32").max ? "int32" : null;
  },
});
