import { clamp, roundAway } from "../../base/fixedpoint.js";

const f = Math.fround;

/**
 * A function from [inputMin, inputMax] to [outputMin, outputMax] as 512 straight pieces over int16: entry i is the
 * value at step i, moved by half of the error in the middle of the piece; a last entry closes the last piece. Steps
 * are in float32, as TFLite's LUTPopulate for int16 (`fn` must round to float32 itself, where it matters).
 */
export function lut16(
  fn: (x: number) => number,
  [inputMin, inputMax]: readonly [number, number],
  [outputMin, outputMax]: readonly [number, number],
): Int16Array {
  const step = f(f(inputMax - inputMin) / 512);
  const half = f(step / 2);
  const scale = f(65536 / f(outputMax - outputMin));
  const round = (x: number): number => roundAway(f(x));
  const at = (x: number): number => f(fn(f(x)));
  const table = new Int16Array(513);
  for (let i = 0; i < 512; i++) {
    const x = f(inputMin + f(i * step));
    const value = round(at(x) * scale);
    const next = f(at(inputMin + f((i + 1) * step)) * scale);
    const interpolated = round(f(next + value) / 2);
    const error = interpolated - round(at(x + half) * scale);
    table[i] = clamp(value - roundAway(error / 2), -32768, 32767);
  }
  table[512] = clamp(round(at(inputMax) * scale), -32768, 32767);
  return table;
}

/** The value of a {@link lut16} table at an int16; C twin in th_lut16.h. */
export function lookup16(table: Int16Array, x: number): number {
  const index = 256 + (x >> 7);
  const base = table[index] as number;
  const slope = (table[index + 1] as number) - base;
  return ((base + ((slope * (x & 127) + 64) >> 7)) << 16) >> 16;
}
