import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DiagnosticError } from "../base/diagnostics.js";
import { seededRandom } from "../base/random.js";
import { tensorOf } from "../ir/graph.js";
import { Network } from "../nets/network.js";
import type { Graph } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import { rateAt } from "./schedules.js";
import { arraySource, type BatchSource } from "./source.js";
import { type EpochMetrics, type TrainOptions, train } from "./trainer.js";

/** Small images of three classes: a bright row, column or diagonal in noise. */
function stripes(
  samples: number,
  seed: number,
  shuffle?: number,
): BatchSource & { readonly inputs: Float32Array; readonly labels: readonly number[] } {
  const random = seededRandom(seed);
  const inputs = new Float32Array(samples * 64);
  const labels = Array.from({ length: samples }, (_, n) => {
    const [label, at] = [random.integer(0, 2), random.integer(0, 7)];
    for (let i = 0; i < 64; i++) {
      const [y, x] = [i >> 3, i & 7];
      const isOn = [y === at, x === at, (x + y) % 8 === at][label];
      inputs[n * 64 + i] = (isOn ? 1 : 0) + 0.3 * random.normal();
    }
    return label;
  });
  return {
    ...arraySource({ inputs, labels, classes: 3, ...(shuffle === undefined ? {} : { shuffle }) }),
    inputs,
    labels,
  };
}

function network(): Graph {
  const net = new Network("stripes", { seed: 2 });
  const x = net.conv(net.conv(net.input([8, 8, 1]), 8), 16, { stride: 2 });
  return net.graph([net.dense(net.dropout(net.globalPool(x), 0.2), 3)]);
}

const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  batch: 32,
  epochs: 4,
  rate: 0.1,
  schedule: { kind: "cosine", warmup: 0.1 },
  loss: { kind: "cross-entropy", smoothing: 0.05 },
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
  data: stripes(640, 1, 9),
  validation: stripes(200, 2),
  runtime: { threads: 1 },
  ...more,
});

const weightsOf = (graph: Graph): readonly number[] =>
  [...graph.tensors.values()].flatMap((t) => (t.data instanceof Float32Array ? [...t.data] : []));

describe("training", () => {
  it("learns, and the graph it returns computes what it was scored on", async () => {
    const seen: EpochMetrics[] = [];
    const { graph, history, score } = await train(network(), options({ onEpoch: (m) => seen.push(m) }));
    expect(seen).toEqual(history);
    expect(history.length).toBe(4);
    expect(history[3]?.trainLoss).toBeLessThan((history[0]?.trainLoss ?? 0) / 2);
    expect(score?.accuracy).toBeGreaterThan(0.95);
    expect(score?.confusion.flat().reduce((a, b) => a + b)).toBe(200);
    const data = stripes(200, 2);
    const session = createSession({ main: graph, subgraphs: [] });
    let right = 0;
    data.labels.forEach((label, n) => {
      const [out] = session.invoke([data.inputs.subarray(n * 64, (n + 1) * 64)]);
      const values = Array.from(out as Float32Array);
      if (values.indexOf(Math.max(...values)) === label) right++;
    });
    expect(right / 200).toBeCloseTo(score?.accuracy ?? 0, 6);
  });

  it("is the same to the bit again, and when it was cut off and resumed", async () => {
    const checkpoint = join(mkdtempSync(join(tmpdir(), "thimble-")), "checkpoint");
    const whole = await train(network(), options({ ema: 0.9, accumulate: 2 }));
    const again = await train(network(), options({ ema: 0.9, accumulate: 2 }));
    expect(weightsOf(again.graph)).toEqual(weightsOf(whole.graph));
    const abort = new AbortController();
    const cut = options({
      ema: 0.9,
      accumulate: 2,
      checkpoint,
      signal: abort.signal,
      onProgress: ({ step }) => {
        if (step === 50) abort.abort(new Error("cut off"));
      },
    });
    await expect(train(network(), cut)).rejects.toThrow("cut off");
    const resumed = await train(network(), options({ ema: 0.9, accumulate: 2, checkpoint, resume: "if-there" }));
    expect(resumed.history.length).toBe(4);
    expect(weightsOf(resumed.graph)).toEqual(weightsOf(whole.graph));
    const other = options({ ema: 0.9, accumulate: 2, checkpoint, resume: "if-there", seed: 5 });
    await expect(train(network(), other)).rejects.toThrow("another network or other options");
    writeFileSync(checkpoint, readFileSync(checkpoint).subarray(0, -100));
    const short = options({ ema: 0.9, accumulate: 2, checkpoint, resume: "if-there" });
    await expect(train(network(), short)).rejects.toThrow("cut off");
  });

  it("stops early, and says when it diverges", async () => {
    const noise = stripes(64, 3);
    const { history } = await train(network(), options({ patience: 1, epochs: 30, rate: 1e-9, validation: noise }));
    expect(history.length).toBeLessThan(30);
    const wild = options({ rate: 1e18, schedule: { kind: "constant" } });
    await expect(train(network(), wild)).rejects.toThrow(DiagnosticError);
  });

  it("refuses what it cannot train", async () => {
    await expect(train(network(), options({ batch: 1000 }))).rejects.toThrow("TH6003");
    await expect(train(network(), options({ rate: 0 }))).rejects.toThrow("TH6003");
    await expect(train(network(), options({ frozen: () => true }))).rejects.toThrow("TH2015");
  });

  it("keeps frozen weights as they were", async () => {
    const before = network();
    const { graph } = await train(before, options({ epochs: 1, frozen: (name) => name.startsWith("conv/") }));
    const changed = [...before.tensors.values()].filter((t) => {
      const now = tensorOf(graph, t.id).data;
      return t.data instanceof Float32Array && t.data.some((v, i) => v !== now?.[i]);
    });
    const names = changed.map((t) => t.name);
    expect(names.some((n) => n.startsWith("conv_2/"))).toBe(true);
    expect(names.filter((n) => n.startsWith("conv/") && !/mean|variance/.test(n))).toEqual([]);
  });
});

describe("schedules", () => {
  const steps = 100;
  it.each([
    [{ kind: "constant" }, [1, 1, 1]],
    [{ kind: "cosine" }, [1, 0.5, (1 + Math.cos(Math.PI * 0.99)) / 2]],
    [{ kind: "cosine", floor: 0.2 }, [1, 0.6, 0.2 + 0.4 * (1 + Math.cos(Math.PI * 0.99))]],
    [{ kind: "step", at: [0.4, 0.8], factor: 0.1 }, [1, 0.1, 0.01]],
    [{ kind: "constant", warmup: 0.1 }, [0.1, 1, 1]],
  ] as const)("%o", (schedule, want) => {
    [0, 50, 99].forEach((step, i) => {
      expect(rateAt(schedule, 1, step, steps)).toBeCloseTo(want[i] ?? 0, 10);
    });
  });
});
