import { expect, test } from "vitest";
import { DiagnosticError } from "../base/diagnostics.js";
import { sampleModels, sampleProgram } from "./sample.js";
import type { Program, RunRequest, Target } from "./target.js";
import { targetNames } from "./target.js";
import { availableTargets, findTarget, targets } from "./targets.js";

const here = availableTargets();
const model = (name: (typeof sampleModels)[number]): number => sampleModels.indexOf(name);
const vector = (value: number): Uint8Array => new Uint8Array(8).fill(value);
const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);
const floats = (...values: readonly number[]): Uint8Array => new Uint8Array(new Float32Array(values).buffer);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

async function codesOf(job: Promise<unknown>): Promise<string> {
  const error = await job.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DiagnosticError)) throw error ?? new Error("did not fail");
  return error.diagnostics.map((d) => `${d.code} ${d.found}`).join("\n");
}

/** One model, "odd", with the given body of its invoke. */
const oddProgram = (body: string, arenaBytes = 64, outside = ""): Program => ({
  files: new Map([
    ["odd.h", "void odd_init(void *arena);\nvoid odd_invoke(void *arena);\n"],
    [
      "odd.c",
      `#include "odd.h"\n#include <stdint.h>\n#include <string.h>\n${outside}\nvoid odd_init(void *arena)\n{\n` +
        `    (void)arena;\n}\nvoid odd_invoke(void *arena)\n{\n    uint8_t *at = (uint8_t *)arena;\n    ${body}\n}\n`,
    ],
  ]),
  models: [{ name: "odd", arenaBytes, inputs: [], outputs: [{ offset: 0, bytes: 4 }], gaps: [] }],
});
const once: readonly RunRequest[] = [{ model: 0, inputs: [] }];

test("the registry holds every name once, in order", () => {
  expect(targets.map((target) => target.name)).toEqual([...targetNames]);
  expect(findTarget("cortex-m4").name).toBe("cortex-m4");
  expect(() => findTarget("cortex-m5")).toThrow(/TH5002[\s\S]*cortex-m55/);
});

test("what is missing is said with a way to install it", () => {
  const path = process.env.PATH;
  process.env.PATH = "";
  try {
    for (const target of targets.filter(({ name }) => name !== "wasm")) {
      const missing = target.missingTool();
      expect(missing?.code).toBe("TH5001");
      expect(missing?.fix).toMatch(/apt-get install \S+.*brew install \S+/);
    }
  } finally {
    process.env.PATH = path;
  }
});

const all = test.each(here.map((target): [string, Target] => [target.name, target]));

all(
  "%s: several models and requests in one process",
  async (name, target) => {
    const requests: readonly RunRequest[] = [
      { model: model("adder"), inputs: [vector(100), vector(50)] },
      { model: model("adder"), inputs: [vector(100), vector(250)], keepState: true },
      { model: model("adder"), inputs: [vector(1), vector(2)] },
      { model: model("leak"), inputs: [u32(3)] },
      { model: model("adder"), inputs: [vector(0x80), vector(0xff)] },
      { model: model("soft"), inputs: [floats(1.5, -2.5)] },
      { model: model("deep"), inputs: [new Uint8Array([200])] },
    ];
    const { runs, ...costs } = await target.run(sampleProgram, requests, {});
    const adder = (index: number) => runs[index]?.outputs.map(hex);
    expect(adder(0)).toEqual(["7f".repeat(8), "01000000"]);
    expect(adder(1), "keeps its counter").toEqual(["5e".repeat(8), "02000000"]);
    expect(adder(2), "starts afresh").toEqual(["03".repeat(8), "01000000"]);
    expect(adder(4)).toEqual(["80".repeat(8), "01000000"]);
    expect(runs.map((run) => run.canariesIntact)).toEqual([true, true, true, false, true, true, true]);
    const [exp, rounded] = new Float32Array(runs[5]?.outputs[0]?.slice().buffer ?? new ArrayBuffer(8));
    expect(exp).toBeCloseTo(Math.exp(1.5), 5);
    expect(rounded).toBe(-3);
    expect(hex(runs[6]?.outputs[0])).toBe("c8");
    expect(runs.every((run) => run.trace.length === 0)).toBe(true);
    if (name === "host" || name === "wasm") return;
    // The buffer and at most a few saved registers and alignment.
    expect(costs.stackBytes).toBeGreaterThanOrEqual(1000);
    expect(costs.stackBytes).toBeLessThanOrEqual(1032);
    expect(costs.harnessFlashBytes).toBeGreaterThan(500);
    expect(costs.flashBytes).toBeGreaterThan(costs.harnessFlashBytes ?? 0);
    // The largest arena is 48 bytes; the C library's errno may add a few.
    const ramBytes = (costs.ramBytes ?? 0) - (costs.harnessRamBytes ?? 0);
    expect(ramBytes).toBeGreaterThanOrEqual(48);
    expect(ramBytes).toBeLessThan(300);
  },
  60_000,
);

