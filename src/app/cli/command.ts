import type { RawOptions } from "./options.js";

/** How a command ended: what goes to stdout, and the exit code. */
export interface Outcome {
  readonly output: string;
  readonly exitCode: 0 | 1 | 3;
}

/** Where messages that are not the result go: stderr, or nowhere with --quiet. */
export interface Console {
  readonly note: (text: string) => void;
  /** Says which of `total` parts of a long job begins: a bar on a terminal, a line elsewhere. */
  readonly progress: (text: string, part: number, total: number) => void;
}

/** A command of the command line. */
export interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
  readonly examples: readonly string[];
  readonly run: (args: readonly string[], options: RawOptions, console: Console) => Promise<Outcome> | Outcome;
}

/** One JSON object on stdout. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
