import { expect, test } from "vitest";
import { decodeResponse, encodeRequests, programFiles, programTable } from "./program.js";
import type { ProgramModel } from "./target.js";
import { findTool, firstLines, hasPackage, runProcess } from "./toolchain.js";

const model: ProgramModel = {
  name: "tiny",
  arenaBytes: 32,
  inputs: [{ offset: 0, bytes: 2 }],
  outputs: [{ offset: 4, bytes: 3 }],
  gaps: [],
};
const requests = [{ model: 0, inputs: [new Uint8Array([7, 8])] }];
const words = (...values: readonly number[]): Uint8Array => new Uint8Array(new Uint32Array(values).buffer);
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

test("the table names the models and sizes the buffer for the largest arena and its guards", () => {
  const table = programTable([model, { ...model, name: "other", arenaBytes: 100 }]);
  expect(table).toContain('#include "other.h"');
  expect(table).toContain("{tiny_init, tiny_invoke, arenas_0, 1u, 1u, 1u, 0u, inputs_0, outputs_0, 0}");
  expect(table).toContain("arenas_0[] = {32u}");
  expect(table).toContain("arena_buffer_0[132]");
  expect(programTable([])).toContain("th_model_count = 0u");
});

test("a model of several arenas gets a buffer for each, and an init that passes them on", () => {
  const two = {
    ...model,
    name: "two",
    regions: [{ bytes: 32 }, { bytes: 64 }],
    outputs: [{ region: 1, offset: 4, bytes: 3 }],
  };
  const table = programTable([model, two]);
  expect(table).toContain("arena_buffer_0[64]");
  expect(table).toContain("arena_buffer_1[96]");
  expect(table).toContain("arenas_1[] = {32u, 64u}");
  expect(table).toContain("outputs_1[] = {{1u, 4u, 3u}}");
  expect(table).toContain("two_init(arena, th_arenas[1]);");
  expect(table).toContain("{init_1, two_invoke, arenas_1, 2u,");
});

test("requests are encoded as the harness reads them", () => {
  expect(encodeRequests([model], requests)).toEqual(join(words(0x51524854, 1, 0, 0), new Uint8Array([7, 8])));
  const kept = encodeRequests([model], [...requests, { ...(requests[0] as (typeof requests)[0]), keepState: true }]);
  expect(kept.subarray(18)).toEqual(join(words(0, 1), new Uint8Array([7, 8])));
  expect(() => encodeRequests([model], [{ model: 0, inputs: [], keepState: true }])).toThrow(/keepState/);
});

const done = join(words(2, 19, 1, 40, 16, 8), new Uint8Array([1, 2, 3]));
const trace = words(1, 16, 4, 0, 9, 0xab);

test("a response decodes", () => {
  expect(decodeResponse([model], requests, join(trace, done, words(3, 0)))).toEqual([
    {
      outputs: [new Uint8Array([1, 2, 3])],
      canariesIntact: true,
      stackBytes: 40,
      ticks: 16,
      emptyTicks: 8,
      trace: [{ step: 4, output: 0, bytes: 9, hash: "000000ab" }],
    },
  ]);
});

test("a cut, short or overlong response does not", () => {
  const whole = join(trace, done, words(3, 0));
  for (let length = 0; length < whole.length; length++) {
    expect(decodeResponse([model], requests, whole.slice(0, length))).toBeNull();
  }
  expect(decodeResponse([model], requests, words(3, 0))).toBeNull();
  expect(decodeResponse([model], requests, join(done, done, words(3, 0)))).toBeNull();
  expect(decodeResponse([model], requests, join(whole, words(0)))).toBeNull();
});

test("no generated file can leave the program's folder", () => {
  for (const path of ["../evil.c", "/etc/evil.c", "a/../../evil.c"]) {
    expect(() => programFiles({ files: new Map([[path, ""]]), models: [] }, { assets: [] })).toThrow(/outside/);
  }
});

test("processes report how they ended and are killed in time", async () => {
  const node = process.execPath;
  const run = (code: string, timeoutMs = 20_000) => runProcess(node, ["-e", code], { cwd: ".", timeoutMs });
  const spoke = await run("console.log('out'); console.error('err'); process.exit(3)");
  expect(spoke).toMatchObject({ code: 3, timedOut: false, stdout: "out\n", stderr: "err\n" });
  expect(await run("for (;;) {}", 500)).toMatchObject({ code: null, endedBy: "SIGKILL", timedOut: true });
  await expect(runProcess("/nowhere/tool", [], { cwd: "." })).rejects.toThrow(/ENOENT/);
  const signal = AbortSignal.abort(new Error("before"));
  await expect(runProcess(node, ["-v"], { cwd: ".", signal })).rejects.toThrow("before");
});

test("tools and packages are looked up without running them", () => {
  expect(findTool("no-such-tool-anywhere", process.execPath)).toBe(process.execPath);
  expect(findTool("no-such-tool-anywhere")).toBeNull();
  expect(hasPackage("vitest")).toBe(true);
  expect(hasPackage("no-such-package-anywhere")).toBe(false);
});

test("reports are shortened by whole lines", () => {
  expect(firstLines("a\n\nb\nc\n", 2)).toBe("a\nb\n(1 more lines)");
  expect(firstLines("a\nb\n", 2)).toBe("a\nb");
});
