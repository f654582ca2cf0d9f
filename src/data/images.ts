import { decode as decodePngFile } from "fast-png";
import { decode as decodeJpegFile } from "jpeg-js";
import { fail } from "../base/diagnostics.js";
import type { ImageSize, Signal } from "./dataset.js";

/** Larger images are refused: no network here takes them, and a small file can claim to be one. */
const maxPixels = 64e6;

const corrupt = (file: string, found: string): never =>
  fail("TH6011", { where: [file], found, expected: "a complete PNG or JPEG image", fix: "replace or remove the file" });

const pngMagic = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
export const isPng = (bytes: Uint8Array): boolean => pngMagic.every((b, i) => bytes[i] === b);
export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/** An image of one byte for each of its channels, rows from the top. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Runs a decoder of others' making, whose errors say what is wrong with the file. */
function decodeWith<T>(file: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    return corrupt(file, error instanceof Error ? error.message : String(error));
  }
}

/** Bytes of the compressed form: more than this is not of this image, and would be unpacked for nothing. */
function checkPngSize(bytes: Uint8Array, file: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33) corrupt(file, `${bytes.length} bytes`);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height > maxPixels || width * height === 0) corrupt(file, `${width} x ${height} pixels`);
  if (bytes.length > 2 ** 20 + 9 * width * height)
    corrupt(file, `${bytes.length} bytes for ${width} x ${height} pixels`);
}

/** Samples of 1, 2 or 4 bits as bytes of the whole range; of 16 bits, their upper half. */
function toBytes(data: ArrayLike<number>, width: number, height: number, channels: number, depth: number): Uint8Array {
  const row = width * channels;
  const out = new Uint8Array(row * height);
  if (depth >= 8) {
    for (let i = 0; i < out.length; i++) out[i] = (data[i] as number) >> (depth - 8);
    return out;
  }
  const rowBytes = Math.ceil((row * depth) / 8);
  const scale = 255 / (2 ** depth - 1);
  for (let i = 0; i < out.length; i++) {
    const [y, x] = [Math.floor(i / row), i % row];
    const byte = data[y * rowBytes + ((x * depth) >> 3)] as number;
    const shift = 8 - depth - ((x * depth) & 7);
    out[i] = ((byte >> shift) & (2 ** depth - 1)) * scale;
  }
  return out;
}

/** Red, green and blue of the palette's entries. */
function lookUp(indices: Uint8Array, palette: readonly (readonly number[])[], file: string): Uint8Array {
  const out = new Uint8Array(indices.length * 3);
  indices.forEach((index, i) => {
    const colour = palette[index] ?? corrupt(file, `colour ${index} of a palette of ${palette.length}`);
    for (let c = 0; c < 3; c++) out[i * 3 + c] = colour[c] ?? 0;
  });
  return out;
}

function decodePng(bytes: Uint8Array, file: string): Pixels {
  checkPngSize(bytes, file);
  const png = decodeWith(file, () => decodePngFile(bytes, { checkCrc: true }));
  const { width, height, depth } = png;
  const { palette } = png;
  if (palette !== undefined) {
    const unit = depth < 8 ? 255 / (2 ** depth - 1) : 1;
    const indices = toBytes(png.data, width, height, 1, depth).map((v) => v / unit);
    return { width, height, channels: 3, data: lookUp(indices, palette, file) };
  }
  return { width, height, channels: png.channels, data: toBytes(png.data, width, height, png.channels, depth) };
}

/** The number of components that a JPEG's frame header states, 3 if none is found. */
function jpegComponents(bytes: Uint8Array): number {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return bytes[at + 9] ?? 3;
    at += 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
  }
  return 3;
}

function decodeJpeg(bytes: Uint8Array, file: string): Pixels {
  if (bytes.at(-2) !== 0xff || bytes.at(-1) !== 0xd9) {
    const end = bytes.lastIndexOf(0xd9);
    if (end < 1 || bytes[end - 1] !== 0xff) corrupt(file, "a JPEG without its end");
  }
  const { width, height, data } = decodeWith(file, () =>
    decodeJpegFile(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: maxPixels / 1e6,
      maxMemoryUsageInMB: 1024,
    }),
  );
  const isGrey = jpegComponents(bytes) === 1;
  return isGrey
    ? { width, height, channels: 1, data: data.filter((_, i) => i % 3 === 0) }
    : { width, height, channels: 3, data };
}

