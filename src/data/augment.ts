import { z } from "zod";
import { fail } from "../base/diagnostics.js";
import type { Random } from "../base/random.js";
import { same, sampleAt, sizeOf } from "./resample.js";

const amount = z.number().positive();
const whole = z.number().int().positive();
const probability = z.number().min(0).max(1).default(1);

/**
 * One random change of an example. Amounts are the largest; what is applied is drawn uniformly from minus that to that,
 * unless said otherwise. Levels are parts of full scale (255 for images, 32768 for sound, 1 for series).
 */
const step = z.discriminatedUnion("kind", [
  /** Images: moves by whole pixels; what is uncovered is `fill`. */
  z.strictObject({ kind: z.literal("shift"), pixels: whole, fill: z.number().default(0), probability }),
  /** Images: a part of between `area` and all of the image, brought to its size (Szegedy et al. 2015, section 6). */
  z.strictObject({ kind: z.literal("crop"), area: z.number().positive().max(1), probability }),
  /** Images: mirrored, half of the time. */
  z.strictObject({ kind: z.literal("flip"), axis: z.enum(["horizontal", "vertical"]).default("horizontal") }),
  /** Images: a square of this width, anywhere, is `fill` (DeVries and Taylor 2017). */
  z.strictObject({ kind: z.literal("cutout"), pixels: whole, fill: z.number().default(0), probability }),
  z.strictObject({ kind: z.literal("brightness"), level: amount, probability }),
  /** Images: differences from the mean are scaled by 1 plus the amount drawn. */
  z.strictObject({ kind: z.literal("contrast"), amount: amount.max(1), probability }),
  /** Gaussian, of a standard deviation drawn between 0 and the level. */
  z.strictObject({ kind: z.literal("noise"), level: amount, probability }),
  /** Sound and series: moved in time; what is uncovered is zero. */
  z.strictObject({ kind: z.literal("timeShift"), milliseconds: amount, probability }),
  z.strictObject({ kind: z.literal("gain"), decibels: amount, probability }),
  /** Sound: a piece of a background recording is added, scaled by between 0 and the volume. */
  z.strictObject({ kind: z.literal("background"), volume: amount, probability: probability.default(0.8) }),
  /** Series: columns, three by three, are turned together around any axis. */
  z.strictObject({ kind: z.literal("rotation"), degrees: amount, probability }),
  /** Series: each column is scaled by a factor of its own. */
  z.strictObject({ kind: z.literal("scaling"), amount: amount.max(1), probability }),
  /** Sound and series: time runs faster and slower by up to this part (Um et al. 2017). */
  z.strictObject({ kind: z.literal("timeWarp"), amount: amount.max(0.9), probability }),
  /** Features of a front-end: bands of time and of frequency are `fill` (Park et al. 2019; no time warping). */
  z.strictObject({
    kind: z.literal("specAugment"),
    times: z.number().int().min(0).default(1),
    timeWidth: whole,
    bands: z.number().int().min(0).default(1),
    bandWidth: whole,
    fill: z.number().default(0),
    probability,
  }),
  /** Examples of a batch are mixed in pairs, by Beta(alpha, alpha), and so are their labels (Zhang et al. 2018). */
  z.strictObject({ kind: z.literal("mixup"), alpha: amount }),
]);

const schema = z.array(step);

export type AugmentStep = z.output<typeof step>;
/** Augmentation as plain data: `[{ kind: "shift", pixels: 2 }, { kind: "mixup", alpha: 0.2 }]`. */
export type Augmentation = z.input<typeof schema>;
type SignalStep = Exclude<AugmentStep, { kind: "mixup" }>;

/** Fills in defaults. Throws TH6003 for what is no augmentation. */
export function checkAugmentation(steps: Augmentation): readonly AugmentStep[] {
  const parsed = schema.safeParse(steps);
  if (parsed.success) return parsed.data;
  return fail("TH6003", {
    where: ["augmentation"],
    found: z.prettifyError(parsed.error),
    fix: "correct the steps named",
  });
}

/** When a step is applied: to what was recorded, to what a front-end made of it, or to a whole batch. */
export const stageOf = ({ kind }: AugmentStep): "signal" | "features" | "batch" =>
  kind === "mixup" ? "batch" : kind === "specAugment" ? "features" : "signal";

