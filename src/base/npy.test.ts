import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DiagnosticError } from "./diagnostics.js";
import { readNpy, writeNpy } from "./npy.js";

describe("npy", () => {
  it("reads what numpy 1.24 wrote for np.arange(6, dtype='<i2').reshape(2, 3)", () => {
    const header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117);
    const bytes = Uint8Array.from([
      0x93,
      ...Buffer.from("NUMPY"),
      1,
      0,
      118,
      0,
      ...Buffer.from(`${header}\n`),
      0,
      0,
      1,
      0,
      2,
      0,
      3,
      0,
      4,
      0,
      5,
      0,
    ]);
    expect(readNpy(bytes, "a.npy")).toEqual({ dtype: "int16", shape: [2, 3], data: Int16Array.of(0, 1, 2, 3, 4, 5) });
  });

  it("reads back what it writes, with the data aligned to 64 bytes", () => {
    const array = { dtype: "float32", shape: [3], data: Float32Array.of(1.5, -2, Number.NaN) } as const;
    const bytes = writeNpy(array);
    expect((bytes.length - 12) % 64).toBe(0);
    expect(readNpy(bytes, "b.npy")).toEqual(array);
  });

  it("damaged files give diagnostics only", () => {
    const good = writeNpy({ dtype: "int8", shape: [4, 4], data: new Int8Array(16) });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
        const bad = good.slice(0, length);
        if (at < bad.length) bad[at] = value;
        try {
          readNpy(bad, "c.npy");
        } catch (error) {
          expect(error).toBeInstanceOf(DiagnosticError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
