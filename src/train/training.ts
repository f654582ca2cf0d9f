import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import { tensorOf } from "../ir/graph.js";
import type { Backend } from "./backend.js";
import { fillDropoutMask } from "./dropout.js";
import { valuesOf } from "./optimizers.js";
import type { TrainOptions } from "./options.js";
import { rateAt } from "./schedules.js";
import { mixedSeed } from "./source.js";
import type { TrainStep } from "./step.js";

/** Buffers of a batch, lent to the backend and given back. */
interface Buffers {
  readonly feeds: Record<string, Float32Array>;
}

/** Batches under way at a time: one that runs, and two that wait or are being filled. */
const underWay = 3;

/** A training that has been opened: sessions, vectors, and where it stands. */
export class Training {
  private readonly names: readonly string[];
  private readonly shapes: ReadonlyMap<string, readonly number[]>;
  private readonly free: Buffers[] = [];
  readonly stepsPerEpoch: number;
  readonly steps: number;

  constructor(
    private readonly step: TrainStep,
    private readonly backend: Backend,
    private readonly options: TrainOptions,
  ) {
    this.names = step.state.map((s) => s.name);
    this.shapes = new Map(
      step.graph.inputs.map((id) => [tensorOf(step.graph, id).name, tensorOf(step.graph, id).shape]),
    );
    // The last partial batch of an epoch is dropped: the graph has one batch size, and every epoch another order.
    this.stepsPerEpoch = Math.floor(options.data.samples / options.batch);
    this.steps = this.stepsPerEpoch * options.epochs;
  }

  /** Runs one epoch from its first step on; returns its mean loss and the runtime's milliseconds. */
  async epoch(epoch: number, startedAt: number): Promise<{ readonly loss: number; readonly busyMs: number }> {
    const { onProgress, signal } = this.options;
    const running: Promise<{ loss: number; ms: number }>[] = [];
    let [total, busyMs, next, done] = [0, 0, 0, 0];
    while (done < this.stepsPerEpoch) {
      while (running.length < underWay && next < this.stepsPerEpoch) {
        const run = this.run(epoch, next++);
        // A failure is reported where its turn comes.
        run.catch(() => undefined);
        running.push(run);
        await Promise.resolve();
      }
      const { loss, ms } = await present(running.shift(), "step");
      signal?.throwIfAborted();
      total += loss;
      busyMs += ms;
      done++;
      const step = epoch * this.stepsPerEpoch + done;
      const perStep = (performance.now() - startedAt) / 1000 / (step - this.resumedAt);
      onProgress?.({ step, steps: this.steps, epoch, loss, secondsLeft: perStep * (this.steps - step) });
    }
    return { loss: total / Math.max(this.stepsPerEpoch, 1), busyMs };
  }

  resumedAt = 0;

  private async run(epoch: number, index: number): Promise<{ loss: number; ms: number }> {
    const { step, options } = this;
    const buffers = this.free.pop() ?? this.newBuffers();
    const array = (name: string): Float32Array => present(buffers.feeds[name], name);
    await options.data.fill(epoch, index * options.batch, array(step.inputName), array(step.targetName));
    const count = epoch * this.stepsPerEpoch + index;
    const seed = options.seed ?? 1;
    step.masks.forEach((mask, m) => {
      fillDropoutMask(array(mask.name), mask.rate, mixedSeed(seed, count, m));
    });
    const rate = rateAt(options.schedule ?? { kind: "cosine" }, options.rate, count, this.steps);
    const accumulate = options.accumulate ?? 1;
    const applied = (count + 1) % accumulate === 0;
    valuesOf(options.optimizer, rate, Math.floor(count / accumulate) + 1).forEach((value, i) => {
      array(step.values[i] ?? "").fill(value);
    });
    if (step.continues !== null) array(step.continues).fill(count % accumulate === 0 ? 0 : 1);
    const feeds = Object.fromEntries(
      Object.entries(buffers.feeds).map(([name, data]) => [name, { data, shape: this.shapes.get(name) ?? [] }]),
    );
    const commit = applied ? this.names : this.names.filter((n) => n === "accumulated" || n === "statistics");
    const response = await this.backend.run({
      session: "step",
      feeds,
      stored: this.names.map((name) => [name, name] as const),
      updates: this.names.map((name) => [`next_${name}`, name] as const),
      commit,
      results: [step.lossName],
    });
    this.free.push({ feeds: { ...response.feeds } });
    const loss = response.results[step.lossName]?.[0] ?? Number.NaN;
    if (!Number.isFinite(loss))
      fail("TH2016", {
        where: [`step ${count + 1}`],
        found: `a loss of ${loss}`,
        fix: "lower the learning rate, warm it up, or clip gradients; check the data for NaN",
      });
    return { loss, ms: response.ms };
  }

  private newBuffers(): Buffers {
    const { inputName, targetName, masks, values, continues } = this.step;
    const names = [
      inputName,
      targetName,
      ...masks.map((m) => m.name),
      ...values,
      ...(continues === null ? [] : [continues]),
    ];
    return {
      feeds: Object.fromEntries(names.map((n) => [n, new Float32Array(elementsOf(this.shapes.get(n) ?? []))])),
    };
  }
}
