import { fail } from "../base/diagnostics.js";
import type { Found } from "./found.js";
import type { DatasetOptions } from "./options.js";

interface Rule {
  readonly applies: (found: Found, options: DatasetOptions) => boolean;
  /** What it goes with. */
  readonly goesWith: string;
}

const isSeries: Rule = {
  applies: ({ encoding, kind }) =>
    encoding.format === "csv" || (encoding.format === "acquisition" && kind === "series"),
  goesWith: "recordings of series: tables (CSV, TSV) and the acquisition format",
};
const isTable: Rule = { applies: ({ encoding }) => encoding.format === "csv", goesWith: "tables (CSV, TSV)" };

/** Options that say something of some data only. */
const rules: Partial<Record<keyof DatasetOptions, Rule>> = {
  pattern: { applies: ({ encoding }) => encoding.format !== "raw", goesWith: "files whose names say their class" },
  image: { applies: ({ kind }) => kind === "image", goesWith: "images" },
  length: { applies: ({ kind }) => kind !== "image", goesWith: "sound and series" },
  window: isSeries,
  hop: {
    applies: (found, { window }) => window !== undefined && isSeries.applies(found, {}),
    goesWith: `a window, in ${isSeries.goesWith}`,
  },
  columns: isTable,
  labelColumn: isTable,
  sampleRate: { applies: ({ kind }) => kind === "audio" || kind === "series", goesWith: "sound and series" },
};

/**
 * Throws TH6003 for an option that says nothing of this data: whoever gave it would wait for what it does not do.
 * Resampling needs no rule, as it needs a rate.
 */
export function checkApplicable(found: Found, options: DatasetOptions): void {
  for (const [name, { applies, goesWith }] of Object.entries(rules)) {
    if (options[name as keyof DatasetOptions] === undefined || applies(found, options)) continue;
    fail("TH6003", {
      where: ["data set options", name],
      found: `${found.layout} (${found.kind})`,
      expected: goesWith,
      fix: "leave the option out, or bring the data into a form that it goes with",
    });
  }
}
