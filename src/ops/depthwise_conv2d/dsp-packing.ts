import type { Channels } from "./dsp-channels.js";

/** 3x3 weights as th_depthwise_prepare reads them: groups of four channels, the last of the last four. */
export function groupsOf3x3(weights: Int8Array, channels: number): Int8Array {
  const groups: number[] = [];
  for (let done = 0; done < channels; done += 4) {
    const first = Math.min(done, channels - 4);
    const at = (channel: number, row: number, column: number) =>
      weights[(first + channel) * 9 + row * 3 + column] as number;
    for (let x = 0; x < 3; x++) {
      for (const pair of [0, 2]) groups.push(at(pair, 0, x), at(pair + 1, 0, x), at(pair, 1, x), at(pair + 1, 1, x));
      for (let c = 0; c < 4; c++) groups.push(at(c, 2, x));
    }
  }
  return Int8Array.from(groups);
}

/** int4 weights as th_depthwise_w4.h reads them, from those of `channels` channels, `rows` rows by `columns`. */
export function nibblesOf(
  weights: Int8Array,
  channels: number,
  [rows, columns]: readonly number[],
  is3x3: boolean,
): Int8Array {
  const [height, width] = [rows as number, columns as number];
  const bytes: number[] = [];
  for (let done = 0; done < channels; done += 4) {
    const first = Math.min(done, channels - 4);
    for (let x = 0; x < width; x++) {
      const pairAt = (y: number, c: number): number => {
        const at = (channel: number) =>
          y < height ? (weights[((first + channel) * height + y) * width + x] as number) + 8 : 8;
        return at(c) | (at(c + 1) << 4);
      };
      for (let y = 0; y < height; y += 2) {
        bytes.push(pairAt(y, 0), pairAt(y, 2));
        if (!is3x3 || y + 1 < height) bytes.push(pairAt(y + 1, 0), pairAt(y + 1, 2));
      }
    }
  }
  return Int8Array.from(bytes);
}

/** Weights as the header for any kernel reads them, and biases without the input's zero point. */
export function groupsOfAny(
  { weights, biases2 }: Channels,
  count: number,
  [rows, columns]: readonly number[],
  zero: number,
) {
  const [height, width] = [rows as number, columns as number];
  const groups: number[] = [];
  const at = (channel: number, row: number, column: number) =>
    row < height ? (weights[(channel * height + row) * width + column] as number) : 0;
  for (let done = 0; done < count; done += 4) {
    const first = Math.min(done, count - 4);
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y += 2) {
        for (const c of [first, first + 2])
          groups.push(at(c, y, x), at(c + 1, y, x), at(c, y + 1, x), at(c + 1, y + 1, x));
      }
    }
  }
  const taps = height * width;
  const biases = biases2.map((twice, c) => {
    let sum = 0;
    for (let t = c * taps; t < (c + 1) * taps; t++) sum += weights[t] as number;
    return twice / 2 - zero * sum;
  });
  return { weights: Int8Array.from(groups), biases };
}
