import { describe, expect, test } from "vitest";
import { present } from "../base/assert.js";
import type { Board, Core } from "./board.js";
import { kib, onChip, tightlyCoupled } from "./cores.js";
import { arenaBudget, arenaRegions, codeEstimateBytes, fitBoard, stackReserveBytes } from "./fit.js";
import { boards, findBoard } from "./table.js";

const each = boards.map((b) => [b.id, b] as const);
const helium: readonly Core[] = ["cortex-m55", "cortex-m85"];
const withDsp: readonly Core[] = ["cortex-m4", "cortex-m7", "cortex-m33", ...helium];

/** What an FPU of each core can be: an M7 and an M33 are sold with several. */
const fpus: Readonly<Record<Core, readonly Board["fpu"][]>> = {
  avr: ["none"],
  "cortex-m0plus": ["none"],
  "cortex-m3": ["none"],
  "cortex-m4": ["none", "single"],
  "cortex-m7": ["none", "single", "double"],
  "cortex-m33": ["none", "single"],
  "cortex-m55": ["none", "single", "double"],
  "cortex-m85": ["none", "single", "double"],
  "xtensa-lx6": ["single"],
  "xtensa-lx7": ["single"],
  riscv32: ["none", "single"],
};

const internalBytes = (b: Board): number =>
  b.sram.filter((r) => r.kind !== "external").reduce((sum, r) => sum + r.bytes, 0);

describe("table", () => {
  test("has the boards it promises", () => {
    expect(boards.length).toBeGreaterThanOrEqual(40);
    expect(new Set(boards.map((b) => b.vendor)).size).toBeGreaterThanOrEqual(12);
    expect(new Set(boards.map((b) => b.core)).size).toBeGreaterThanOrEqual(10);
  });

  test("ids and aliases are unique and findable", () => {
    const ids = boards.flatMap((b) => [b.id, ...(b.aliases ?? [])]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const b of boards) for (const id of [b.id, ...(b.aliases ?? [])]) expect(findBoard(id)).toBe(b);
    expect(findBoard("arduino-nano-33-ble-sense")?.id).toBe("arduino-nano-33-ble");
    expect(findBoard("no-such-board")).toBeUndefined();
    expect(findBoard("")).toBeUndefined();
  });

  test("identifiers of other tools are not shared by two boards", () => {
    for (const key of ["name", "arduino", "zephyr"] as const) {
      const names = boards.map((b) => b[key]).filter((n) => n !== null);
      expect(new Set(names).size, key).toBe(names.length);
    }
  });

  test.each(each)("%s: figures are sane and sourced", (id, b) => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(b.clockMhz).toBeGreaterThanOrEqual(16);
    expect(b.clockMhz).toBeLessThanOrEqual(1000);
    expect(internalBytes(b)).toBeGreaterThanOrEqual(2 * kib);
    expect(internalBytes(b)).toBeLessThanOrEqual(16 * 1024 * kib);
    expect(b.flash.reduce((sum, r) => sum + r.bytes, 0)).toBeGreaterThanOrEqual(31 * kib);
    for (const region of [...b.sram, ...b.flash]) {
      expect(region.bytes % 512, region.name).toBe(0);
      expect(region.name).toMatch(/\S/);
    }
    expect(new Set(b.sram.map((r) => r.name)).size).toBe(b.sram.length);
    expect(b.sources.length).toBeGreaterThan(0);
    for (const source of b.sources) expect(source).toMatch(/\w{3}/);
  });

  test.each(each)("%s: fastest RAM first, tightly coupled before the rest", (_id, b) => {
    const speed = { tcm: 0, internal: 1, external: 2 } as const;
    const order = b.sram.map((r) => speed[r.kind]);
    expect(order).toEqual(order.toSorted((x, y) => x - y));
  });

  test.each(each)("%s: the core has what the board says, and its twin is the same core", (_id, b) => {
    expect(b.helium).toBe(helium.includes(b.core));
    expect(b.dsp).toBe(withDsp.includes(b.core));
    expect(fpus[b.core]).toContain(b.fpu);
    // The M85 runs what the M55 runs, so the M55 stands for it.
    const twin = b.core === "cortex-m85" ? "cortex-m55" : b.core.startsWith("cortex-") ? b.core : null;
    expect(b.emulated).toBe(twin);
  });

  test.each(each)("%s: identifiers have the form their tools want", (_id, b) => {
    if (b.arduino !== null) expect(b.arduino).toMatch(/^[\w-]+:[\w-]+:[\w-]+(:[\w-]+=[\w-]+(,[\w-]+=[\w-]+)*)?$/);
    if (b.zephyr !== null) expect(b.zephyr).toMatch(/^[a-z0-9_]+(@[a-z0-9.]+)?(\/[a-z0-9_]+)*$/);
    if (b.platformio !== null) {
      expect(b.platformio.platform).toMatch(/^[a-z0-9-]+$/);
      expect(b.platformio.board).toMatch(/^[a-z0-9_-]+$/);
    }
  });

  /** Figures that are easily confused, from the documents. */
  test.each([
    ["arduino-nano-33-ble", 256, 1024],
    ["arduino-uno-r3", 2, 31.5],
    ["stm32f746g-disco", 320, 1024],
    ["nucleo-f767zi", 512, 2048],
    ["nucleo-l4r5zi", 640, 2048],
    ["nucleo-h7a3zi-q", 1312, 2048],
    ["raspberry-pi-pico", 264, 2048],
    ["raspberry-pi-pico2", 520, 4096],
    ["teensy-4-1", 1024, 7936],
    ["nrf54l15-dk", 256, 1524],
  ])("%s has %d KiB of RAM and %d KiB of flash", (id, ram, flash) => {
    const b = present(findBoard(id), id);
    expect(internalBytes(b) / kib).toBe(ram);
    expect(b.flash.reduce((sum, r) => sum + r.bytes, 0) / kib).toBe(flash);
  });
});

