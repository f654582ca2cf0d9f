import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planModel } from "../src/app/compile.js";
import { packageRoot } from "../src/base/assets.js";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { importTflite } from "../src/formats/tflite/import.js";

/** Files that once broke the importer: `npm run fuzz` keeps them under bench/results/fuzz, from where they move here. */
const corpus = join(packageRoot, "test/corpus");
const files = existsSync(corpus) ? readdirSync(corpus) : [];

describe("damaged files", () => {
  it("a thousand of them give diagnostics only (npm run fuzz does more)", async () => {
    const command = join(packageRoot, "dist/bench/fuzz.js");
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, [command, "--runs", "1000", "--seed", "3"], (_, stdout) => resolve(stdout));
    });
    expect(output).toMatch(/^1000 files .* 0 failures/m);
  });

  for (const file of files) {
    it(`${file} gives diagnostics or a model, within five seconds`, () => {
      const start = performance.now();
      try {
        planModel(importTflite(new Uint8Array(readFileSync(join(corpus, file))), file));
      } catch (error) {
        expect(error).toBeInstanceOf(DiagnosticError);
      }
      expect(performance.now() - start).toBeLessThan(5000);
    });
  }
});
