import { z } from "zod";
import { fail } from "../base/diagnostics.js";

const fraction = z.number().min(0).max(0.9);
const count = z.number().int().positive();

/**
 * How examples are divided where no folder or list says it.
 *
 * - `hash`: by the name of the example without what follows `_nohash_`, as the Speech Commands data set does (Warden
 *   2018), so that an example stays where it is when others come. `by: "group"` keeps all examples of a group together.
 * - `index`: examples whose number (`{index}` of the pattern) lies in a range, both ends included.
 * - `lists`: files that name the examples of a split by their paths.
 */
const splitRule = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("hash"),
    validation: fraction.default(0.1),
    test: fraction.default(0.1),
    by: z.enum(["name", "group"]).default("name"),
  }),
  z.strictObject({
    kind: z.literal("index"),
    test: z.tuple([z.number().int(), z.number().int()]),
    validation: z.tuple([z.number().int(), z.number().int()]).optional(),
  }),
  z.strictObject({
    kind: z.literal("lists"),
    test: z.string().default("testing_list.txt"),
    validation: z.string().default("validation_list.txt"),
  }),
]);

const schema = z.strictObject({
  /** Names of files with their parts: `{label}_{group}_{index}`; `{...}` is anything. Default: folders name classes. */
  pattern: z.string().optional(),
  split: splitRule.optional(),
  /** Part of the training examples that is kept for validation where folders or lists name no validation set. */
  validation: fraction.default(0.1),
  /** Samples in a second that sound must have; found in the files unless given. */
  sampleRate: count.optional(),
  /** What is done with sound of another rate. */
  otherRates: z.enum(["refuse", "resample"]).default("refuse"),
  /** Samples of sound, or rows of a series, of every example: longer ones are cut, shorter ones filled with zeros. */
  length: count.optional(),
  align: z.enum(["start", "center"]).default("start"),
  /** Rows of a series that make one example, and the step from one to the next (default: the window). */
  window: count.optional(),
  hop: count.optional(),
  /** Columns of a series that are values; default: all but the label's and the time's. */
  columns: z.array(z.string()).min(1).optional(),
  labelColumn: z.string().optional(),
  /** Images are brought to this size. */
  image: z
    .strictObject({ height: count.max(4096), width: count.max(4096), channels: z.union([z.literal(1), z.literal(3)]) })
    .partial({ channels: true })
    .optional(),
  /** What networks are to give: what the data says of each example, or the example itself, as autoencoders do. */
  targets: z.enum(["labels", "inputs"]).default("labels"),
  /** Leaves bad files out, with warnings, in place of refusing the data set. */
  bad: z.enum(["fail", "skip"]).default("fail"),
  /** What is looked at before training: everything, or, for large sets, that files exist. */
  check: z.enum(["everything", "names"]).default("everything"),
});

/** What a caller may say about a data set; all of it may be left out. */
export type DatasetOptions = z.input<typeof schema>;
export type CheckedOptions = z.output<typeof schema>;
export type SplitRule = z.output<typeof splitRule>;

/** Fills in defaults. Throws TH6003 for options that are none. */
export function checkOptions(options: DatasetOptions): CheckedOptions {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  return fail("TH6003", {
    where: ["data set options"],
    found: z.prettifyError(parsed.error),
    fix: "correct the options named",
  });
}
