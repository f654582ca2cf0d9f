import { type ExportContext, microsoft } from "./context.js";

/*
 * Depthwise convolutions as products of matrices. The runtime's plain Conv takes every image's every channel on its own,
 * which costs far more than the sums. Here a channel's rows, or whole images where they are small, are one matrix, and the
 * taps of its filter a banded one: most of it is zeros, but products of matrices are many times faster.
 */

/** A depthwise convolution, one filter to a channel. */
export interface Depthwise {
  readonly batch: number;
  readonly channels: number;
  readonly size: readonly [height: number, width: number];
  readonly outSize: readonly [height: number, width: number];
  readonly taps: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly before: readonly [top: number, left: number];
}

/** Elements of the matrix of zeros and ones that places taps, at most: of whole images, and of rows. */
const mostPlaces = { images: 1 << 18, rows: 1 << 19 } as const;

const placesOf = ({ taps, size, outSize }: Depthwise, form: keyof typeof mostPlaces): number =>
  taps[0] * taps[1] * size[1] * outSize[1] * (form === "images" ? size[0] * outSize[0] : taps[0]);

const isSmall = (d: Depthwise): boolean => placesOf(d, "images") <= mostPlaces.images;

/** True if a filter's gradient is faster by products of matrices. */
export const hasBandedWeights = (d: Depthwise): boolean =>
  d.batch > 1 && (isSmall(d) || placesOf(d, "rows") <= mostPlaces.rows);

/** True if a convolution is: the wider images are, the more zeros are multiplied. */
export const hasBandedConv = (d: Depthwise): boolean => hasBandedWeights(d) && (isSmall(d) || d.size[1] <= 16);

/** True if the gradient of its input is. */
export const hasBandedInput = (d: Depthwise): boolean => d.batch > 1 && isSmall(d);

/** Where taps lie in the band: [tap, input, output], 1 or 0; inputs and outputs are pixels, or columns of each row. */
function places(c: ExportContext, d: Depthwise): string {
  const [kh, kw] = d.taps;
  const [height, width] = d.size;
  const [outHeight, outWidth] = d.outSize;
  const small = isSmall(d);
  const [inputs, outputs] = small ? [height * width, outHeight * outWidth] : [kh * width, outWidth];
  const data = new Float32Array(kh * kw * inputs * outputs);
  for (let ky = 0; ky < kh; ky++) {
    for (let kx = 0; kx < kw; kx++) {
      for (let oy = 0; oy < (small ? outHeight : 1); oy++) {
        const row = small ? oy * d.stride[0] + ky * d.dilation[0] - d.before[0] : ky;
        if (small && (row < 0 || row >= height)) continue;
        for (let ox = 0; ox < outWidth; ox++) {
          const column = ox * d.stride[1] + kx * d.dilation[1] - d.before[1];
          if (column < 0 || column >= width) continue;
          data[((ky * kw + kx) * inputs + row * width + column) * outputs + oy * outWidth + ox] = 1;
        }
      }
    }
  }
  return c.writer.constant("float32", [kh * kw, inputs * outputs], data);
}

const channelsFirst = (c: ExportContext, value: string): string => c.op("Transpose", [value], { perm: [1, 0, 2, 3] });

/** For each output row the input rows that its taps read, beside each other: [c, n oh, kh w]. */
function rowsBeside(c: ExportContext, d: Depthwise, x: string): string {
  const [kh] = d.taps;
  const [height, width] = d.size;
  const [oh] = d.outSize;
  const reach = (kh - 1) * d.dilation[0] + (oh - 1) * d.stride[0] + 1;
  const after = Math.max(reach - height - d.before[0], 0);
  const image = channelsFirst(c, x);
  const padded =
    d.before[0] + after === 0 ? image : c.op("Pad", [image, c.indices([0, 0, d.before[0], 0, 0, 0, after, 0])]);
  const rows = Array.from({ length: kh }, (_, ky) => {
    const from = ky * d.dilation[0];
    const to = from + (oh - 1) * d.stride[0] + 1;
    return c.op("Slice", [padded, c.indices([from]), c.indices([to]), c.indices([2]), c.indices([d.stride[0]])]);
  });
  return c.reshape(c.op("Concat", rows, { axis: 3 }), [d.channels, d.batch * oh, kh * width]);
}

/** x as matrices that the band follows: images as rows, or output rows' inputs. */
const matrices = (c: ExportContext, d: Depthwise, x: string): string =>
  isSmall(d) ? c.reshape(channelsFirst(c, x), [d.channels, d.batch, d.size[0] * d.size[1]]) : rowsBeside(c, d, x);

/** An image of the output's size as matrices that come out of the band: [c, rows, columns]. */
const results = (d: Depthwise): readonly [number, number, number] =>
  isSmall(d) ? [d.channels, d.batch, d.outSize[0] * d.outSize[1]] : [d.channels, d.batch * d.outSize[0], d.outSize[1]];

/** A filter [c, 1, h, w] as a band for each channel, [c, inputs, outputs]. */
function bandOf(c: ExportContext, d: Depthwise, filter: string): string {
  const band = c.op("MatMul", [c.reshape(filter, [d.channels, d.taps[0] * d.taps[1]]), places(c, d)]);
  return c.reshape(band, [d.channels, -1, results(d)[2]]);
}

const image = (c: ExportContext, d: Depthwise, value: string, size: readonly [number, number]): string =>
  channelsFirst(c, c.reshape(value, [d.channels, d.batch, ...size]));

/** The convolution of an NCHW image by a filter [c, 1, h, w], NCHW. */
export const bandedConv = (c: ExportContext, d: Depthwise, x: string, filter: string): string =>
  image(c, d, c.op("MatMul", [matrices(c, d, x), bandOf(c, d, filter)]), d.outSize);

/** The gradient of x from NCHW dy and the filter. */
export function bandedInput(c: ExportContext, d: Depthwise, dy: string, filter: string): string {
  const rows = c.reshape(channelsFirst(c, dy), results(d));
  return image(c, d, c.op("FusedMatMul", [rows, bandOf(c, d, filter)], { transB: 1 }, microsoft), d.size);
}

/** The gradient of the filter, [c, 1, h, w], from NCHW images x and dy. */
export function bandedWeights(c: ExportContext, d: Depthwise, x: string, dy: string): string {
  const rows = c.reshape(channelsFirst(c, dy), results(d));
  const products = c.op("FusedMatMul", [matrices(c, d, x), rows], { transA: 1 }, microsoft);
  const band = c.op("Gemm", [c.reshape(products, [d.channels, -1]), places(c, d)], { transB: 1 });
  return c.reshape(band, [d.channels, 1, ...d.taps]);
}
