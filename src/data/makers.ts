import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { packageRoot } from "../base/assets.js";
import { DiagnosticError } from "../base/diagnostics.js";
import { type Batch, type BatchJob, type BatchSettings, createBatchMaker } from "./batch.js";
import type { DatasetIndex } from "./dataset.js";
import type { WorkerReply, WorkerRequest } from "./worker.js";

/** Where batches are made. */
export interface Maker {
  readonly make: (job: BatchJob, recycled: ArrayBuffer | undefined) => Promise<Batch>;
  readonly makingMs: () => number;
  readonly close: () => Promise<void>;
}

/** Makes batches in this thread. */
export async function makeHere(index: DatasetIndex, settings: BatchSettings): Promise<Maker> {
  const { make } = await createBatchMaker(index, settings);
  let total = 0;
  return {
    make: async (job, recycled) => {
      const start = performance.now();
      const batch = make(job, recycled);
      total += performance.now() - start;
      return batch;
    },
    makingMs: () => total,
    close: async () => {},
  };
}

/** The compiled worker: threads cannot run TypeScript, as which tests load this file. */
const workerPath = (): string =>
  import.meta.url.endsWith(".ts")
    ? join(packageRoot, "dist/src/data/worker.js")
    : fileURLToPath(new URL("./worker.js", import.meta.url));

interface Waiting {
  readonly resolve: (batch: Batch) => void;
  readonly reject: (error: Error) => void;
  readonly thread: Thread;
}

interface Thread {
  readonly worker: Worker;
  queued: number;
}

/** Makes batches in so many threads, each asked in turn of who has least to do. */
export function makeInThreads(index: DatasetIndex, settings: BatchSettings, count: number): Maker {
  const waiting = new Map<number, Waiting>();
  let [nextId, total] = [0, 0];
  const settle = (reply: WorkerReply): void => {
    const entry = waiting.get(reply.id);
    if (entry === undefined) return;
    waiting.delete(reply.id);
    entry.thread.queued--;
    // A pipeline that was left open does not keep a process alive.
    if (entry.thread.queued === 0) entry.thread.worker.unref();
    if ("batch" in reply) {
      total += reply.milliseconds;
      entry.resolve(reply.batch);
    } else {
      entry.reject("diagnostics" in reply ? new DiagnosticError(reply.diagnostics) : new Error(reply.message));
    }
  };
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const threads = Array.from({ length: count }, (): Thread => {
    const worker = new Worker(workerPath(), { workerData: { index, settings } });
    worker.on("message", settle);
    worker.on("error", failAll);
    worker.unref();
    return { worker, queued: 0 };
  });
  return {
    make: (job, recycled) =>
      new Promise((resolve, reject) => {
        const thread = threads.reduce((least, t) => (t.queued < least.queued ? t : least));
        const id = nextId++;
        thread.queued++;
        waiting.set(id, { resolve, reject, thread });
        const request: WorkerRequest = { id, job, ...(recycled === undefined ? {} : { recycled }) };
        // While an answer is outstanding, the process must wait for it.
        thread.worker.ref();
        thread.worker.postMessage(request, recycled === undefined ? [] : [recycled]);
      }),
    makingMs: () => total,
    close: async () => {
      // First, so that no answer that is still to come lets the process end before the threads have.
      failAll(new Error("the pipeline was closed"));
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