/** What a step needs to know besides the values. */
export interface AugmentContext {
  readonly shape: readonly number[];
  /** The largest value of the kind of signal: 255, 32768 or 1. */
  readonly fullScale: number;
  readonly sampleRate: number | null;
  /** Background recordings, if there are any. */
  readonly background: readonly Int16Array[];
}

type Apply<S> = (data: Float32Array, step: S, random: Random, context: AugmentContext) => Float32Array;

const between = (random: Random, low: number, high: number): number => low + random.unit() * (high - low);

/** Sets a block of rows and columns to a value. */
function fillBlock(
  data: Float32Array,
  context: AugmentContext,
  rows: readonly [from: number, to: number],
  columns: readonly [from: number, to: number],
  fill: number,
): void {
  const [height, width, channels] = sizeOf(context.shape);
  for (let y = Math.max(0, rows[0]); y < Math.min(height, rows[1]); y++) {
    const [from, to] = [Math.max(0, columns[0]), Math.min(width, columns[1])];
    if (to > from) data.fill(fill, (y * width + from) * channels, (y * width + to) * channels);
  }
}

/** A rotation by an angle around a random axis, as rows of a matrix (Rodrigues). */
function rotationMatrix(random: Random, radians: number): readonly (readonly number[])[] {
  const raw = [random.normal(), random.normal(), random.normal()] as const;
  const length = Math.hypot(...raw) || 1;
  const [x, y, z] = raw.map((v) => v / length) as [number, number, number];
  const [c, s] = [Math.cos(radians), Math.sin(radians)];
  const k = 1 - c;
  return [
    [c + x * x * k, x * y * k - z * s, x * z * k + y * s],
    [y * x * k + z * s, c + y * y * k, y * z * k - x * s],
    [z * x * k - y * s, z * y * k + x * s, c + z * z * k],
  ];
}

/** Moves rows in time; positive is later. */
function moveRows(data: Float32Array, rowLength: number, rows: number): Float32Array {
  const out = new Float32Array(data.length);
  const step = rows * rowLength;
  if (step >= 0) out.set(data.subarray(0, Math.max(0, data.length - step)), Math.min(step, data.length));
  else out.set(data.subarray(Math.min(-step, data.length)));
  return out;
}

/** A smooth monotone map of [0, 1] onto itself whose slope stays within 1 +- amount. */
function warp(random: Random, amount: number): (t: number) => number {
  const phase = random.unit() * 2 * Math.PI;
  const periods = random.integer(1, 2);
  const depth = (amount * between(random, 0.2, 1)) / (2 * Math.PI * periods);
  return (t) => t + depth * (Math.sin(2 * Math.PI * periods * t + phase) - Math.sin(phase));
}

const mapped = (data: Float32Array, map: (v: number, i: number) => number): Float32Array => {
  for (let i = 0; i < data.length; i++) data[i] = map(data[i] as number, i);
  return data;
};

