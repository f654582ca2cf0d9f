import { fail } from "../base/diagnostics.js";
import { readRange, sizeOf } from "./files.js";

const chunkBytes = 2 ** 20;
/** A longer line is no row of a table. */
const maxLineBytes = 2 ** 20;

/** A line of a file without its end; `number` counts from 1. */
export interface Line {
  readonly text: string;
  readonly offset: number;
  readonly bytes: number;
  readonly number: number;
}

/** The lines of a file, read piece by piece. Throws TH6011 for one that is no text of lines. */
export function* linesOf(path: string): Generator<Line> {
  const total = sizeOf(path);
  const file = { path, shared: null };
  let [rest, offset, number] = [new Uint8Array(0), 0, 1];
  for (let at = 0; at < total; ) {
    const size = Math.min(chunkBytes, total - at);
    const chunk = readRange(file, at, size);
    at += size;
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield lineOf(bytes.subarray(start, end), offset + start, number++);
      start = end + 1;
    }
    offset += start;
    rest = bytes.slice(start);
    if (rest.length > maxLineBytes) {
      fail("TH6011", {
        where: [path, `line ${number}`],
        found: `a line of more than ${maxLineBytes} bytes`,
        expected: "a table of comma-separated values",
        fix: "replace or remove the file",
      });
    }
  }
  if (rest.length > 0) yield lineOf(rest, offset, number);
}

const lineOf = (bytes: Uint8Array, offset: number, number: number): Line => ({
  text: new TextDecoder().decode(bytes).replace(/\r$/, ""),
  offset,
  bytes: bytes.length,
  number,
});
