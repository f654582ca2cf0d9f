import { describe, expect, it } from "vitest";
import { type TensorId, tensorId } from "../base/units.js";
import { type RowWindow, sameRow, slidingRows } from "../ops/spec.js";
import { type Policy, scheduleStages } from "./schedule.js";
import type { Stage, StageMode } from "./stages.js";
import { ringRows, traceGroup } from "./traces.js";

interface Spec {
  readonly mode?: StageMode;
  /** Rows of the output; the tensor has the stage's number. */
  readonly rows: number;
  /** Tensors read, their rows, and through which window: null for all of it. */
  readonly reads?: readonly (readonly [tensor: number, rows: number, window: RowWindow | null])[];
  readonly firings?: number;
}

/** A stage by hand, from the definitions of need and keep. */
function stageOf({ mode = "rows", rows, reads = [], firings = rows }: Spec, index: number): Stage {
  const inside = (row: number, of: number): number => Math.min(Math.max(row, 0), of);
  return {
    mode,
    firings,
    reads: reads.map(([tensor, of, window]) => ({
      tensor: tensorId(tensor),
      rows: of,
      need: Int32Array.from({ length: firings }, (_, f) =>
        window ? inside(window.first(f) + (window.taps - 1) * window.dilation + 1, of) : of,
      ),
      keep: Int32Array.from({ length: firings + 1 }, (_, f) =>
        f === firings ? of : window ? inside(window.first(f), of) : 0,
      ),
    })),
    writes: [{ tensor: tensorId(index), rows }],
  };
}

/** The order of firings as digits, and the rows that a ring of each stage's output needs. */
const play = (specs: readonly Spec[], policy: Policy = "pull") => {
  const stages = specs.map(stageOf);
  const order = scheduleStages(stages, policy);
  const traces = traceGroup(stages, order);
  const rings = specs.map((_, s) => {
    const trace = traces.get(tensorId(s) as TensorId);
    return trace === undefined ? 0 : ringRows(trace);
  });
  return { order: order.join(""), rings };
};

/** A source of rows, which reads nothing of the group. */
const source = (rows: number): Spec => ({ rows });
const window = (rows: number, of: number, from: number, w: RowWindow): Spec => ({ rows, reads: [[from, of, w]] });

describe("a stage after a source", () => {
  it.each<readonly [string, readonly Spec[], string, number]>([
    ["elementwise", [source(3), window(3, 3, 0, sameRow)], "010101", 1],
    // Row 0 needs rows 0 and 1; row y needs y + 1; the last needs none that is new.
    ["3 rows, SAME", [source(4), window(4, 4, 0, slidingRows(1, 3, 1))], "00101011", 3],
    ["3 rows, VALID", [source(5), window(3, 5, 0, slidingRows(1, 3, 0))], "00010101", 3],
    // 6 rows by 2: TFLite pads the bottom alone, so row y needs rows 2y to 2y + 2.
    ["3 rows by 2, SAME", [source(6), window(3, 6, 0, slidingRows(2, 3, 0))], "000100101", 3],
    // 5 rows by 2: one row of padding on both sides, so row y needs rows 2y - 1 to 2y + 1.
    ["3 rows by 2, SAME, odd", [source(5), window(3, 5, 0, slidingRows(2, 3, 1))], "00100101", 3],
    // VALID leaves row 5 unread; it still comes, at the end.
    ["3 rows by 2, VALID", [source(6), window(2, 6, 0, slidingRows(2, 3, 0))], "00010010", 3],
    // Taps at y - 2, y and y + 2.
    ["3 rows, 2 apart, SAME", [source(6), window(6, 6, 0, slidingRows(1, 3, 2, 2))], "000101010111", 5],
    ["2 rows, 3 apart, VALID", [source(5), window(2, 5, 0, slidingRows(1, 2, 0, 3))], "0000101", 4],
    ["every third row", [source(7), window(3, 7, 0, slidingRows(3, 1, 0))], "0100010001", 1],
    ["two rows for one", [source(2), window(4, 2, 0, { first: (y) => y >> 1, taps: 1, dilation: 1 })], "011011", 1],
    // The first two rows are padding.
    [
      "padded above and below",
      [source(2), window(5, 2, 0, { first: (y) => y - 2, taps: 1, dilation: 1 })],
      "1101011",
      1,
    ],
    ["a fold", [source(3), { mode: "fold", rows: 1, firings: 3, reads: [[0, 3, sameRow]] }], "010101", 1],
    ["all at once", [source(3), { mode: "fold", rows: 1, firings: 1, reads: [[0, 3, null]] }], "0001", 3],
  ])("%s", (_, specs, order, ring) => {
    const found = play(specs);
    expect(found.order).toBe(order);
    expect(found.rings[0]).toBe(ring);
    // One reader leaves no choice: pushing gives the same ring.
    expect(play(specs, "push").rings[0]).toBe(ring);
  });
});

