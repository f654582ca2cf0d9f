import { describe, expect, it } from "vitest";
import { present } from "../../base/assert.js";
import { qemuCores, qemuTarget } from "../qemu.js";
import { rp2040Target } from "../rp2040.js";
import { sampleModels, sampleProgram } from "../sample.js";
import { findTarget } from "../targets.js";
import { coreTimings } from "./cores.js";
import { cyclesOf } from "./cycles.js";
import { parseDisassembly } from "./disassembly.js";
import { readProfiles } from "./profile.js";

const listing = `
00000000 <f>:
   0:	ldr	r1, [r2, #4]
   2:	smlad	r0, r1, r2, r3
   6:	adds	r0, #1
   8:	ldmia	r0!, {r1, r2, r3, r4}
   a:	beq.n	0 <f>
   c:	add.w	r1, r2, r3
  10:	smlal	r4, r5, r6, r7
  14:	ldrd	r4, r5, [r6]
  18:	push	{r4-r7, lr}
  1a:	vldrb.s8	q0, [r3], #16
  1e:	vmladava.s8	lr, q0, q1
  22:	vmov	r0, s1
  26:	.word	0x12345678
`;
const code = parseDisassembly(listing);
const at = (address: number) => present(code.get(address), `instruction at ${address}`);
const core = (name: string) => present(coreTimings[name], name);

/** Cycles of Thumb text on a core. */
const cycles = (name: string, ...lines: readonly string[]): number => {
  const text = lines.map((line, i) => `  ${(0x100 + 4 * i).toString(16)}:\t${line}`).join("\n");
  return cyclesOf(core(name), [...parseDisassembly(text).values()]);
};

describe("a disassembly", () => {
  it("gives kinds, registers and sizes", () => {
    expect([...code.values()].slice(0, -1).map((i) => i.kind)).toEqual([
      ...["load", "multiply", "alu", "loadMultiple", "branch", "alu", "longMultiply", "loadMultiple", "storeMultiple"],
      ...["vectorLoad", "vectorMultiply", "float"],
    ]);
    expect(at(0)).toMatchObject({ reads: [2], writes: [1], isShort: true });
    expect(at(2)).toMatchObject({ reads: [1, 2, 3], writes: [0], accumulator: 3, isShort: false });
    expect(at(6).reads).toEqual([0]);
    expect(at(8)).toMatchObject({ registers: 4, reads: [0], writes: [1, 2, 3, 4] });
    expect(at(0x10)).toMatchObject({ writes: [4, 5], accumulator: 4 });
    expect(at(0x14)).toMatchObject({ registers: 2, reads: [6], writes: [4, 5] });
    expect(at(0x18).registers).toBe(5);
    expect(at(0x1e).reads).toEqual([16, 17]);
  });
});

describe("cycles", () => {
  it("follow the Cortex-M4's documents", () => {
    expect(cycles("cortex-m4", "ldr\tr0, [r1, #0]")).toBe(2);
    expect(cycles("cortex-m4", "ldr\tr0, [r1, #0]", "ldr\tr2, [r1, #4]")).toBe(3);
    expect(cycles("cortex-m4", "ldmia\tr0!, {r1, r2, r3, r4}")).toBe(5);
    expect(cycles("cortex-m4", "smlad\tr0, r1, r2, r3", "smull\tr0, r1, r2, r3")).toBe(2);
  });

  it("of the Cortex-M7 pair what does not depend", () => {
    expect(cycles("cortex-m7", "add.w\tr0, r1, r2", "add.w\tr3, r4, r5")).toBe(1);
    expect(cycles("cortex-m7", "add.w\tr0, r1, r2", "add.w\tr3, r0, r5")).toBe(2);
    expect(cycles("cortex-m7", "smlad\tr0, r1, r2, r3", "smlad\tr4, r5, r6, r7")).toBe(2);
    expect(cycles("cortex-m7", "ldr\tr0, [r1, #0]", "add.w\tr3, r0, r5")).toBe(3);
  });

  it("of Helium overlap where units differ", () => {
    const load = "vldrb.s8\tq0, [r3], #16";
    const multiply = "vmladava.s8\tlr, q1, q2";
    expect(cycles("cortex-m55", load, multiply)).toBe(2);
    expect(cycles("cortex-m55", multiply, multiply)).toBeGreaterThan(2);
  });
});

describe("a profile", () => {
  it("sums blocks by step, with their jumps", () => {
    const text = "run\nrun\n0 0 3 10 4\n1 8 2 5 5\n-1 0 1 1 0\n";
    const [profile] = readProfiles(text, code, core("cortex-m4"));
    expect(profile?.steps.map(({ step, instructions }) => [step, instructions])).toEqual([
      [-1, 1],
      [0, 30],
      [1, 10],
    ]);
    // Load 2, smlad 1, adds 1; ldm 5, beq 1; two more for each jump.
    expect(profile?.steps.map((s) => s.cycles)).toEqual([2, 4 * 10 + 2 * 4, 6 * 5 + 2 * 5]);
    expect(profile?.mix).toMatchObject({ loads: 10 + 5 + 1, multiplies: 10, arithmetic: 10, branches: 5, jumps: 9 });
  });
});

describe.skipIf(findTarget("cortex-m0plus").missingTool() !== null)("measured", () => {
  const looper = sampleModels.indexOf("looper");
  const requests = [{ model: looper, inputs: [new Uint8Array(new Uint32Array([100_000]).buffer)] }];
  const cores = qemuCores.filter((c) => qemuTarget(c).missingTool() === null);

  it.each(cores.map((c) => [c.target, c] as const))("%s: a profile counts as the counter does", async (_, c) => {
    const [counted, profiled] = await Promise.all([
      qemuTarget(c).run(sampleProgram, requests, {}),
      qemuTarget(c).run(sampleProgram, requests, { profile: "cycles" }),
    ]);
    expect(profiled.runs[0]?.instructions).toBe(counted.runs[0]?.instructions);
    expect(profiled.runs[0]?.cycles).toBeGreaterThan(0);
  });

  it.skipIf(rp2040Target.missingTool() !== null)(
    "cycles of the M0+ are those of an emulator that counts them",
    async () => {
      const [estimated, counted] = await Promise.all([
        findTarget("cortex-m0plus").run(sampleProgram, requests, { profile: "cycles" }),
        rp2040Target.run(sampleProgram, requests, {}),
      ]);
      const ratio = (estimated.runs[0]?.cycles ?? 0) / (counted.runs[0]?.cycles ?? 1);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.02);
    },
  );
});
