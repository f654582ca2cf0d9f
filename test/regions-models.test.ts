import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadModel, modelsMissing } from "../bench/goldens.js";
import { build, inspect, verify } from "../src/app/api.js";
import { planModel } from "../src/app/compile.js";
import { present } from "../src/base/assert.js";
import type { Board } from "../src/boards/board.js";
import { kib, mib, onChip, tightlyCoupled } from "../src/boards/cores.js";
import { stackReserveBytes } from "../src/boards/fit.js";
import { findBoard } from "../src/boards/table.js";
import { slowBytes } from "../src/plan/spread.js";
import { findTarget } from "../src/verify/targets.js";

const missing = modelsMissing();

describe.skipIf(missing !== null)(`real models${missing ? ` (${missing})` : ""}`, () => {
  /** An M4 whose memories are smaller than what the plan needs. */
  const board = (tcm: number, sram: number): Board => ({
    ...present(findBoard("sparkfun-edge"), "board"),
    id: "two-memories",
    sram: [tightlyCoupled("TCM", tcm), onChip("SRAM", sram)],
    flash: [onChip("flash", 2 * mib)],
  });
  const cases = [
    ["mcunetv2_large", 72 * kib, 212 * kib],
    ["mcunet_vww1", 3 * kib, 22.5 * kib],
    ["resnet", 4 * kib, 14 * kib],
    ["person_detect", 4 * kib, 16 * kib],
  ] as const;

  it.each(cases)(
    "%s is spread over two memories, and the fast one is put to use",
    async (name, tcm, sram) => {
      const described = board(tcm, sram);
      const model = loadModel(name);
      const options = { floatEdges: "drop" } as const;
      const report = inspect(model, { ...options, boards: [described] });
      expect(report.fits[0]?.obstacles).toEqual([]);
      expect(report.plan.regions.map((r) => r.name)).toEqual(["TCM", "SRAM"]);
      const [fast, slow] = report.plan.regions;
      expect(fast?.bytes).toBeLessThanOrEqual(tcm);
      expect((slow?.bytes ?? 0) + stackReserveBytes).toBeLessThanOrEqual(sram);
      expect(fast?.bytes).toBeGreaterThan(0.8 * tcm);
      const folder = mkdtempSync(join(tmpdir(), "thimble-regions-"));
      const names = ["host", "cortex-m4"].filter((t) => findTarget(t).missingTool() === null);
      const built = await build(model, {
        ...options,
        board: described,
        out: folder,
        verifyOn: ["interpreter", ...names],
      });
      rmSync(folder, { recursive: true, force: true });
      expect(built.verification?.targets.every((t) => t.identical && t.canariesIntact)).toBe(true);
      expect(built.fit.fits).toBe(true);
    },
    300_000,
  );

  it("keeps state in any of them, and rings of a pushed input", async () => {
    const spread = async (name: string, feed: "resident" | "pushed", ...bytes: readonly number[]) => {
      const regions = bytes.map((b, i) => ({ name: `R${i}`, bytes: b }));
      const options = { floatEdges: "drop", optimize: "memory", feed, regions } as const;
      const { plan } = planModel(loadModel(name), options);
      const names = ["host", "cortex-m4"].filter((t) => findTarget(t).missingTool() === null);
      const { targets } = await verify(loadModel(name), names, options);
      expect(targets.every((t) => t.identical && t.canariesIntact)).toBe(true);
      return plan;
    };
    const lstm = await spread("mnist_lstm", "resident", 64, 1024, 600);
    expect(lstm.buffers.some((b) => b.kind === "state" && b.region > 0)).toBe(true);
    const pushed = await spread("mcunet_vww1", "pushed", 5_000, 15_500);
    expect(pushed.regions).toHaveLength(2);
  }, 60_000);

  it("spreads only where no memory holds a plan alone, and keeps the slow memory small", () => {
    const model = loadModel("mcunet_vww1");
    const plan = (...bytes: readonly number[]) => {
      const regions = bytes.map((b, i) => ({ name: `R${i}`, bytes: b }));
      const options = { floatEdges: "drop", regions, budgetBytes: Math.max(...bytes) } as const;
      return { regions, ...planModel(model, options) };
    };
    expect(plan(20_000, 90_000).plan).toMatchObject({ strategy: "layers", regions: [{ name: "RAM" }] });
    expect(plan(20_000, 30_000).plan).toMatchObject({ strategy: "rows", regions: [{ name: "RAM" }] });
    const tight = plan(16_000, 20_000, 400_000);
    expect(tight.plan.regions).toHaveLength(1);
    const spread = plan(16_000, 20_000);
    expect(spread.plan.regions).toHaveLength(2);
    expect(spread.reason).toContain("spread over R0 and R1");
    expect(slowBytes(spread.plan, spread.regions)).toBeLessThan(20_000);
  });
});
