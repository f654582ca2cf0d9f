/** Runs a compiled program in a worker thread, so that a time limit or an abort can end a loop that never returns. */
import { Worker } from "node:worker_threads";

/** How a WebAssembly program ended: with an exit code, or with a trap's message. */
export interface WasmEnd {
  readonly response: Uint8Array;
  readonly exitCode: number | null;
  /** The trap's message, "" if none. */
  readonly trap: string;
}

interface WasmStart {
  readonly module: Uint8Array;
  readonly request: Uint8Array;
}

/** The part of the WebAssembly global that is used; TypeScript declares it only with the browser's types. */
interface WasmGlobal {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: object },
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; readonly th_main: () => void } };
}

/**
 * The whole of the worker. Its source text is what the worker gets, so it must refer to nothing outside itself: this
 * is how the same code runs from TypeScript and from the built package without a file of its own.
 */
function runModule(start: WasmStart): WasmEnd {
  // The half-integer cases of JavaScript's Math.round differ from C's.
  const round = (x: number) => (x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5));
  const rint = (x: number) => {
    const low = Math.floor(x);
    if (x - low !== 0.5) return Math.floor(x + 0.5);
    return low % 2 === 0 ? low : low + 1;
  };
  const signed = (x: number, y: number) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x));
  const keepSign = (f: (x: number) => number) => (x: number) => (Number.isFinite(x) ? signed(f(x), x) : x);
  const functions: Record<string, (x: number, y: number) => number> = {
    ...{ acosf: Math.acos, asinf: Math.asin, atanf: Math.atan, ceilf: Math.ceil, cosf: Math.cos, coshf: Math.cosh },
    ...{ expf: Math.exp, exp2f: (x) => 2 ** x, expm1f: Math.expm1, fabsf: Math.abs, floorf: Math.floor },
    ...{ logf: Math.log, log2f: Math.log2, log10f: Math.log10, log1pf: Math.log1p, rintf: keepSign(rint) },
    ...{ nearbyintf: keepSign(rint), roundf: keepSign(round), sinf: Math.sin, sinhf: Math.sinh, sqrtf: Math.sqrt },
    ...{ tanf: Math.tan, tanhf: Math.tanh, truncf: Math.trunc, atan2f: Math.atan2, copysignf: signed },
    // C ignores a NaN operand of fmax and fmin, JavaScript hands it on.
    fmaxf: (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y)),
    fminf: (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y)),
    fmodf: (x, y) => x % y,
    // C: 1 to any power, and -1 to an infinite one, is 1.
    powf: (x, y) => (x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y)) ? 1 : x ** y),
  };
  const chunks: Uint8Array[] = [];
  let requestAt = 0;
  let exitCode: number | null = null;
  let memory = new Uint8Array();
  const exit = (code: number): never => {
    exitCode = code;
    throw new Error("exit");
  };
  const port = {
    th_port_read: (to: number, bytes: number) => {
      const given = start.request.subarray(requestAt, requestAt + bytes);
      if (given.length < bytes) exit(66);
      memory.set(given, to);
      requestAt += bytes;
    },
    th_port_write: (from: number, bytes: number) => {
      chunks.push(memory.slice(from, from + bytes));
    },
    th_port_exit: exit,
  };
  let trap = "";
  try {
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WasmGlobal }).WebAssembly;
    const { exports } = new Instance(new Module(start.module), { env: { ...functions, ...port } });
    memory = new Uint8Array(exports.memory.buffer);
    exports.th_main();
  } catch (error) {
    if (exitCode === null) trap = String(error);
  }
  const response = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    response.set(chunk, at);
    at += chunk.length;
  }
  return { response, exitCode, trap };
}

/** Runs a module that exports th_main and memory; null when the time is up. Throws the signal's reason on abort. */
export async function runWasm(
  start: WasmStart,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<WasmEnd | null> {
  signal?.throwIfAborted();
  const source = `const { parentPort, workerData } = require("node:worker_threads");
parentPort.postMessage((${runModule.toString()})(workerData));`;
  const worker = new Worker(source, { eval: true, workerData: start });
  const ended = new Promise<WasmEnd | null>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => resolve(null));
  });
  const stop = (): void => void worker.terminate();
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const end = await ended;
    signal?.throwIfAborted();
    return end;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
