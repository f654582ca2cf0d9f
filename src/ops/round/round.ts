import { emptyBinding } from "../common/options.js";
import { defineFloatUnary } from "../common/unary.js";

/** Halves go to the even side, as C's rint and numpy do. */
function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

export const round = defineFloatUnary({
  name: "ROUND",
  summary: "Nearest integer, halves to even",
  tflite: emptyBinding(116, 1, 0),
  apply: roundToEven,
  gradient: "not differentiable",
  range: [-9, 9],
});