const steps: { readonly [K in SignalStep["kind"]]: Apply<Extract<SignalStep, { kind: K }>> } = {
  shift: (data, { pixels, fill }, random, context) => {
    const [dy, dx] = [random.integer(-pixels, pixels), random.integer(-pixels, pixels)];
    return sampleAt(data, context.shape, [(y) => y - dy, (x) => x - dx], fill);
  },
  crop: (data, { area }, random, context) => {
    const [height, width] = sizeOf(context.shape);
    const side = Math.sqrt(between(random, area, 1));
    const [top, left] = [random.unit() * (1 - side) * (height - 1), random.unit() * (1 - side) * (width - 1)];
    return sampleAt(data, context.shape, [(y) => top + y * side, (x) => left + x * side], 0);
  },
  flip: (data, { axis }, random, context) => {
    if (random.unit() < 0.5) return data;
    const [height, width] = sizeOf(context.shape);
    const isHorizontal = axis === "horizontal";
    return sampleAt(
      data,
      context.shape,
      isHorizontal ? [same, (x) => width - 1 - x] : [(y) => height - 1 - y, same],
      0,
    );
  },
  cutout: (data, { pixels, fill }, random, context) => {
    const [height, width] = sizeOf(context.shape);
    const [top, left] = [random.integer(0, height - 1) - (pixels >> 1), random.integer(0, width - 1) - (pixels >> 1)];
    fillBlock(data, context, [top, top + pixels], [left, left + pixels], fill);
    return data;
  },
  brightness: (data, { level }, random, { fullScale }) => {
    const offset = between(random, -level, level) * fullScale;
    return mapped(data, (v) => Math.max(0, Math.min(fullScale, v + offset)));
  },
  contrast: (data, { amount }, random, { fullScale }) => {
    const factor = 1 + between(random, -amount, amount);
    const mean = data.reduce((sum, v) => sum + v, 0) / data.length;
    return mapped(data, (v) => Math.max(0, Math.min(fullScale, mean + (v - mean) * factor)));
  },
  noise: (data, { level }, random, { fullScale }) => {
    const sigma = random.unit() * level * fullScale;
    return mapped(data, (v) => v + sigma * random.normal());
  },
  timeShift: (data, { milliseconds }, random, context) => {
    const most = Math.round((milliseconds / 1000) * (context.sampleRate ?? 1000));
    const [rows] = sizeOf(context.shape);
    return moveRows(data, data.length / rows, random.integer(-most, most));
  },
  gain: (data, { decibels }, random) => {
    const factor = 10 ** (between(random, -decibels, decibels) / 20);
    return mapped(data, (v) => v * factor);
  },
  background: (data, { volume }, random, { background }) => {
    const noise = background[random.integer(0, Math.max(0, background.length - 1))];
    if (noise === undefined || noise.length === 0) return data;
    const from = random.integer(0, Math.max(0, noise.length - data.length));
    const factor = random.unit() * volume;
    return mapped(data, (v, i) => v + factor * (noise[(from + i) % noise.length] as number));
  },
  rotation: (data, { degrees }, random, context) => {
    const matrix = rotationMatrix(random, (between(random, -degrees, degrees) * Math.PI) / 180);
    const columns = context.shape.at(-1) ?? 1;
    for (let row = 0; row < data.length; row += columns) {
      for (let c = 0; c + 3 <= columns; c += 3) {
        const [x = 0, y = 0, z = 0] = data.subarray(row + c, row + c + 3);
        data.set(
          matrix.map(([a = 0, b = 0, d = 0]) => a * x + b * y + d * z),
          row + c,
        );
      }
    }
    return data;
  },
  scaling: (data, { amount }, random, context) => {
    const columns = context.shape.at(-1) ?? 1;
    const factors = Array.from({ length: columns }, () => 1 + between(random, -amount, amount));
    return mapped(data, (v, i) => v * (factors[i % columns] as number));
  },
  timeWarp: (data, { amount }, random, context) => {
    const [rows] = sizeOf(context.shape);
    const map = warp(random, amount);
    const place = (y: number): number => Math.max(0, Math.min(rows - 1, map(y / rows) * rows));
    const flat = { ...context, shape: [rows, 1, data.length / rows] };
    return sampleAt(data, flat.shape, [place, same], 0);
  },
  specAugment: (data, { times, timeWidth, bands, bandWidth, fill }, random, context) => {
    // Features are [frames, bands, 1] or [frames, bands].
    const [frames = 1, second = 1] = context.shape;
    const width = context.shape.length > 2 && second === 1 ? (context.shape[2] ?? 1) : second;
    const flat = { ...context, shape: [frames, width, 1] };
    for (let i = 0; i < times; i++) {
      const size = random.integer(0, Math.min(timeWidth, frames));
      const from = random.integer(0, frames - size);
      fillBlock(data, flat, [from, from + size], [0, width], fill);
    }
    for (let i = 0; i < bands; i++) {
      const size = random.integer(0, Math.min(bandWidth, width));
      const from = random.integer(0, width - size);
      fillBlock(data, flat, [0, frames], [from, from + size], fill);
    }
    return data;
  },
};

/** Applies steps to the values of an example, which may be overwritten; the result has the same length. */
export function augment(
  data: Float32Array,
  list: readonly SignalStep[],
  random: Random,
  context: AugmentContext,
): Float32Array {
  let values = data;
  for (const s of list) {
    if ("probability" in s && s.probability < 1 && random.unit() >= s.probability) continue;
    values = (steps[s.kind] as Apply<SignalStep>)(values, s, random, context);
  }
  return values;
}

/** A sample of the gamma distribution of scale 1 (Marsaglia and Tsang 2000). */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.unit()) ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random.unit()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A sample of Beta(alpha, alpha). */
export function beta(alpha: number, random: Random): number {
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
  return a + b === 0 ? 0.5 : a / (a + b);
}
