import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Overlap, Request } from "./offsets.js";
import { bytesPerAddress, type Region, type Spread, type SpreadProblem, spreadBuffers } from "./regions.js";

const alive = (bytes: number, firstStep = 0, lastStep = 9, alignment = 4): Request => ({
  bytes,
  alignment,
  firstStep,
  lastStep,
});

const regionsOf = (...bytes: readonly number[]): readonly Region[] =>
  bytes.map((b, i) => ({ name: ["DTCM", "SRAM", "PSRAM"][i] ?? "RAM", bytes: b }));

const problem = (
  requests: readonly Request[],
  traffic: readonly number[],
  regions: readonly Region[],
  overlaps: readonly Overlap[] = [],
): SpreadProblem => ({ requests, traffic, regions, overlaps, guardBytes: 0 });

const regionNames = (spread: Spread | null): readonly (string | undefined)[] | undefined =>
  spread?.places.map((p) => spread.regions[p.region]?.name);

describe("buffers over several regions", () => {
  it("those touched most per byte go to the fastest", () => {
    const requests = [alive(100), alive(100), alive(60), alive(40)];
    const spread = spreadBuffers(problem(requests, [100, 900, 600, 4], regionsOf(168, 300)));
    expect(regionNames(spread)).toEqual(["SRAM", "DTCM", "DTCM", "SRAM"]);
    // The addresses of the other arenas come first.
    expect(spread).toMatchObject({ addressBytes: bytesPerAddress, regions: [{ bytes: 168 }, { bytes: 140 }] });
    expect(spread?.places.filter((p) => p.region === 0).map((p) => p.offset)).not.toContain(0);
  });

  it("what is too large for the fastest does not keep others out of it", () => {
    const spread = spreadBuffers(problem([alive(500), alive(40)], [5000, 1], regionsOf(100, 600)));
    expect(regionNames(spread)).toEqual(["SRAM", "DTCM"]);
  });

  it("buffers of different times share the fast region", () => {
    const requests = [alive(90, 0, 1), alive(90, 2, 3), alive(90, 4, 5), alive(300)];
    const spread = spreadBuffers(problem(requests, [1, 1, 1, 1], regionsOf(100, 320)));
    expect(regionNames(spread)).toEqual(["DTCM", "DTCM", "DTCM", "SRAM"]);
  });

  it("a hot buffer gives way where a cold one has no other place", () => {
    const requests = [alive(40), alive(80), alive(200)];
    const spread = spreadBuffers(problem(requests, [4000, 8, 20], regionsOf(100, 260)));
    expect(regionNames(spread)).toEqual(["SRAM", "DTCM", "SRAM"]);
  });

  it("overlaps hold inside a region only", () => {
    const overlaps = [{ lower: 0, upper: 1, distance: 20 }];
    const together = spreadBuffers(problem([alive(100), alive(100)], [1, 1], regionsOf(136, 50), overlaps));
    expect(together?.regions).toEqual([{ name: "DTCM", bytes: 120 }]);
    const apart = spreadBuffers(problem([alive(100), alive(100)], [1, 1], regionsOf(112, 112), overlaps));
    expect(apart?.regions.map((r) => r.bytes)).toEqual([108, 100]);
  });

  it("regions that hold nothing are left out, and one alone needs no addresses", () => {
    const spread = spreadBuffers(problem([alive(100), alive(80)], [1, 1], regionsOf(50, 400, 400)));
    expect(spread).toMatchObject({ addressBytes: 0, regions: [{ name: "SRAM", bytes: 180 }] });
  });

  it("is refused where a buffer is larger than every region, or all together are too small", () => {
    expect(spreadBuffers(problem([alive(500)], [1], regionsOf(300, 300)))).toBeNull();
    expect(spreadBuffers(problem([alive(280), alive(280), alive(280)], [1, 1, 1], regionsOf(300, 300)))).toBeNull();
  });
});

const request = fc
  .record({
    bytes: fc.integer({ min: 0, max: 5000 }),
    firstStep: fc.integer({ min: 0, max: 20 }),
    length: fc.integer({ min: 0, max: 8 }),
    alignment: fc.constantFrom(4, 8),
  })
  .map(({ length, ...r }): Request => ({ ...r, lastStep: r.firstStep + length }));

describe("random buffers over random regions", () => {
  it("never exceed a region, never share bytes while both are alive, and are aligned", () => {
    let placed = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(request, fc.nat(10000)), { minLength: 1, maxLength: 16 }),
        fc.array(fc.integer({ min: 0, max: 12000 }), { minLength: 2, maxLength: 4 }),
        fc.constantFrom(0, 16),
        (buffers, capacities, guardBytes) => {
          const requests = buffers.map(([r]) => r);
          const traffic = buffers.map(([, t]) => t);
          const regions = capacities.map((bytes, i) => ({ name: `R${i}`, bytes }));
          const spread = spreadBuffers({ requests, traffic, regions, overlaps: [], guardBytes });
          if (spread === null) return;
          placed++;
          for (const { name, bytes } of spread.regions)
            expect(bytes).toBeLessThanOrEqual(regions.find((r) => r.name === name)?.bytes ?? -1);
          requests.forEach((a, i) => {
            const at = spread.places[i] ?? { region: -1, offset: -1 };
            expect(at.offset % a.alignment).toBe(0);
            expect(at.offset).toBeGreaterThanOrEqual(at.region === 0 ? spread.addressBytes : 0);
            expect(at.offset + a.bytes).toBeLessThanOrEqual(spread.regions[at.region]?.bytes ?? -1);
            requests.forEach((b, j) => {
              const other = spread.places[j];
              if (j <= i || !other || other.region !== at.region || a.bytes === 0 || b.bytes === 0) return;
              if (a.lastStep < b.firstStep || b.lastStep < a.firstStep) return;
              expect(
                at.offset + a.bytes + guardBytes <= other.offset || other.offset + b.bytes + guardBytes <= at.offset,
              ).toBe(true);
            });
          });
        },
      ),
      { numRuns: 200, seed: 5 },
    );
    expect(placed).toBeGreaterThan(50);
  });
});
