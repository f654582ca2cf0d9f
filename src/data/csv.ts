import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { fail } from "../base/diagnostics.js";
import type { Signal } from "./dataset.js";
import type { Found, FoundExample } from "./found.js";
import { labelRuleOf, type PathFacts } from "./labels.js";
import { type Line, linesOf } from "./lines.js";
import type { CheckedOptions } from "./options.js";
import { orBad, type Problems } from "./problems.js";
import { warnOfShort, windowsOf } from "./windows.js";

/** The cells of a line; quoted ones need the library. */
function cellsOf(text: string, delimiter: string): readonly string[] {
  if (!text.includes('"')) return text.split(delimiter);
  const [record = []] = parse(text, { delimiter, relax_quotes: true }) as string[][];
  return record;
}

/** The separator of which a table's first line has most. */
const delimiterOf = (text: string): string =>
  [",", ";", "\t"].reduce((best, d) => (text.split(d).length > text.split(best).length ? d : best), ",");

const isNumber = (cell: string): boolean => cell.trim() !== "" && !Number.isNaN(Number(cell));

/** What the columns of a table are. */
interface Header {
  readonly names: readonly string[];
  readonly delimiter: string;
  /** Lines before the first row: 1, or 0 for a table without names. */
  readonly lines: 0 | 1;
  readonly values: readonly number[];
  readonly label: number | null;
  /** A column that is the same within a recording. */
  readonly recording: number | null;
  readonly time: number | null;
}

const labelNames = ["label", "class", "target", "activity", "gesture"];
const recordingNames = ["recording", "recording_id", "session", "sample_id", "id"];
const timeNames = ["timestamp", "time", "t", "time_ms", "ms"];

function headerOf(first: Line, path: string, options: CheckedOptions): Header {
  const delimiter = delimiterOf(first.text.replace(/^\uFEFF/, ""));
  const cells = cellsOf(first.text.replace(/^\uFEFF/, ""), delimiter).map((c) => c.trim());
  const lines = cells.every(isNumber) ? 0 : 1;
  const names = lines === 1 ? cells : cells.map((_, i) => `column${i}`);
  const indexOf = (wanted: readonly string[]): number | null => {
    const index = names.findIndex((n) => wanted.includes(n.toLowerCase()));
    return index < 0 ? null : index;
  };
  const missing = [
    ...(options.columns ?? []),
    ...(options.labelColumn === undefined ? [] : [options.labelColumn]),
  ].find((name) => !names.includes(name));
  if (missing !== undefined) {
    fail("TH6015", {
      where: [path, "line 1"],
      message: "a table has no column of that name",
      found: names.join(", "),
      expected: missing,
      fix: "correct the option, or the table's first line",
    });
  }
  const label = options.labelColumn === undefined ? indexOf(labelNames) : names.indexOf(options.labelColumn);
  const [recording, time] = [indexOf(recordingNames), indexOf(timeNames)];
  const values = names.flatMap((name, i) => {
    const isValue = options.columns?.includes(name) ?? (i !== label && i !== recording && i !== time);
    return isValue ? [i] : [];
  });
  return { names, delimiter, lines, values, label, recording, time };
}

/** Rows that follow each other in one recording. */
interface Run {
  readonly label: string | null;
  readonly recording: string | null;
  readonly firstLine: number;
  /** Where each row begins, and where the last ends. */
  readonly offsets: readonly number[];
  readonly end: number;
}

interface Table {
  readonly header: Header;
  readonly runs: readonly Run[];
  /** Milliseconds between rows, by the first two of the time column. */
  readonly intervalMs: number | null;
}

