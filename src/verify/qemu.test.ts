import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildArm, linkerScript } from "./arm.js";
import { functionAt, parseElf } from "./elf.js";
import { hostTarget } from "./host.js";
import { pluginApi } from "./plugin.js";
import { qemuCores, qemuTarget } from "./qemu.js";
import { rp2040Core, rp2040Target } from "./rp2040.js";
import { sampleModels, sampleProgram } from "./sample.js";
import type { Program, RunRequest } from "./target.js";
import { withTemporaryFolder } from "./toolchain.js";

const cores = qemuCores.filter((core) => qemuTarget(core).missingTool() === null);
const m4 = qemuCores.filter((core) => core.target === "cortex-m4").map((core) => qemuTarget(core))[0];
const ready = m4?.missingTool() === null;
const looper = sampleModels.indexOf("looper");
const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);

/** A model whose invoke is `body`, with `constants` bytes of flash. */
const program = (body: string, arenaBytes = 64, constants = 4): Program => ({
  files: new Map([
    ["big.h", "void big_init(void *arena);\nvoid big_invoke(void *arena);\n"],
    [
      "big.c",
      `#include "big.h"\n#include <stdint.h>\n#include <string.h>\n` +
        `static const uint8_t weights[${constants}] = {1, 2, 3, 4};\n` +
        `void big_init(void *arena)\n{\n    (void)arena;\n}\n` +
        `void big_invoke(void *arena)\n{\n    volatile uint8_t *at = (uint8_t *)arena;\n    ${body}\n}\n`,
    ],
  ]),
  models: [{ name: "big", arenaBytes, inputs: [], outputs: [{ offset: 0, bytes: 4 }], gaps: [] }],
});
const once: readonly RunRequest[] = [{ model: 0, inputs: [] }];

test.each(cores.filter((core) => core.timerHz !== null).map((core) => [core.target, core] as const))(
  "%s: without the plugin, the timer counts to within one instruction",
  async (_, core) => {
    const requests = [1, 1000, 300_000].map((n) => ({ model: looper, inputs: [u32(n)] }));
    const { runs } = await qemuTarget(core, "timer").run(sampleProgram, requests, {});
    for (const [i, known] of [5, 2003, 600_003].entries()) {
      expect(Math.abs((runs[i]?.instructions ?? 0) - known)).toBeLessThanOrEqual(1);
    }
  },
  60_000,
);

describe.skipIf(!ready)("limits", () => {
  const target = m4 as NonNullable<typeof m4>;

  test("3 MB of weights and 3 MB of arena run", async () => {
    const body = `memcpy((uint8_t *)arena, weights, 4);\n    at[3] = weights[at[0] * 3000000u];\n    at[3145727] = 7;`;
    const report = await target.run(program(body, 3 << 20, 3 << 20), once, {});
    expect([...(report.runs[0]?.outputs[0] ?? [])]).toEqual([1, 2, 3, 0]);
    expect(report.flashBytes).toBeGreaterThan(3 << 20);
    expect((report.ramBytes ?? 0) - (report.harnessRamBytes ?? 0)).toBe(3 << 20);
  }, 60_000);

  test("too much RAM or flash is TH5005", async () => {
    await expect(target.run(program("at[0] = weights[at[1]];", 5 << 20), once, {})).rejects.toThrow(
      /TH5005[\s\S]*of RAM/,
    );
    await expect(target.run(program("at[0] = weights[at[1]];", 64, 5 << 20), once, {})).rejects.toThrow(
      /TH5005[\s\S]*of flash/,
    );
    await expect(rp2040Target.run(program("at[0] = weights[at[1]];", 262144), once, {})).rejects.toThrow(
      /TH5005[\s\S]*rp2040[\s\S]*of RAM/,
    );
  }, 60_000);

  test("a fault is TH5004 and names the function", async () => {
    const wild = "*(volatile uint32_t *)0xE1000000u = weights[at[0] & 3u];";
    await expect(target.run(program(wild), once, {})).rejects.toThrow(/TH5004[\s\S]*fault in big_invoke/);
    await expect(rp2040Target.run(program(wild), once, {})).rejects.toThrow(/TH5004[\s\S]*in big_invoke/);
  }, 60_000);

  test("an unaligned access faults on Armv6-M, which has none, and not on the M4", async () => {
    const body = "*(volatile uint32_t *)(uintptr_t)((uintptr_t)at + (weights[0] & 1u)) = 5;";
    const m0 = cores.find((core) => core.target === "cortex-m0plus");
    if (m0 === undefined) throw new Error("no M0+ here");
    await expect(target.run(program(body), once, {})).resolves.toBeDefined();
    await expect(qemuTarget(m0).run(program(body), once, {})).rejects.toThrow(/TH5004/);
    // The emulator of the RP2040 checks loads only.
    const load = "at[0] = (uint8_t)*(volatile uint32_t *)(uintptr_t)((uintptr_t)at + (weights[0] & 1u));";
    await expect(rp2040Target.run(program(load), once, {})).rejects.toThrow(/TH5004[\s\S]*aligned/);
  }, 60_000);

  test("a stack past its reserve is TH5004", async () => {
    const fill = "for (int32_t i = 0; i < 70000; i++) {\n        deep[i] = weights[at[0] & 3u];\n    }";
    const body = `volatile uint8_t deep[70000];\n    ${fill}\n    at[0] = deep[at[1]];`;
    await expect(target.run(program(body), once, {})).rejects.toThrow(/TH5004[\s\S]*65536 bytes of stack/);
    await expect(rp2040Target.run(program(body), once, {})).rejects.toThrow(/TH5004/);
  }, 60_000);

  test("-Os and -O3 are passed on", async () => {
    const requests = [{ model: 0, inputs: [new Uint8Array(8), new Uint8Array(8)] }];
    const flash = async (optimization: "-Os" | "-O3") =>
      (await target.run(sampleProgram, requests, { optimization })).flashBytes ?? 0;
    expect(await flash("-Os")).toBeLessThan(await flash("-O3"));
  }, 60_000);

  test("an untraced build holds no tracing", async () => {
    const core = cores.find(({ target: name }) => name === "cortex-m4");
    if (core === undefined) throw new Error("no M4 here");
    const symbols = (trace: boolean) =>
      withTemporaryFolder(async (cwd) => {
        const { elf } = await buildArm(core, sampleProgram, trace ? { trace } : {}, { cwd });
        return elf.symbols;
      });
    expect((await symbols(true)).has("th_trace")).toBe(true);
    expect((await symbols(false)).has("th_trace")).toBe(false);
  }, 60_000);
});

