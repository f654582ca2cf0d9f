import { definePlainBinary } from "../common/plain-binary.js";

/** The remainder takes the dividend's sign, as C's fmod; integers modulo 0 are 0. */
export const fmod = definePlainBinary({
  name: "FMOD",
  summary: "Remainder with the dividend's sign, with broadcasting",
  tflite: "none",
  apply: (x, y, dtype) => (dtype === "int32" && y === 0 ? 0 : x % y),
  gradient: "not needed yet",
  left: [-40, 40],
  right: [2, 7],
});
