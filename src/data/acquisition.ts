import { decode as decodeCbor } from "cborg";
import { z } from "zod";
import { fail } from "../base/diagnostics.js";
import type { Signal, Split } from "./dataset.js";

/**
 * A recording in Edge Impulse's data acquisition format, JSON or CBOR.
 * Source: docs.edgeimpulse.com, "Data acquisition format".
 */
export interface Acquisition extends Signal {
  readonly columns: readonly string[];
  readonly sampleRate: number;
  /** Sound is one column of int16 values. */
  readonly kind: "audio" | "series";
}

const row = z.union([z.number(), z.array(z.number())]);
const schema = z.object({
  payload: z.object({
    interval_ms: z.number().positive(),
    sensors: z.array(z.object({ name: z.string(), units: z.string().optional() })).min(1),
    values: z.array(row).min(1),
  }),
});

function parse(bytes: Uint8Array, file: string): unknown {
  const isJson = bytes[0] === 0x7b || bytes[0] === 0x20 || bytes[0] === 0x0a || bytes[0] === 0x0d;
  try {
    return isJson ? JSON.parse(new TextDecoder().decode(bytes)) : decodeCbor(bytes);
  } catch (error) {
    return fail("TH6011", {
      where: [file],
      found: error instanceof Error ? error.message : String(error),
      expected: "JSON or CBOR of the data acquisition format",
      fix: "replace or remove the file",
    });
  }
}

/** The values of a recording: int16 [samples] of sound, float32 [rows, sensors] of anything else. */
export function decodeAcquisition(bytes: Uint8Array, file: string): Acquisition {
  const checked = schema.safeParse(parse(bytes, file));
  if (!checked.success) {
    return fail("TH6011", {
      where: [file],
      found: z.prettifyError(checked.error).slice(0, 300),
      expected: "payload with interval_ms, sensors and values, all of them numbers",
      fix: "replace or remove the file",
    });
  }
  const { interval_ms: intervalMs, sensors, values } = checked.data.payload;
  const columns = sensors.map((s) => s.name);
  const data = new Float32Array(values.length * columns.length);
  values.forEach((value, y) => {
    const cells = typeof value === "number" ? [value] : value;
    if (cells.length !== columns.length) {
      fail("TH6013", {
        where: [file, `row ${y} of payload.values`],
        found: `${cells.length} values`,
        expected: `${columns.length}, one for each sensor`,
        fix: "correct or remove the file",
      });
    }
    data.set(cells, y * columns.length);
  });
  const sampleRate = 1000 / intervalMs;
  const [only] = sensors;
  const isAudio = columns.length === 1 && (only?.units === "wav" || only?.name.toLowerCase() === "audio");
  if (!isAudio) return { shape: [values.length, columns.length], data, columns, sampleRate, kind: "series" };
  const sound = Int16Array.from(data, (v) => Math.max(-32768, Math.min(32767, Math.round(v))));
  return { shape: [sound.length], data: sound, columns: [], sampleRate: Math.round(sampleRate), kind: "audio" };
}

/** One line of `info.labels`. */
export interface LabelEntry {
  readonly path: string;
  readonly label: string | null;
  readonly split: Split | null;
}

const labelsSchema = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      category: z.string().optional(),
      label: z.object({ type: z.string(), label: z.string().optional() }),
    }),
  ),
});

const categories: Readonly<Record<string, Split>> = { training: "train", testing: "test", validation: "validation" };

/** Labels and splits of the files that an `info.labels` names. Throws TH6011 for one that is damaged. */
export function readInfoLabels(bytes: Uint8Array, file: string): readonly LabelEntry[] {
  const checked = labelsSchema.safeParse(parse(bytes, file));
  if (!checked.success) {
    return fail("TH6011", {
      where: [file],
      found: z.prettifyError(checked.error).slice(0, 300),
      expected: "files, each with path and label",
      fix: "export the data set again",
    });
  }
  return checked.data.files.map(({ path, category, label }) => ({
    path,
    label: label.type === "label" ? (label.label ?? null) : null,
    split: categories[category ?? ""] ?? null,
  }));
}