all(
  "%s: traces steps with FNV-1a hashes",
  async (_, target) => {
    const requests = [{ model: model("adder"), inputs: [vector(1), vector(2)] }];
    const { runs, stackBytes } = await target.run(sampleProgram, requests, { trace: true });
    // FNV-1a 32 of eight bytes 3, and of 01 00 00 00, by an independent implementation.
    const fnv = (bytes: readonly number[]) =>
      bytes.reduce((hash, byte) => Number(((BigInt(hash ^ byte) & 0xffffffffn) * 16777619n) & 0xffffffffn), 0x811c9dc5);
    const hash = (bytes: readonly number[]) => (fnv(bytes) >>> 0).toString(16).padStart(8, "0");
    expect(runs[0]?.trace).toEqual([
      { step: 0, output: 0, bytes: 8, hash: hash([3, 3, 3, 3, 3, 3, 3, 3]) },
      { step: 1, output: 0, bytes: 4, hash: hash([1, 0, 0, 0]) },
    ]);
    expect(runs[0]?.instructions).toBeUndefined();
    expect(stackBytes).toBeUndefined();
  },
  60_000,
);

all(
  "%s: a loop of known length counts exactly, twice the same",
  async (name, target) => {
    const lengths = [1, 2, 1000, 300_000];
    const requests = [...lengths, ...lengths].map((n) => ({ model: model("looper"), inputs: [u32(n)] }));
    const { runs } = await target.run(sampleProgram, requests, {});
    const known = [...lengths, ...lengths].map((n) => 2 * n + 3);
    const unknown = known.map(() => undefined);
    expect(runs.map((run) => run.instructions)).toEqual(name === "host" || name === "wasm" ? unknown : known);
    // Cortex-M0+: load 2, move 1, subtract 1, branch taken 2 and not taken 1, return 2.
    const cycles = [...lengths, ...lengths].map((n) => 3 * n + 4);
    expect(runs.map((run) => run.cycles)).toEqual(name === "rp2040" ? cycles : unknown);
  },
  60_000,
);

all(
  "%s: bad code is TH5003, an endless loop TH5004, an abort the signal's reason",
  async (_, target) => {
    expect(await codesOf(target.run(oddProgram("at[0] = at[1] * 300;"), once, {}))).toMatch(/^TH5003 .*odd\.c:\d+/);
    expect(await codesOf(target.run(oddProgram("other(at);", 64, "void other(void *at);"), once, {}))).toMatch(
      /^TH5003 .*other/,
    );
    const endless = oddProgram("for (volatile int i = 0; i < 1; i = (at[0] & 0)) {\n    }");
    expect(await codesOf(target.run(endless, once, { timeoutMs: 1500 }))).toMatch(/^TH5004 no end after 1\.5 s/);
    const reason = new Error("stop");
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 500);
    await expect(target.run(endless, once, { signal: abort.signal })).rejects.toBe(reason);
  },
  60_000,
);

all("%s: a wrong input size is TH6002", async (_, target) => {
  const requests = [{ model: model("adder"), inputs: [vector(1), u32(1)] }];
  expect(await codesOf(target.run(sampleProgram, requests, {}))).toBe("TH6002 8, 4 bytes");
});

all(
  "%s: one byte past either end of the arena is noticed",
  async (name, target) => {
    for (const program of [oddProgram("at[64] = 1;"), oddProgram("*(at - 1) = 1;"), oddProgram("at[64] = 1;", 48)]) {
      if (name === "host") {
        expect(await codesOf(target.run(program, once, {}))).toMatch(/TH5004 .*\n?.*heap-buffer-overflow/);
        continue;
      }
      const inRange = program.models[0]?.arenaBytes === 48;
      const { runs } = await target.run(program, once, {});
      // 16 bytes past the end is beyond the guard: only the host's sanitizer sees it.
      expect(runs[0]?.canariesIntact).toBe(inRange);
    }
  },
  60_000,
);
