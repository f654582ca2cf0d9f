import { div, mul, unary } from "../common/gradients.js";
import { emptyBinding } from "../common/options.js";
import { definePlainBinary } from "../common/plain-binary.js";

/** Integers by squaring, modulo 2^32; negative powers of anything but 1 and -1 truncate to 0. */
function integerPower(base: number, exponent: number): number {
  if (exponent < 0) return base === 1 || base === -1 ? base ** (exponent & 1) : 0;
  let [result, square] = [1, base];
  for (let n = exponent; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

export const pow = definePlainBinary({
  name: "POW",
  summary: "x to the power y, with broadcasting",
  tflite: emptyBinding(78, 1, 56),
  apply: (x, y, dtype) => (dtype === "int32" ? integerPower(x, y) : x ** y),
  gradient: (e, { a, b, y, dy }) => [mul(e, dy, mul(e, b, div(e, y, a))), mul(e, dy, mul(e, y, unary(e, "LOG", a)))],
  left: [1, 6],
  right: [0, 4],
});