/** Keeps colours and drops transparency, or makes grey of colours (Rec. 601 luma) and colours of grey. */
function withChannels(image: Pixels, wanted: number): Pixels {
  const { channels, data, width, height } = image;
  if (channels === wanted) return image;
  const out = new Uint8Array(width * height * wanted);
  for (let i = 0; i < width * height; i++) {
    const at = i * channels;
    const [r = 0, g = 0, b = 0] = channels < 3 ? Array(3).fill(data[at]) : [data[at], data[at + 1], data[at + 2]];
    if (wanted === 1) out[i] = channels < 3 ? r : Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    else out.set([r, g, b], i * 3);
  }
  return { width, height, channels: wanted, data: out };
}

/** For each place of an axis of `to` the places of one of `from` that it covers, with weights whose sum is 1. */
function coverage(from: number, to: number): readonly (readonly (readonly [place: number, weight: number])[])[] {
  const scale = from / to;
  const reach = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale - 0.5;
    const [first, last] = [Math.ceil(center - reach), Math.floor(center + reach)];
    const taps = Array.from({ length: last - first + 1 }, (_, k): [number, number] => {
      const place = first + k;
      return [Math.max(0, Math.min(from - 1, place)), 1 - Math.abs(place - center) / reach];
    }).filter(([, weight]) => weight > 0);
    const sum = taps.reduce((s, [, w]) => s + w, 0);
    return taps.map(([place, weight]) => [place, weight / sum] as const);
  });
}

/** Another size, by triangles as wide as the step (bilinear where it grows), so that nothing is skipped. */
function resize(image: Pixels, height: number, width: number): Pixels {
  if (image.height === height && image.width === width) return image;
  const { channels } = image;
  const [rows, columns] = [coverage(image.height, height), coverage(image.width, width)];
  const data = new Uint8Array(height * width * channels);
  const narrow = new Float32Array(image.height * width * channels);
  for (let y = 0; y < image.height; y++) {
    columns.forEach((taps, x) => {
      for (const [from, weight] of taps) {
        for (let c = 0; c < channels; c++) {
          const at = (y * width + x) * channels + c;
          narrow[at] =
            (narrow[at] as number) + weight * (image.data[(y * image.width + from) * channels + c] as number);
        }
      }
    });
  }
  const rowLength = width * channels;
  rows.forEach((taps, y) => {
    for (let i = 0; i < rowLength; i++) {
      let sum = 0;
      for (const [from, weight] of taps) sum += weight * (narrow[from * rowLength + i] as number);
      data[y * rowLength + i] = Math.round(sum);
    }
  });
  return { width, height, channels, data };
}

/** An image with the channels and of the size asked for; channels stay where the size does not say them. */
export function imageOfSize(image: Pixels, size: ImageSize): Signal {
  const { height, width, channels, data } = resize(
    withChannels(image, size.channels ?? image.channels),
    size.height,
    size.width,
  );
  return { shape: [height, width, channels], data };
}

/**
 * The pixels of a PNG or JPEG file as uint8 [H, W, C], transparency left out; C is 1 for grey and 3 for colours unless
 * `size` says otherwise, to which images are resized. Throws TH6011 for a damaged file, TH6012 for another format.
 */
export function decodeImage(bytes: Uint8Array, file: string, size: ImageSize | null): Signal {
  const decode = isPng(bytes) ? decodePng : isJpeg(bytes) ? decodeJpeg : null;
  if (decode === null) {
    return corrupt(file, bytes.length === 0 ? "an empty file" : "neither a PNG nor a JPEG signature");
  }
  const found = decode(bytes, file);
  const { height, width, channels = found.channels < 3 ? 1 : 3 } = size ?? { ...found, channels: undefined };
  return imageOfSize(found, { height, width, channels });
}
