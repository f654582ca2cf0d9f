/**
 * Sessions of an ONNX runtime, and named vectors that pass from one run to the next without leaving where they are. The
 * whole of it is one function, whose source text a worker thread gets; so it must refer to nothing outside itself.
 */

/** A value that goes in: float32. */
export interface HostValue {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** How a session runs. */
export interface HostOptions {
  /** Execution providers in order of preference; the runtime's own order unless given. */
  readonly providers?: readonly string[];
  readonly threads?: number;
}

export interface OpenRequest {
  readonly kind: "open";
  readonly session: string;
  readonly model: Uint8Array;
  readonly options: HostOptions;
}

export interface RunRequest {
  readonly kind: "run";
  readonly session: string;
  readonly feeds: Readonly<Record<string, HostValue>>;
  /** Inputs that are stored vectors. */
  readonly stored: readonly (readonly [input: string, vector: string])[];
  /** Output names and the vectors that they replace, if `commit` is set; they are computed in any case. */
  readonly updates: readonly (readonly [output: string, vector: string])[];
  /** Vectors of `updates` that are replaced now. */
  readonly commit: readonly string[];
  /** Outputs to return. */
  readonly results: readonly string[];
}

export interface StoreRequest {
  readonly kind: "store";
  readonly vectors: Readonly<Record<string, Float32Array>>;
}

export interface LoadRequest {
  readonly kind: "load";
  readonly names: readonly string[];
}

/** Ends everything; what runs is finished first. */
export interface CloseRequest {
  readonly kind: "close";
}

export type HostRequest = OpenRequest | RunRequest | StoreRequest | LoadRequest | CloseRequest;

/** What a run gives: results, and the feeds' arrays back, to be filled again. */
export interface RunResponse {
  readonly results: Readonly<Record<string, Float32Array>>;
  readonly feeds: Readonly<Record<string, Float32Array>>;
  /** Milliseconds within the runtime. */
  readonly ms: number;
}

/** The parts of onnxruntime-common that are used; -node and -web both have them. */
export interface Runtime {
  readonly InferenceSession: {
    create: (model: Uint8Array, options: object) => Promise<RuntimeSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => RuntimeTensor;
}

interface RuntimeTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

interface RuntimeSession {
  readonly run: (
    feeds: Record<string, RuntimeTensor>,
    fetches: Record<string, RuntimeTensor | null>,
  ) => Promise<Record<string, RuntimeTensor>>;
  readonly release: () => Promise<void>;
}

export interface Host {
  readonly open: (request: OpenRequest) => Promise<void>;
  readonly run: (request: RunRequest) => Promise<RunResponse>;
  readonly store: (request: StoreRequest) => void;
  readonly load: (request: LoadRequest) => Readonly<Record<string, Float32Array>>;
  readonly close: () => Promise<void>;
}

/** Opens a host over a runtime. */
export function createHost(runtime: Runtime): Host {
  const sessions = new Map<string, RuntimeSession>();
  /** Each vector twice: what it is, and where its successor is written. */
  const vectors = new Map<string, { now: RuntimeTensor; next: RuntimeTensor }>();
  const tensor = (data: Float32Array, shape: readonly number[]): RuntimeTensor =>
    new runtime.Tensor("float32", data, shape);
  const vector = (name: string): { now: RuntimeTensor; next: RuntimeTensor } => {
    const found = vectors.get(name);
    if (found === undefined) throw new RangeError(`no vector ${name}`);
    return found;
  };
  return {
    open: async ({ session, model, options }) => {
      const created = await runtime.InferenceSession.create(model, {
        // Beyond "basic", quantization that training imitates is fused away.
        graphOptimizationLevel: "basic",
        logSeverityLevel: 3,
        ...(options.providers ? { executionProviders: options.providers } : {}),
        ...(options.threads ? { intraOpNumThreads: options.threads, interOpNumThreads: 1 } : {}),
      });
      sessions.set(session, created);
    },
    run: async (request) => {
      const session = sessions.get(request.session);
      if (session === undefined) throw new RangeError(`no session ${request.session}`);
      const feeds: Record<string, RuntimeTensor> = {};
      for (const [name, value] of Object.entries(request.feeds)) feeds[name] = tensor(value.data, value.shape);
      for (const [input, name] of request.stored) feeds[input] = vector(name).now;
      const fetches: Record<string, RuntimeTensor | null> = {};
      for (const name of request.results) fetches[name] = null;
      for (const [output, name] of request.updates) fetches[output] = vector(name).next;
      const start = performance.now();
      const found = await session.run(feeds, fetches);
      const ms = performance.now() - start;
      for (const [output, name] of request.updates) {
        const pair = vector(name);
        const written = found[output];
        // A runtime that did not write in place gave a tensor of its own.
        if (written !== undefined && written.data !== pair.next.data) pair.next = written;
        if (!request.commit.includes(name)) continue;
        const { now } = pair;
        pair.now = pair.next;
        pair.next = now;
      }
      const results: Record<string, Float32Array> = {};
      for (const name of request.results) results[name] = found[name]?.data as Float32Array;
      const given: Record<string, Float32Array> = {};
      for (const [name, value] of Object.entries(request.feeds)) given[name] = value.data;
      return { results, feeds: given, ms };
    },
    store: ({ vectors: given }) => {
      for (const [name, data] of Object.entries(given)) {
        vectors.set(name, {
          now: tensor(data.slice(), [data.length]),
          next: tensor(new Float32Array(data.length), [data.length]),
        });
      }
    },
    load: ({ names }) => {
      const found: Record<string, Float32Array> = {};
      for (const name of names) found[name] = (vector(name).now.data as Float32Array).slice();
      return found;
    },
    close: async () => {
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      vectors.clear();
    },
  };
}
