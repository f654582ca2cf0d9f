import { expect, test } from "vitest";
import { encodeRequests, programTable, pushedBytes } from "./program.js";
import { requestBytes, windowBytes } from "./series.js";
import type { ProgramModel } from "./target.js";

const series: ProgramModel = {
  name: "series",
  pushed: { index: 0, rows: 5, rowBytes: 2 },
  hopRows: 3,
  arenaBytes: 32,
  inputs: [{ offset: 0, bytes: 10 }],
  outputs: [{ offset: 4, bytes: 3 }],
  gaps: [],
};

test("a window takes whole hops, the first of which begins with rows that do not count", () => {
  expect(windowBytes(series)).toBe(12);
  expect(pushedBytes([series])).toBe(12);
  const table = programTable([series]);
  expect(table).toContain("at < 12u; at += 6u");
  expect(table).toContain("{hop_0, 6u, 2u}");
});

test("a request is a window, and one that keeps the state is a hop", () => {
  const window = { model: 0, inputs: [new Uint8Array(10)] };
  const hop = { model: 0, inputs: [new Uint8Array(6)], keepState: true as const };
  expect(requestBytes(series, window)).toEqual([10]);
  expect(requestBytes(series, hop)).toEqual([6]);
  expect(encodeRequests([series], [window, hop])).toHaveLength(8 + 8 + 10 + 8 + 6);
  expect(() => encodeRequests([series], [window, { ...window, keepState: true }])).toThrow("TH6002");
});

test("other models have no hops", () => {
  const { hopRows, ...pushed } = series;
  expect(requestBytes(pushed, { model: 0, inputs: [new Uint8Array(10)], keepState: true })).toEqual([10]);
  expect(programTable([pushed])).toContain("series_push_rows");
  expect(programTable([{ ...pushed, pushed: null }])).toContain("series_invoke");
});
