import { emptyBinding } from "../common/options.js";
import { definePlainBinary } from "../common/plain-binary.js";

/** The remainder takes the divisor's sign; integers modulo 0 are 0. */
export const floorMod = definePlainBinary({
  name: "FLOOR_MOD",
  summary: "Remainder with the divisor's sign, with broadcasting",
  tflite: emptyBinding(95, 2, 72),
  apply: (x, y, dtype) => {
    if (dtype === "int32" && y === 0) return 0;
    const rest = x % y;
    return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
  },
  gradient: "not needed yet",
  left: [-40, 40],
  right: [2, 7],
});