describe("several stages", () => {
  it("a chain of strides: rows wait only for what a later row needs", () => {
    // 8 rows, by 2 with 3 rows to 4, by 2 with 3 rows to 2; padding is below. Row 0 of the last needs rows 0 to 2 of the
    // middle, which need rows 0 to 6 of the source; its row 1 needs row 3, which needs row 7.
    const specs = [source(8), window(4, 8, 0, slidingRows(2, 3, 0)), window(2, 4, 1, slidingRows(2, 3, 0))];
    expect(play(specs)).toEqual({ order: "00010010012012", rings: [3, 3, 2] });
  });

  it("a residual: the short way waits for the long one", () => {
    // Two windows of 3 rows delay by two rows: the sum needs row y when row y + 2 has come, and before row y + 3 does.
    const specs = [
      source(6),
      window(6, 6, 0, slidingRows(1, 3, 1)),
      window(6, 6, 1, slidingRows(1, 3, 1)),
      { rows: 6, reads: [[2, 6, sameRow] as const, [0, 6, sameRow] as const] },
    ];
    expect(play(specs)).toEqual({ order: "001012301230123012312323", rings: [3, 3, 1, 6] });
  });

  it("branches of different height: each runs when its row is needed", () => {
    const specs = [
      source(4),
      window(4, 4, 0, slidingRows(1, 3, 1)),
      window(4, 4, 0, sameRow),
      { rows: 4, reads: [[1, 4, sameRow] as const, [2, 4, sameRow] as const] },
    ];
    // Pulled, the short branch (2) fires just before the sum (3).
    expect(play(specs)).toEqual({ order: "0012301230123123", rings: [3, 1, 1, 4] });
  });

  it("pushed, whatever can run does, the last first", () => {
    const specs = [
      source(4),
      window(4, 4, 0, slidingRows(1, 3, 1)),
      window(4, 4, 0, sameRow),
      { rows: 4, reads: [[1, 4, sameRow] as const, [2, 4, sameRow] as const] },
    ];
    // The short branch is a row ahead, so it needs two rows where pulling needs one.
    expect(play(specs, "push")).toEqual({ order: "0202130213021313", rings: [3, 1, 2, 4] });
  });

  it("squeeze and excite: all rows wait for their mean", () => {
    const specs: readonly Spec[] = [
      source(3),
      { mode: "fold", rows: 1, firings: 3, reads: [[0, 3, sameRow]] },
      {
        rows: 3,
        reads: [
          [0, 3, sameRow],
          [1, 1, null],
        ],
      },
    ];
    expect(play(specs)).toEqual({ order: "010101222", rings: [3, 1, 3] });
  });

  it("what nothing needs fires as soon as it can", () => {
    const specs = [source(3), window(3, 3, 0, sameRow), window(3, 3, 0, slidingRows(1, 3, 1))];
    expect(play(specs).order).toBe("010120122");
  });
});
