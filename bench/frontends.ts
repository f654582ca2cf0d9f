/**
 * `npm run bench -- frontends`: what front-ends cost: milliseconds on the host for an example, as training pays for it, and
 * instructions, flash, RAM (of a second of sound that is pushed) on emulated cores, where their bits are the interpreter's.
 */
import { verify } from "../src/app/api.js";
import { planModel } from "../src/app/compile.js";
import { renderTable } from "../src/app/report/table.js";
import { grouped } from "../src/base/units.js";
import { frontendGraph } from "../src/frontends/frontend.js";
import type { Recipe } from "../src/frontends/recipe.js";
import { createTransform } from "../src/frontends/transform.js";
import { perTensor, tensorOf } from "../src/ir/graph.js";
import { modelOf } from "../src/ops/index.js";
import type { BenchResult } from "./main.js";

const cases: readonly (readonly [name: string, recipe: Recipe, signal: readonly number[]])[] = [
  ["log-mel 8 kHz, 32 ms, 32 bands", { kind: "log-mel", sampleRate: 8000, mels: 32 }, [8000]],
  ["log-mel 16 kHz, 30 ms, 40 bands", { kind: "log-mel", sampleRate: 16000, windowMs: 30 }, [16000]],
  ["MFCC 16 kHz, 40 ms, 10 of 40", { kind: "mfcc", sampleRate: 16000, windowMs: 40 }, [16000]],
  ["spectrogram 8 kHz, 32 ms", { kind: "spectrogram", sampleRate: 8000 }, [8000]],
  ["IMU, 6 columns of 119 rows", { kind: "imu-features", fullScale: [4, 4, 4, 2000, 2000, 2000] }, [119, 6]],
];

const cores = ["cortex-m4", "cortex-m0plus"] as const;

/** Milliseconds of one example on this machine: the least of several rounds. */
function hostMs(recipe: Recipe, signal: readonly number[]): number {
  const { apply, shape } = createTransform({ recipe }, signal);
  const input = Float32Array.from(
    { length: signal.reduce((a, b) => a * b, 1) },
    (_, i) => 9000 * Math.sin(i * i * 1e-4),
  );
  const output = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const round = (): number => {
    const start = performance.now();
    for (let i = 0; i < 20; i++) apply(input, output);
    return (performance.now() - start) / 20;
  };
  return Math.min(...Array.from({ length: 8 }, round));
}

async function measure(name: string, recipe: Recipe, signal: readonly number[]) {
  const graph = frontendGraph(recipe, signal, { dtype: "int8", quant: perTensor(1 / 128) });
  const model = modelOf(graph);
  const { targets } = await verify(model, [...cores]);
  const frames = tensorOf(graph, graph.outputs[0] as never).shape[1] ?? 1;
  const { peakBytes } = planModel(model, { feed: "pushed", optimize: "memory" }).plan;
  const of = (core: string) => targets.find((t) => t.name === core);
  return {
    name,
    frames,
    hostMs: hostMs(recipe, signal),
    peakBytes,
    cores: cores.map((core) => ({
      core,
      identical: of(core)?.identical ?? false,
      instructionsPerFrame: Math.round((of(core)?.instructions ?? 0) / frames),
      flashBytes: of(core)?.modelFlashBytes ?? 0,
    })),
  };
}

export async function frontendsBench(): Promise<BenchResult> {
  const measured = [];
  for (const [name, recipe, signal] of cases) measured.push(await measure(name, recipe, signal));
  const rows = measured.map((m) => [
    m.name,
    String(m.frames),
    m.hostMs.toFixed(2),
    grouped(m.peakBytes),
    ...m.cores.flatMap((c) => [c.identical ? grouped(c.instructionsPerFrame) : "differs", grouped(c.flashBytes)]),
  ]);
  const head = ["front-end", "frames", "host ms", "RAM, pushed", ...cores.flatMap((c) => [`${c} /frame`, "flash"])];
  return {
    text: `${renderTable(
      head.map((title, i) => ({ title, align: i === 0 ? "left" : "right" })),
      rows,
    )}\n`,
    data: measured,
    exitCode: measured.every((m) => m.cores.every((c) => c.identical)) ? 0 : 1,
  };
}
