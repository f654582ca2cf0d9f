import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { present } from "../src/base/assert.js";
import { packageRoot } from "../src/base/assets.js";
import type { TensorId } from "../src/base/units.js";
import { type NodeView, tensorOf, viewOf } from "../src/ir/graph.js";
import { type Graph, specOf } from "../src/ops/index.js";
import { parametersOf } from "../src/train/parameters.js";
import { rebatch } from "../src/train/rebatch.js";

/** The Python that Debian's python3-torch belongs to. */
const python = process.env["THIMBLE_PYTHON"] ?? "/usr/bin/python3";

/** PyTorch's version, or null where it is not installed. */
export function torchVersion(): string | null {
  const found = spawnSync(python, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : null;
}

/** What both sides train with. */
export interface TorchTraining {
  readonly network: Graph;
  readonly batch: number;
  readonly rate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** The batch, [batch, ...] flat, used at every step. */
  readonly x: Float32Array;
  readonly targets: Float32Array;
  readonly threads: number;
  /** "exact": padding as TensorFlow has it; "fast": PyTorch's own of the same sizes. */
  readonly mode: "exact" | "fast";
  /** In float64. */
  readonly double?: boolean;
}

/** A PyTorch process with a network. */
export interface Torch {
  readonly steps: (count: number) => Promise<{ readonly losses: readonly number[]; readonly ms: readonly number[] }>;
  /** The measured rate of a product of 1024 x 1024 matrices, in GFLOP/s. */
  readonly sgemm: (count: number) => Promise<number>;
  /** Constants as training left them, by name. */
  readonly constants: () => Promise<ReadonlyMap<string, Float32Array>>;
  readonly close: () => void;
}

function describe(t: TorchTraining) {
  const graph = rebatch(t.network, t.batch);
  const parameters = parametersOf(
    graph,
    () => false,
    () => null,
  );
  const trains = new Map(parameters.weights.map((p) => [p.id, p]));
  const used = new Map<TensorId, { readonly role: string; readonly data: Float32Array }>();
  for (const node of graph.nodes) {
    node.inputs.forEach((id, i) => {
      const data = id === null ? null : tensorOf(graph, id).data;
      if (id === null || !(data instanceof Float32Array)) return;
      const filter = node.op === "CONV_2D" ? "filter" : node.op === "DEPTHWISE_CONV_2D" ? "depthwise" : "plain";
      used.set(id, { role: i === 1 ? filter : "plain", data });
    });
  }
  let offset = 0;
  const constants = [...used].map(([id, { role, data }]) => {
    const c = { id, role, offset, size: data.length, shape: tensorOf(graph, id).shape, trains: trains.has(id) };
    offset += data.length;
    return { ...c, name: tensorOf(graph, id).name };
  });
  const all = new Float32Array(offset);
  for (const c of constants) all.set(present(used.get(c.id), "constant").data, c.offset);
  const nodes = graph.nodes.map((node) => {
    const { traits } = specOf(node);
    const window = traits.window === "none" ? null : traits.window(viewOf(graph, node) as NodeView<object>);
    const pads = window && [window.rows.before, window.rows.after, window.columns.before, window.columns.after];
    return {
      op: node.op,
      attrs: node.attrs,
      inputs: node.inputs.slice(0, node.op === "RESHAPE" ? 1 : undefined),
      output: node.outputs[0],
      pads,
    };
  });
  const [input, output] = [present(graph.inputs[0], "input"), present(graph.outputs[0], "output")];
  const spec = {
    ...{
      threads: t.threads,
      mode: t.mode,
      double: t.double ?? false,
      rate: t.rate,
      momentum: t.momentum,
      weightDecay: t.weightDecay,
    },
    ...{ input, output, inputShape: tensorOf(graph, input).shape, targetShape: tensorOf(graph, output).shape },
    ...{ constants, nodes, decays: Object.fromEntries(parameters.weights.map((p) => [p.id, p.decays])) },
  };
  return { spec, all, constants };
}

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Starts PyTorch on a network. Inputs of MEAN and the like that are no float constants are read from the attributes. */
export function startTorch(training: TorchTraining): Torch {
  const folder = mkdtempSync(join(tmpdir(), "thimble-torch-"));
  const { spec, all, constants } = describe(training);
  const floats = new Set(constants.map((c) => c.id));
  const known = new Set<number>([spec.input, ...spec.nodes.map((n) => n.output as number)]);
  const nodes = spec.nodes.map((n) => ({
    ...n,
    inputs: n.inputs.filter((id) => id === null || known.has(id) || floats.has(id)),
  }));
  writeFileSync(join(folder, "graph.json"), JSON.stringify({ ...spec, nodes }));
  writeFileSync(join(folder, "constants.bin"), bytesOf(all));
  writeFileSync(join(folder, "x.bin"), bytesOf(training.x));
  writeFileSync(join(folder, "targets.bin"), bytesOf(training.targets));
  const child = spawn(python, [join(packageRoot, "bench/train_torch.py"), folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting: { resolve: (line: string) => void; reject: (e: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.resolve(line));
  child.on("exit", () => {
    rmSync(folder, { recursive: true, force: true });
    for (const w of waiting.splice(0)) w.reject(new Error("PyTorch ended"));
  });
  const ask = async (request: object): Promise<Record<string, unknown>> => {
    const line = await new Promise<string>((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
    return JSON.parse(line) as Record<string, unknown>;
  };
  return {
    steps: async (count) => (await ask({ kind: "steps", count })) as never,
    sgemm: async (count) => Number((await ask({ kind: "sgemm", count }))["gflops"]),
    constants: async () => {
      await ask({ kind: "constants" });
      const bytes = readFileSync(join(folder, "result.bin"));
      const found = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      return new Map(constants.map((c) => [c.name, found.subarray(c.offset, c.offset + c.size)]));
    },
    close: () => {
      child.stdin.end();
    },
  };
}