describe("fit", () => {
  const board: Board = {
    ...present(findBoard("nucleo-f767zi"), "board"),
    id: "made-up",
    sram: [tightlyCoupled("DTCM", 10_000), onChip("SRAM", 30_000)],
    flash: [onChip("flash", 100_000)],
  };
  const need = (peakBytes: number, flashBytes: number, state: "planned" | "linked") =>
    fitBoard(board, { peakBytes, flashBytes, linked: state === "linked" });

  test("RAM: the arena and the stack, in the fastest region that holds both", () => {
    expect(need(10_000 - stackReserveBytes, 0, "planned").sram).toMatchObject({
      region: "DTCM",
      leftBytes: 0,
      neededBytes: 10_000,
    });
    expect(need(10_001 - stackReserveBytes, 0, "planned").sram).toMatchObject({ region: "SRAM", leftBytes: 19_999 });
    expect(need(30_000 - stackReserveBytes, 0, "planned")).toMatchObject({
      fits: true,
      sram: { leftBytes: 0 },
      obstacles: [],
    });
  });

  test("RAM: regions are not added up, and the largest says how much is missing", () => {
    const over = need(30_001 - stackReserveBytes, 0, "planned");
    expect(over).toMatchObject({
      board: "made-up",
      fits: false,
      sram: { region: "SRAM", availableBytes: 30_000, leftBytes: -1 },
    });
    expect(over.obstacles).toHaveLength(1);
    expect(over.obstacles[0]).toContain("RAM");
  });

  test("RAM: several arenas lie in the regions they are planned for, the stack in the largest on-chip one", () => {
    const arenas = [
      { name: "DTCM", bytes: 10_000 },
      { name: "SRAM", bytes: 30_000 - stackReserveBytes },
    ];
    const peakBytes = 40_000 - stackReserveBytes;
    expect(fitBoard(board, { peakBytes, flashBytes: 0, linked: true, arenas })).toMatchObject({
      fits: true,
      sram: { region: "DTCM + SRAM", availableBytes: 40_000, neededBytes: 40_000, leftBytes: 0 },
      regions: [
        { name: "DTCM", kind: "tcm", usedBytes: 10_000, availableBytes: 10_000, hasStack: false },
        { name: "SRAM", kind: "internal", usedBytes: 30_000, availableBytes: 30_000, hasStack: true },
      ],
    });
    const over = arenas.map((a) => ({ ...a, bytes: a.bytes + 1 }));
    expect(fitBoard(board, { peakBytes: peakBytes + 2, flashBytes: 0, linked: true, arenas: over })).toMatchObject({
      fits: false,
      regions: [],
    });
  });

  test("RAM: arenas for other memories take the fastest with room", () => {
    const arenas = [
      { name: "X", bytes: 9_000 },
      { name: "Y", bytes: 2_000 },
    ];
    const fit = fitBoard(board, { peakBytes: 11_000, flashBytes: 0, linked: true, arenas });
    expect(fit.regions.map((r) => [r.name, r.usedBytes])).toEqual([
      ["DTCM", 9_000],
      ["SRAM", 2_000 + stackReserveBytes],
    ]);
  });

  test.each(each)("%s: arenas may have what the stack leaves, and never more than a region", (_id, b) => {
    const regions = arenaRegions(b);
    if (b.core === "avr") {
      expect(regions).toEqual([]);
      return;
    }
    const bytes = (list: readonly { bytes: number }[]): number => list.reduce((sum, r) => sum + r.bytes, 0);
    expect(bytes(regions)).toBe(bytes(b.sram) - stackReserveBytes);
    expect(arenaBudget(b)).toBe(Math.max(...regions.map((r) => r.bytes)));
  });

  test("flash: an estimate of the code is added until the image is linked", () => {
    expect(need(0, 100_000 - codeEstimateBytes, "planned")).toMatchObject({ fits: true, flash: { leftBytes: 0 } });
    expect(need(0, 100_001 - codeEstimateBytes, "planned")).toMatchObject({ fits: false, flash: { leftBytes: -1 } });
    expect(need(0, 100_000, "linked")).toMatchObject({ fits: true, flash: { leftBytes: 0 } });
    expect(need(0, 100_001, "linked")).toMatchObject({ fits: false, flash: { leftBytes: -1, region: "flash" } });
  });

  test("both obstacles are named", () => {
    const neither = need(40_000, 200_000, "linked");
    expect(neither.obstacles.map((o) => /of (RAM|flash) too little/.exec(o)?.[1])).toEqual(["RAM", "flash"]);
  });
});
