/** Height, width, channels of an image; of a series [time, columns], one column of pixels. */
export const sizeOf = (shape: readonly number[]): readonly [number, number, number] => [
  shape[0] ?? 1,
  shape.length > 2 ? (shape[1] ?? 1) : 1,
  shape.length > 2 ? (shape[2] ?? 1) : (shape[1] ?? 1),
];

/** Each pixel from a row and a column of the source, between those next to it; outside, `fill`. */
export function sampleAt(
  data: Float32Array,
  shape: readonly number[],
  [row, column]: readonly [row: (y: number) => number, column: (x: number) => number],
  fill: number,
): Float32Array {
  const [height, width, channels] = sizeOf(shape);
  const out = new Float32Array(data.length);
  const columns = Float64Array.from({ length: width }, (_, x) => column(x));
  const at = (y: number, x: number, c: number): number =>
    y < 0 || x < 0 || y >= height || x >= width ? fill : (data[(y * width + x) * channels + c] as number);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const sy = row(y);
    const y0 = Math.floor(sy);
    const fy = sy - y0;
    for (let x = 0; x < width; x++) {
      const sx = columns[x] as number;
      const x0 = Math.floor(sx);
      const fx = sx - x0;
      for (let c = 0; c < channels; c++) {
        if (fx === 0 && fy === 0) {
          out[to++] = at(y0, x0, c);
          continue;
        }
        const upper = at(y0, x0, c) * (1 - fx) + (fx > 0 ? at(y0, x0 + 1, c) * fx : 0);
        const lower = fy > 0 ? at(y0 + 1, x0, c) * (1 - fx) + (fx > 0 ? at(y0 + 1, x0 + 1, c) * fx : 0) : 0;
        out[to++] = upper * (1 - fy) + lower * fy;
      }
    }
  }
  return out;
}

/** A row or column where it is. */
export const same = (at: number): number => at;