test.skipIf(!ready)(
  "temporary folders are removed, also after a failure",
  async () => {
    const old = process.env.TMPDIR;
    const folder = await mkdtemp(join(tmpdir(), "thimble-test-"));
    process.env.TMPDIR = folder;
    try {
      await rp2040Target.run(sampleProgram, [{ model: looper, inputs: [u32(1)] }], {});
      await m4?.run(program("*(volatile uint32_t *)0xE1000000u = weights[at[0] & 3u];"), once, {}).catch(() => {});
      await hostTarget.run(program("at[64] = weights[0];"), once, {}).catch(() => {});
      expect(await readdir(folder)).toEqual([]);
    } finally {
      if (old === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = old;
      await rm(folder, { recursive: true });
    }
  },
  60_000,
);

test("the plugin interface follows qemu's version", () => {
  expect(pluginApi("QEMU emulator version 7.2.22 (Debian)")).toBe(1);
  expect(pluginApi("QEMU emulator version 9.0.0")).toBe(2);
  expect(pluginApi("QEMU emulator version 10.1.2")).toBe(2);
});

test("a linker script splits the stack off the end of RAM", () => {
  const script = linkerScript(rp2040Core);
  expect(script).toContain("RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 262144");
  expect(script).toContain("STACK (rw) : ORIGIN = 0x20040000, LENGTH = 8192");
  expect(script).not.toContain("@");
});

test.skipIf(!ready)(
  "an ELF file's segments, symbols and sizes",
  async () => {
    await withTemporaryFolder(async (cwd) => {
      const { file, elf } = await buildArm(rp2040Core, program("at[0] = weights[at[1] & 3u];"), {}, { cwd });
      expect(existsSync(join(cwd, "program.elf"))).toBe(true);
      expect(elf.segments[0]?.address).toBe(0x10000000);
      const start = (elf.symbols.get("big_invoke") ?? 0) & ~1;
      expect(start).toBeGreaterThan(0x10000000);
      expect(functionAt(elf, start + 2)).toBe("big_invoke");
      expect(elf.entry).toBe(elf.symbols.get("th_reset"));
      const loaded = elf.segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
      // Segments also hold the padding between sections.
      expect(loaded - elf.flashBytes).toBeGreaterThanOrEqual(0);
      expect(loaded - elf.flashBytes).toBeLessThan(16);
      expect(() => parseElf(file.subarray(0, 40))).toThrow(/ELF/);
    });
  },
  60_000,
);
