import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "vitest";
import { exampleModel } from "../bench/example.js";
import { modelsFolder } from "../bench/goldens.js";
import type { TensorData } from "../src/base/dtype.js";
import { exportTflite } from "../src/formats/tflite/export.js";
import { importTflite } from "../src/formats/tflite/import.js";
import { tensorOf } from "../src/ir/graph.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { runLiteRt } from "./litert.js";

it("explore", async () => {
  const lines: string[] = [];
  const names = [...readdirSync(modelsFolder).filter((f) => f.endsWith(".tflite") && f !== "mcunetv2_large.tflite"),
    ...readdirSync(join(modelsFolder, "seanet")).flatMap((op) => readdirSync(join(modelsFolder, "seanet", op)).filter((f) => f.endsWith(".tflite")).map((f) => `seanet/${op}/${f}`))];
  for (const [name, bytes] of [["example", exampleModel()] as const, ...names.map((n) => [n, new Uint8Array(readFileSync(join(modelsFolder, n)))] as const)]) {
    const t0 = Date.now();
    const model = importTflite(bytes, name);
    const runs = [0, 1].map((run) => testInputs(model.main, run));
    const session = createSession(model);
    const want = runs.map((r) => session.invoke(r));
    const t1 = Date.now();
    const ports = { inputs: model.main.inputs.map((id) => tensorOf(model.main, id)), outputs: model.main.outputs.map((id) => tensorOf(model.main, id)), invocations: runs };
    const a = await runLiteRt({ file: bytes, ...ports });
    const b = await runLiteRt({ file: exportTflite(model), ...ports });
    const t2 = Date.now();
    let line = `${name} [${ports.inputs.map((t) => t.dtype)}] ${t1 - t0}ms ${t2 - t1}ms: `;
    if (a.kind === "refused") line += `ORIGINAL REFUSED ${a.why} `;
    if (b.kind === "refused") line += `OURS REFUSED ${b.why} `;
    if (a.kind === "ran" && b.kind === "ran") line += `same ${JSON.stringify(a.outputs) === JSON.stringify(b.outputs)} `;
    if (b.kind === "ran") {
      let n = 0, bad = 0, worst = 0;
      want.forEach((outs, r) => outs.forEach((w, o) => { for (let i = 0; i < w.length; i++) { n++; const d = Math.abs(Number(w[i]) - Number((b.outputs[r]?.[o] as TensorData)[i])); if (d) bad++; worst = Math.max(worst, d); } }));
      line += `differ ${bad}/${n} worst ${worst}`;
    }
    lines.push(line);
    writeFileSync("/tmp/lt/out2.txt", lines.join("\n"));
  }
}, 300000);
