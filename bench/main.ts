/** `npm run bench -- NAME`: measurements that print a table and write JSON under bench/results/. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../src/base/assets.js";
import { DiagnosticError, formatDiagnostic } from "../src/base/diagnostics.js";
import { accuracyBench } from "./accuracy.js";
import { frontendsBench } from "./frontends.js";
import { kernelsBench } from "./kernels.js";
import { memoryBench } from "./memory.js";
import { onnxBench } from "./onnx.js";
import { trainBench } from "./train.js";

/** What a benchmark gives: text for people, and data. `exitCode` 1 if something that was promised does not hold. */
export interface BenchResult {
  readonly text: string;
  readonly data: object;
  readonly exitCode: 0 | 1;
}

type Bench = (args: readonly string[]) => Promise<BenchResult>;

const benches: Readonly<Record<string, Bench>> = {
  accuracy: accuracyBench,
  memory: memoryBench,
  kernels: kernelsBench,
  train: trainBench,
  frontends: frontendsBench,
  onnx: onnxBench,
};

const [name = "", ...args] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`npm run bench -- NAME, one of: ${Object.keys(benches).join(", ")}\n`);
  process.exitCode = 2;
} else {
  try {
    const { text, data, exitCode } = await bench(args);
    process.stdout.write(text);
    const file = join(packageRoot, "bench/results", `${name}.json`);
    mkdirSync(join(packageRoot, "bench/results"), { recursive: true });
    writeFileSync(file, `${JSON.stringify(data, null, 2)}\n`);
    process.stderr.write(`wrote ${file}\n`);
    process.exitCode = exitCode;
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    for (const d of error.diagnostics) process.stderr.write(`${formatDiagnostic(d)}\n`);
    process.exitCode = 1;
  }
}
