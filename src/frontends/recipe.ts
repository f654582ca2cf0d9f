import { z } from "zod";
import { fail } from "../base/diagnostics.js";

const count = z.number().int().positive();

/** Sound: frames of `windowMs` every `hopMs`, as the operators over spectra take them. */
const sound = {
  sampleRate: count,
  windowMs: z.number().positive().default(32),
  hopMs: z.number().positive().default(20),
  /** Points of the transform; default: the least power of two that holds the window. */
  fft: count.optional(),
  /** Levels, in decibels of full scale, that become -1 and 1. */
  lowDb: z.number().default(-90),
  highDb: z.number().default(-10),
};

const mel = {
  ...sound,
  mels: count.default(40),
  lowHz: z.number().min(0).default(20),
  /** Default: half the sample rate. */
  highHz: z.number().positive().optional(),
  scale: z.enum(["htk", "slaney"]).default("htk"),
};

/** For each column the value that is 1: a sensor's full scale. The device is given 32768ths of it, as sensors give them. */
const fullScale = z.array(z.number().positive()).min(1);

const schema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("log-mel"), ...mel }),
  z.strictObject({ kind: z.literal("mfcc"), ...mel, coefficients: count.default(10) }),
  z.strictObject({ kind: z.literal("spectrogram"), ...sound }),
  /** Of windows of a series: each column's statistics, cosines between columns, energy in bands. */
  z.strictObject({
    kind: z.literal("imu-features"),
    /** Rows of a window; default: all of an example. The step from one to the next; default: the window. */
    window: count.optional(),
    hop: count.optional(),
    fullScale,
    statistics: z.boolean().default(true),
    similarities: z.boolean().default(true),
    bands: z.number().int().min(0).max(16).default(4),
    lowDb: z.number().default(-80),
    highDb: z.number().default(0),
  }),
  /** A series as it is, each column as a part of its full scale. */
  z.strictObject({ kind: z.literal("series"), fullScale }),
  /** Pixels of a camera as -1 to 1 (or whatever the network's input is), brought to a size. */
  z.strictObject({ kind: z.literal("image"), height: count, width: count }),
]);

/** Front-ends of sound, which need its rate. */
export const soundKinds = ["log-mel", "mfcc", "spectrogram"] as const;

/** A front-end as plain data: `{ kind: "mfcc", sampleRate: 16000, windowMs: 40, hopMs: 20, coefficients: 10 }`. */
export type Recipe = z.input<typeof schema>;
export type CheckedRecipe = z.output<typeof schema>;

/** Fills in defaults. Throws TH6003 for what is no front-end. */
export function checkRecipe(recipe: unknown): CheckedRecipe {
  const parsed = schema.safeParse(recipe);
  if (parsed.success) return parsed.data;
  return fail("TH6003", {
    where: ["front-end"],
    found: z.prettifyError(parsed.error),
    fix: "correct the fields named",
  });
}
