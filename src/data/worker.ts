import { parentPort, workerData } from "node:worker_threads";
import { type Diagnostic, DiagnosticError } from "../base/diagnostics.js";
import { type Batch, type BatchJob, type BatchSettings, createBatchMaker } from "./batch.js";
import type { DatasetIndex } from "./dataset.js";

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly index: DatasetIndex;
  readonly settings: BatchSettings;
}

export interface WorkerRequest {
  readonly id: number;
  readonly job: BatchJob;
  readonly recycled?: ArrayBuffer;
}

export type WorkerReply =
  | { readonly id: number; readonly batch: Batch; readonly milliseconds: number }
  | { readonly id: number; readonly diagnostics: readonly Diagnostic[] }
  | { readonly id: number; readonly message: string };

const port = parentPort;
if (port !== null) {
  const { index, settings } = workerData as WorkerStart;
  const maker = createBatchMaker(index, settings);
  // An error is the answer to each request; it must not end the process before one is asked.
  maker.catch(() => {});
  port.on("message", async ({ id, job, recycled }: WorkerRequest) => {
    try {
      const { make } = await maker;
      const start = performance.now();
      const batch = make(job, recycled);
      const reply: WorkerReply = { id, batch, milliseconds: performance.now() - start };
      port.postMessage(reply, [batch.x.buffer, batch.y.buffer]);
    } catch (error) {
      const reply: WorkerReply =
        error instanceof DiagnosticError
          ? { id, diagnostics: error.diagnostics }
          : { id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
      port.postMessage(reply);
    }
  });
}
