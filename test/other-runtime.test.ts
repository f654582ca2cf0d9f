import { writeFileSync } from "node:fs";
import { it } from "vitest";
import type { TensorData } from "../src/base/dtype.js";
import { exportTflite } from "../src/formats/tflite/export.js";
import { tensorOf } from "../src/ir/graph.js";
import { operators } from "../src/ops/index.js";
import { sampleCase } from "../src/ops/sample.js";
import { createSession } from "../src/run/interpreter.js";
import { runLiteRt } from "./litert.js";

it("explore", async () => {
  const lines: string[] = [];
  const only = process.env["ONLY"]?.split(",");
  for (const op of operators) {
    if (only && !only.includes(op.name)) continue;
    if (op.tflite === "none") {
      lines.push(`${op.name}: no tflite`);
      continue;
    }
    for (const sample of op.samples) {
      const name = `${op.name} | ${sample.name}`;
      try {
        const { graph, inputs } = sampleCase(op, sample);
        const session = createSession({ main: graph, subgraphs: [] });
        const want = [session.invoke(inputs), session.invoke(inputs)];
        const file = exportTflite({ main: graph, subgraphs: [] });
        if (only) writeFileSync(`/tmp/lt/${op.name}.tflite`, file);
        const outs = graph.outputs.map((id) => tensorOf(graph, id));
        const r = await runLiteRt({
          file,
          inputs: graph.inputs.map((id) => tensorOf(graph, id)),
          outputs: outs,
          invocations: [inputs, inputs],
        });
        if (r.kind === "refused") {
          lines.push(`${name}: REFUSED ${r.why}`);
          continue;
        }
        const notes: string[] = [];
        want.forEach((outputs, run) =>
          outputs.forEach((w, o) => {
            const g = r.outputs[run]?.[o] as TensorData;
            let bad = 0,
              worst = 0,
              at = -1;
            for (let i = 0; i < w.length; i++) {
              const [a, b] = [Number(w[i]), Number(g[i])];
              if (Object.is(a, b) || a === b) continue;
              bad++;
              const scale = outs[o]?.dtype === "float32" ? Math.max(1, Math.abs(a)) : 1;
              const e = Math.abs(a - b) / scale;
              if (!(e <= worst)) {
                worst = e;
                at = i;
              }
            }
            if (only) {
              const X = inputs[0] as Int16Array;
              const f = (q: number, s: number) =>
                op.name === "TANH" ? 32768 * Math.tanh(q * s) : 32768 / (1 + Math.exp(-q * s));
              const s = tensorOf(graph, graph.inputs[0] as never).quant?.scales[0] ?? 1;
              let eo = 0,
                et = 0;
              w.forEach((v, i) => {
                const t = f(X[i] ?? 0, s);
                eo = Math.max(eo, Math.abs(Number(v) - t));
                et = Math.max(et, Math.abs(Number(g[i]) - t));
              });
              notes.push(`scale ${s} max err ours ${eo} theirs ${et}`);
            }
            if (bad && !(worst < 1e-4))
              notes.push(
                `run ${run} out ${o}: ${bad}/${w.length} differ, worst ${worst} at ${at} (${w[at]} vs ${g[at]}) ours ${Array.from(w as Int8Array).slice(0, 10)} theirs ${Array.from(g as Int8Array).slice(0, 10)}`,
              );
          }),
        );
        lines.push(`${name}: ${notes.length ? notes.join("\n      ") : "equal"}`);
      } catch (e) {
        lines.push(`${name}: THROWN ${(e as Error).message.split("\n").slice(0, 4).join(" ")}`);
      }
      writeFileSync("/tmp/lt/out.txt", lines.join("\n"));
    }
  }
}, 300000);
