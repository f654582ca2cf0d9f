import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readAsset } from "../base/assets.js";
import { sampleProgram } from "./sample.js";
import type { Program } from "./target.js";
import { withTemporaryFolder } from "./toolchain.js";
import { compileWithYowasp, fileTree, wasmFiles, wasmTarget, type YowaspClang, type YowaspTree } from "./wasm.js";

const ready = wasmTarget.missingTool() === null;

test("paths become a tree", () => {
  const files = new Map([
    ["a.c", "1"],
    ["x/b.h", "2"],
    ["x/y/c.h", "3"],
    ["x/d.h", "4"],
  ]);
  expect(fileTree(files)).toEqual({ "a.c": "1", x: { "b.h": "2", "d.h": "4", y: { "c.h": "3" } } });
});

/** Does with the system's clang what @yowasp/clang does in memory. */
const standIn = (folder: string): YowaspClang => ({
  runClang: async ([name = "", ...args], files, { stderr }) => {
    const write = (at: string, tree: YowaspTree): void => {
      mkdirSync(at, { recursive: true });
      for (const [entry, value] of Object.entries(tree)) {
        if (typeof value === "string" || value instanceof Uint8Array) writeFileSync(join(at, entry), value);
        else write(join(at, entry), value);
      }
    };
    write(folder, files);
    const result = spawnSync(name, args, { cwd: folder });
    stderr(result.stderr);
    stderr(null);
    if (result.status !== 0) throw new Error("Exit");
    return { ...files, "program.wasm": new Uint8Array(readFileSync(join(folder, "program.wasm"))) };
  },
});

test.skipIf(!ready)(
  "the way through @yowasp/clang: a tree in, a module or TH5003 out",
  async () => {
    await withTemporaryFolder(async (folder) => {
      const module = await compileWithYowasp(standIn(folder), wasmFiles(sampleProgram), {});
      expect(Buffer.from(module.subarray(0, 4)).toString("latin1")).toBe("\0asm");
      const broken: Program = { files: new Map([["x.c", "int f(void) { return 1 }"]]), models: [] };
      await expect(compileWithYowasp(standIn(folder), wasmFiles(broken), {})).rejects.toThrow(/TH5003[\s\S]*x\.c:1/);
    });
  },
  60_000,
);

/** Applies every function of math.h to its inputs; two-argument functions take x and y, the others x. */
function mathProgram(names: readonly (readonly [string, number])[]): Program {
  const lines = names.map(
    ([name, count], i) => `    out[${i}] = ${name}(${count === 1 ? "in[0]" : "in[0], in[1]"});\n`,
  );
  const body = `    float in[2];\n    float out[${names.length}];\n    memcpy(in, arena, sizeof in);\n${lines.join("")}`;
  const copy = "    memcpy((uint8_t *)arena + 8, out, sizeof out);\n";
  const bytes = names.length * 4;
  return {
    files: new Map([
      ["all.h", "void all_init(void *arena);\nvoid all_invoke(void *arena);\n"],
      [
        "all.c",
        `#include "all.h"\n#include <math.h>\n#include <stdint.h>\n#include <string.h>\n` +
          `void all_init(void *arena)\n{\n    (void)arena;\n}\nvoid all_invoke(void *arena)\n{\n${body}${copy}}\n`,
      ],
    ]),
    models: [
      {
        name: "all",
        arenaBytes: 8 + bytes,
        inputs: [{ offset: 0, bytes: 8 }],
        outputs: [{ offset: 8, bytes }],
        gaps: [],
      },
    ],
  };
}

test.skipIf(!ready)(
  "every function of math.h agrees with the host's C library",
  async () => {
    const { hostTarget } = await import("./host.js");
    const names = [...readAsset("verify/wasm/math.h").matchAll(/^TH_MATH_(\d)\((\w+)\)/gm)].map(
      (match) => [match[2] ?? "", Number(match[1])] as const,
    );
    expect(names.length).toBeGreaterThan(25);
    const pairs = [
      [0.25, 3.5],
      [-0.5, 2],
      [2.5, -1.5],
      [-2.5, 0],
      [0.49999997, Number.NaN],
      [-0, 0.5],
      [-1, Number.POSITIVE_INFINITY],
      [8388609, 2],
    ];
    const requests = pairs.map((pair) => ({ model: 0, inputs: [new Uint8Array(new Float32Array(pair).buffer)] }));
    const program = mathProgram(names);
    const [wasm, host] = [await wasmTarget.run(program, requests, {}), await hostTarget.run(program, requests, {})];
    const values = (bytes: Uint8Array | undefined) => new Float32Array(bytes?.slice().buffer ?? new ArrayBuffer(0));
    for (const [r, pair] of pairs.entries()) {
      const found = values(wasm.runs[r]?.outputs[0]);
      for (const [i, expected] of values(host.runs[r]?.outputs[0]).entries()) {
        const label = `${names[i]?.[0]}(${pair.join(", ")})`;
        if (Number.isFinite(expected)) {
          const error = Math.abs((found[i] as number) - expected) / Math.max(Math.abs(expected), 1e-30);
          expect(error, label).toBeLessThan(2.5e-7);
          expect(Math.sign(1 / (found[i] as number)), label).toBe(Math.sign(1 / expected));
        } else expect(found[i], label).toBe(expected);
      }
    }
  },
  60_000,
);