/** Reports what is wrong with a row; the first few of a file say enough. */
function checkRow(cells: readonly string[], header: Header, where: readonly string[], problems: Problems): boolean {
  if (cells.length !== header.names.length) {
    problems.bad("TH6013", {
      where,
      message: "a row has another number of cells than the table has columns",
      found: `${cells.length}`,
      expected: `${header.names.length}`,
      fix: "correct or remove the row",
    });
    return false;
  }
  const wrong = header.values.find((i) => !isNumber(cells[i] ?? "") || !Number.isFinite(Number(cells[i])));
  if (wrong === undefined) return true;
  problems.bad("TH6016", {
    where: [...where, `column ${header.names[wrong]}`],
    found: JSON.stringify(cells[wrong]),
    fix: "correct or remove the row, or name the columns that are values",
  });
  return false;
}

/** Bad rows of one file that are reported; more say nothing new. */
const maxBadRows = 20;

/** Reads a table's rows, dividing them where a blank line, another label or another recording begins. */
function scanTable(path: string, options: CheckedOptions, problems: Problems): Table | null {
  let header: Header | null = null;
  const runs: Run[] = [];
  const times: number[] = [];
  let current: { run: Run; offsets: number[]; end: number } | null = null;
  let bad = 0;
  const close = (): void => {
    if (current !== null) runs.push({ ...current.run, offsets: current.offsets, end: current.end });
    current = null;
  };
  for (const line of linesOf(path)) {
    if (header === null) {
      header = headerOf(line, path, options);
      if (header.lines === 1) continue;
    }
    if (/^[\s,;]*$/.test(line.text)) {
      close();
      continue;
    }
    const cells = cellsOf(line.text, header.delimiter);
    // A header that is repeated begins another recording.
    if (cells.length === header.names.length && header.names.every((n, i) => n === cells[i]?.trim())) {
      close();
      continue;
    }
    if (bad < maxBadRows && !checkRow(cells, header, [path, `line ${line.number}`], problems)) {
      bad++;
      close();
      continue;
    }
    const label = header.label === null ? null : (cells[header.label] ?? "").trim();
    const recording = header.recording === null ? null : (cells[header.recording] ?? "").trim();
    if (times.length < 2 && header.time !== null) times.push(Number(cells[header.time]));
    if (current === null || current.run.label !== label || current.run.recording !== recording) {
      close();
      current = { run: { label, recording, firstLine: line.number, offsets: [], end: 0 }, offsets: [], end: 0 };
    }
    current.offsets.push(line.offset);
    current.end = line.offset + line.bytes;
  }
  close();
  const interval = (times[1] ?? Number.NaN) - (times[0] ?? Number.NaN);
  return header === null ? null : { header, runs, intervalMs: interval > 0 ? interval : null };
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Recordings whose lengths differ need a window or a length; a common divisor is likely to be the one. */
function checkLengths(rows: readonly number[], options: CheckedOptions, root: string, problems: Problems): void {
  const lengths = [...new Set(rows)];
  if (lengths.length < 2 || options.length !== undefined) return;
  const divisor = lengths.reduce(greatestDivisor);
  problems.bad("TH6013", {
    where: [root],
    message: "recordings have different numbers of rows",
    found: `${lengths.slice(0, 8).join(", ")}${lengths.length > 8 ? ", ..." : ""}`,
    expected: "rows of one number",
    fix: `give the rows of an example as \`window\`${divisor > 4 ? ` (all are multiples of ${divisor})` : ""}, or a \`length\` to cut and fill to`,
  });
}

/** Labels of paths, or of the table's own column. */
interface Source {
  readonly name: string;
  readonly table: Table;
  readonly facts: PathFacts | null;
}

function examplesOf(
  { name, table, facts }: Source,
  file: number,
  options: CheckedOptions,
): readonly (FoundExample & { readonly rows: number })[] {
  const isTabular = table.header.label !== null && options.window === undefined && options.length === undefined;
  const window = isTabular ? 1 : (options.window ?? null);
  return table.runs.flatMap((run) =>
    windowsOf(run.offsets.length, window, options.hop ?? window ?? 1).map(({ first, rows }) => {
      const offset = run.offsets[first] ?? 0;
      return {
        name: `${name}:${run.firstLine + first}`,
        label: run.label ?? facts?.label ?? null,
        split: facts?.split ?? null,
        group: facts?.group ?? run.recording,
        order: facts?.order ?? null,
        file,
        offset,
        bytes: (run.offsets[first + rows] ?? run.end) - offset,
        rows,
      };
    }),
  );
}

/**
 * Scans tables of comma-, semicolon- or tab-separated values: of one class each, by path, or with a column of labels.
 * A blank line, another label or another recording ends a recording. Values stay in the files.
 */
export function scanCsv(
  root: string,
  names: readonly string[],
  options: CheckedOptions,
  problems: Problems,
): Found | null {
  const tables = names.flatMap((name) => {
    const table = orBad(problems, () => scanTable(join(root, name), options, problems));
    return table === null ? [] : [{ name, table }];
  });
  const [first] = tables;
  if (first === undefined) return null;
  const labelled = first.table.header.label !== null;
  const rule = labelled ? null : labelRuleOf(names, options.pattern, "yes", problems);
  const columns = first.table.header.values.map((i) => first.table.header.names[i] ?? "");
  const fitting = tables.filter(({ name, table }) => {
    const found = table.header.values.map((i) => table.header.names[i] ?? "");
    if (found.join() === columns.join() && table.header.delimiter === first.table.header.delimiter) return true;
    problems.bad("TH6013", {
      where: [join(root, name), "line 1"],
      message: "a table has other columns than the others",
      found: found.join(", "),
      expected: `${columns.join(", ")}, as ${first.name} has`,
      fix: "give tables of the same columns, or name those to use",
    });
    return false;
  });
  const splitFacts = labelRuleOf(names, undefined, "yes", problems);
  const examples = fitting.flatMap(({ name, table }, i) =>
    examplesOf({ name, table, facts: rule?.of(name) ?? splitOnly(splitFacts?.of(name)) }, i, options),
  );
  const { window } = options;
  if (window !== undefined) {
    const isShort = (run: Run): boolean => run.offsets.length < window;
    const short = fitting.flatMap(({ name, table }) =>
      table.runs.filter(isShort).map((run) => `${name}:${run.firstLine}`),
    );
    warnOfShort(root, short, window, problems);
  }
  checkLengths(
    examples.map((e) => e.rows),
    options,
    root,
    problems,
  );
  const rows = options.length ?? examples[0]?.rows ?? 0;
  const isRow = labelled && rows === 1;
  const interval = first.table.intervalMs;
  return {
    layout: `tables of a time series, ${rule === null ? "a column of labels" : rule.words}`,
    kind: isRow ? "tensor" : "series",
    encoding: { format: "csv", delimiter: first.table.header.delimiter, columns: first.table.header.values },
    files: fitting.map(({ name }) => ({ path: join(root, name), shared: null })),
    examples: examples.map(({ rows: _, ...example }) => example),
    shape: isRow ? [columns.length] : [rows, columns.length],
    sampleRate: options.sampleRate ?? (interval === null ? null : 1000 / interval),
    columns,
    targets: null,
  };
}

/** Where a column holds the labels, a path says at most the split. */
const splitOnly = (facts: PathFacts | undefined): PathFacts | null =>
  facts === undefined ? null : { ...facts, label: null };

/** The values of rows of a table, whose columns are known, as [rows, columns]. */
export function decodeCsv(bytes: Uint8Array, delimiter: string, columns: readonly number[], where: string): Signal {
  const lines = new TextDecoder().decode(bytes).split("\n");
  const rows = lines.filter((text) => text.trim() !== "");
  const data = new Float32Array(rows.length * columns.length);
  rows.forEach((text, y) => {
    const cells = cellsOf(text, delimiter);
    columns.forEach((column, x) => {
      const value = Number(cells[column]);
      if (!Number.isFinite(value)) {
        fail("TH6016", { where: [where], found: JSON.stringify(cells[column] ?? ""), fix: "open the data set again" });
      }
      data[y * columns.length + x] = value;
    });
  });
  return { shape: [rows.length, columns.length], data };
}
