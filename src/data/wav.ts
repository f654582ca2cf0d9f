import { fail } from "../base/diagnostics.js";

/** A WAV file's header: how its samples are stored and where. */
export interface WavHeader {
  readonly sampleRate: number;
  readonly channels: number;
  readonly encoding: WavEncoding;
  /** Where the first frame begins, and how many frames there are. */
  readonly start: number;
  readonly frames: number;
}

/** The encodings that are read: integers of so many bits (8 are unsigned), and floats. */
export type WavEncoding = "u8" | "s16" | "s24" | "s32" | "f32" | "f64";

const bytesOf: Readonly<Record<WavEncoding, number>> = { u8: 1, s16: 2, s24: 3, s32: 4, f32: 4, f64: 8 };

const encodings: Readonly<Record<string, WavEncoding>> = {
  "1/8": "u8",
  "1/16": "s16",
  "1/24": "s24",
  "1/32": "s32",
  "3/32": "f32",
  "3/64": "f64",
};

/** WAVE_FORMAT_EXTENSIBLE: the format's number is the first two bytes of a GUID. */
const extensible = 0xfffe;

const corrupt = (file: string, found: string): never =>
  fail("TH6011", { where: [file], found, expected: "a complete RIFF WAVE file", fix: "replace or remove the file" });

const tagAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

interface Chunk {
  readonly tag: string;
  readonly start: number;
  readonly size: number;
}

/** Chunks up to and with the data, whose size may be unknown (a recorder that was cut off writes 0 or -1). */
function chunksOf(bytes: Uint8Array, view: DataView, file: string): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const chunk = { tag: tagAt(bytes, at), start: at + 8, size };
    chunks.push(chunk);
    if (chunk.start + size > bytes.length) {
      corrupt(file, `chunk ${JSON.stringify(chunk.tag)} of ${size} bytes with ${bytes.length - chunk.start} left`);
    }
    at = chunk.start + size + (size & 1);
  }
  return chunks;
}

/**
 * Reads the header of a WAV file (Microsoft and IBM 1991; WAVE_FORMAT_EXTENSIBLE of 2001).
 * Throws TH6011 for a file that is damaged or shorter than it says, TH6012 for encodings other than plain samples.
 */
export function readWavHeader(bytes: Uint8Array, file: string): WavHeader {
  if (bytes.length < 12 || tagAt(bytes, 0) !== "RIFF" || tagAt(bytes, 8) !== "WAVE") {
    return corrupt(file, "no RIFF WAVE header");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = chunksOf(bytes, view, file);
  const format = chunks.find((c) => c.tag === "fmt ");
  const data = chunks.find((c) => c.tag === "data");
  if (format === undefined || format.size < 16) return corrupt(file, "no format chunk");
  if (data === undefined) return corrupt(file, "no data chunk");
  const tag = view.getUint16(format.start, true);
  const isExtensible = tag === extensible && format.size >= 26;
  const code = isExtensible ? view.getUint16(format.start + 24, true) : tag;
  const channels = view.getUint16(format.start + 2, true);
  const sampleRate = view.getUint32(format.start + 4, true);
  const bits = view.getUint16(format.start + 14, true);
  const encoding = encodings[`${code}/${bits}`];
  if (encoding === undefined) {
    fail("TH6012", {
      where: [file],
      found: `WAV format ${code} of ${bits} bits`,
      expected: "integers of 8, 16, 24 or 32 bits, or floats",
      fix: "convert it, for example with `ffmpeg -i in.wav -c:a pcm_s16le out.wav`",
    });
  }
  if (channels === 0 || sampleRate === 0) return corrupt(file, `${channels} channels at ${sampleRate} Hz`);
  const frameBytes = bytesOf[encoding] * channels;
  if (data.size % frameBytes !== 0) return corrupt(file, `${data.size} bytes of frames of ${frameBytes}`);
  return { sampleRate, channels, encoding, start: data.start, frames: data.size / frameBytes };
}

const round16 = (value: number): number => Math.max(-32768, Math.min(32767, Math.round(value)));

/** One sample as a real number in units of an int16. */
const readers: Readonly<Record<WavEncoding, (view: DataView, at: number) => number>> = {
  u8: (view, at) => (view.getUint8(at) - 128) * 256,
  s16: (view, at) => view.getInt16(at, true),
  s24: (view, at) => view.getInt16(at + 1, true) + view.getUint8(at) / 256,
  s32: (view, at) => view.getInt32(at, true) / 65536,
  f32: (view, at) => view.getFloat32(at, true) * 32768,
  f64: (view, at) => view.getFloat64(at, true) * 32768,
};

/**
 * The samples of a WAV file as int16, channels averaged; wider samples are rounded. Throws as {@link readWavHeader}, and
 * TH6016 for floats that are no numbers.
 */
export function decodeWav(bytes: Uint8Array, file: string): { readonly header: WavHeader; readonly data: Int16Array } {
  const header = readWavHeader(bytes, file);
  const { channels, encoding, frames, start } = header;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readers[encoding];
  const step = bytesOf[encoding];
  const data = new Int16Array(frames);
  for (let i = 0, at = start; i < frames; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++, at += step) sum += read(view, at);
    if (Number.isNaN(sum)) {
      fail("TH6016", { where: [file], found: `NaN in frame ${i}`, fix: "replace or remove the file" });
    }
    data[i] = round16(sum / channels);
  }
  return { header, data };
}

/** A WAV file of mono int16 samples. */
export function encodeWav(data: Int16Array, sampleRate: number): Uint8Array {
  const bytes = new Uint8Array(44 + data.length * 2);
  const view = new DataView(bytes.buffer);
  const tag = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  tag(0, "RIFF");
  view.setUint32(4, 36 + data.length * 2, true);
  tag(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  tag(36, "data");
  view.setUint32(40, data.length * 2, true);
  data.forEach((sample, i) => {
    view.setInt16(44 + i * 2, sample, true);
  });
  return bytes;
}

/** Taps on each side of the interpolation filter, in periods of the lower of both rates. */
const sincReach = 16;

/**
 * Sound at another rate, by interpolation with a Hann-windowed sinc that lets nothing above half the lower rate pass.
 * Source: J. O. Smith, Digital Audio Resampling Home Page, 2002.
 */
export function resample(data: Int16Array, from: number, to: number): Int16Array {
  if (from === to) return data;
  const out = new Int16Array(Math.floor((data.length * to) / from));
  const cutoff = Math.min(1, to / from);
  const reach = sincReach / cutoff;
  for (let i = 0; i < out.length; i++) {
    const at = (i * from) / to;
    let [sum, weights] = [0, 0];
    for (let j = Math.max(0, Math.ceil(at - reach)); j <= Math.min(data.length - 1, at + reach); j++) {
      const x = (j - at) * cutoff;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      const weight = sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / sincReach));
      sum += weight * (data[j] as number);
      weights += weight;
    }
    out[i] = round16(weights === 0 ? 0 : sum / weights);
  }
  return out;
}
