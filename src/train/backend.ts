import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { present } from "../base/assert.js";
import { fail } from "../base/diagnostics.js";
import {
  createHost,
  type Host,
  type HostOptions,
  type HostRequest,
  type HostValue,
  type RunResponse,
  type Runtime,
} from "./host.js";

/** Runs sessions and keeps vectors, in this thread or another. */
export interface Backend {
  /** Opens a session of a model under a name. */
  readonly open: (session: string, model: Uint8Array) => Promise<void>;
  /** Runs a session; arrays of `feeds` are lent, and come back with the response. */
  readonly run: (request: {
    readonly session: string;
    readonly feeds: Readonly<Record<string, HostValue>>;
    readonly stored: readonly (readonly [input: string, vector: string])[];
    readonly updates: readonly (readonly [output: string, vector: string])[];
    readonly commit: readonly string[];
    readonly results: readonly string[];
  }) => Promise<RunResponse>;
  readonly store: (vectors: Readonly<Record<string, Float32Array>>) => Promise<void>;
  /** Copies of vectors. */
  readonly load: (names: readonly string[]) => Promise<Readonly<Record<string, Float32Array>>>;
  readonly close: () => Promise<void>;
}

/** A backend in this thread, over onnxruntime-node, onnxruntime-web or another of the same interface. */
export function localBackend(runtime: Runtime, options: HostOptions = {}): Backend {
  const host: Host = createHost(runtime);
  return {
    open: (session, model) => host.open({ kind: "open", session, model, options }),
    run: (request) => host.run({ kind: "run", ...request }),
    store: async (vectors) => host.store({ kind: "store", vectors }),
    load: async (names) => host.load({ kind: "load", names }),
    close: host.close,
  };
}

/** The worker's program: a host, and messages to and from it. The last argument is `createHost` itself. */
function serve(port: import("node:worker_threads").MessagePort, host: Host): void {
  const answer = async (request: HostRequest): Promise<unknown> => {
    if (request.kind === "open") return host.open(request);
    if (request.kind === "run") return host.run(request);
    if (request.kind === "store") return host.store(request);
    if (request.kind === "close") {
      await host.close();
      // Nothing keeps the thread then. To terminate it from outside would kill the process: the runtime's objects do not
      // stand it.
      port.close();
      return null;
    }
    return host.load(request);
  };
  const buffers = (value: unknown): ArrayBuffer[] => {
    const { feeds = {} } = (value ?? {}) as { feeds?: Record<string, Float32Array> };
    return Object.values(feeds).map((data) => data.buffer as ArrayBuffer);
  };
  // One at a time, in the order they came.
  let last: Promise<void> = Promise.resolve();
  port.on("message", ({ id, request }: { id: number; request: HostRequest }) => {
    last = last.then(async () => {
      try {
        const result = await answer(request);
        if (request.kind !== "close") port.postMessage({ id, result }, buffers(result));
      } catch (error) {
        port.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
      }
    });
  });
}

/** Where onnxruntime-node is installed. */
function runtimePath(): string {
  try {
    return createRequire(import.meta.url).resolve("onnxruntime-node");
  } catch {
    return fail("TH5001", {
      found: "no onnxruntime-node",
      fix: "npm install onnxruntime-node@1.30.0 (its optional downloads may fail: onnxruntime-node-install=skip in .npmrc)",
    });
  }
}

/** Throws TH5001: the execution providers that were asked for are not there. */
const unavailable = (providers: readonly string[], error: Error): never =>
  fail("TH5001", {
    where: ["onnxruntime-node"],
    found: `${providers.join(", ")}: ${error.message.split("\n")[0]}`,
    expected: "execution providers that this machine and installation have",
    fix: "leave out the provider for the CPU; CUDA needs Linux, its libraries, and onnxruntime-node installed without onnxruntime-node-install=skip",
  });

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A backend over onnxruntime-node in a worker thread, so that the caller can prepare batches while a step runs. */
export function workerBackend(options: HostOptions = {}): Backend {
  const source = `const { parentPort, workerData } = require("node:worker_threads");
const createHost = ${createHost.toString()};
(${serve.toString()})(parentPort, createHost(require(workerData)));`;
  const worker = new Worker(source, { eval: true, workerData: runtimePath() });
  const pending = new Map<number, Pending>();
  let next = 0;
  worker.on("message", ({ id, result, error }: { id: number; result?: never; error?: string }) => {
    const { resolve, reject } = present(pending.get(id), "request");
    pending.delete(id);
    if (error === undefined) resolve(result as never);
    else reject(new Error(error));
  });
  const failAll = (error: Error): void => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  worker.on("error", failAll);
  worker.on("exit", () => failAll(new Error("the training thread ended")));
  const ask = <T>(request: HostRequest, transfer: readonly ArrayBuffer[] = []): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = next++;
      pending.set(id, { resolve: resolve as (value: never) => void, reject });
      worker.postMessage({ id, request }, [...transfer]);
    });
  return {
    open: (session, model) =>
      ask<void>({ kind: "open", session, model, options }).catch((error: Error) =>
        options.providers === undefined ? Promise.reject(error) : unavailable(options.providers, error),
      ),
    run: (request) => {
      const lent = Object.values(request.feeds).map((v) => v.data.buffer as ArrayBuffer);
      return ask({ kind: "run", ...request }, lent);
    },
    store: (vectors) => ask({ kind: "store", vectors }),
    load: (names) => ask({ kind: "load", names }),
    close: async () => {
      const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
      worker.postMessage({ id: next++, request: { kind: "close" } });
      await ended;
    },
  };
}
