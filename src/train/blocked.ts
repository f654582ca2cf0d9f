import { createRequire } from "node:module";
import { elementsOf } from "../base/dtype.js";
import { seededRandom } from "../base/random.js";
import { blockedLowerings } from "../formats/onnx/export/blocked/blocked.js";
import { blockedDomain } from "../formats/onnx/export/context.js";
import { exportOnnx } from "../formats/onnx/export/export.js";
import { onnxWriter } from "../formats/onnx/writer.js";
import { Network } from "../nets/network.js";
import type { Graph } from "../ops/index.js";
import { localBackend } from "./backend.js";
import type { Runtime } from "./host.js";
import { type Lowering, plainLowering } from "./lowering.js";
import { packed } from "./parameters.js";
import { trainStep } from "./step.js";
import { onnxStorage } from "./storage.js";

/** The runtime's blocks: 16 with AVX-512, 8 with AVX2. It does not say which, but works with that one only. */
const candidates = [16, 8] as const;

/** A probe of a block: an image through both reorders and a pointwise convolution by the unit matrix must come out the same. */
async function works(runtime: Runtime, block: number): Promise<boolean> {
  const writer = onnxWriter("probe");
  const [n, size] = [2 * block, 2 * block * 3];
  const one = (names: readonly string[]): string => names[0] ?? "";
  const inside = one(writer.node("ReorderInput", ["x"], { channels_last: 0 }, { domain: blockedDomain }));
  const unit = new Float32Array(n * n);
  // In the order of a blocked filter: [o / b, i / b, b of i, b of o].
  for (let o = 0; o < n; o++) {
    const [oBlock, oIn] = [Math.floor(o / block), o % block];
    unit[((oBlock * 2 + oBlock) * block + oIn) * block + oIn] = o + 1;
  }
  const filter = writer.constant("float32", [n, n, 1, 1], unit);
  const attributes = { kernel_shape: [1, 1], group: 1 };
  const result = one(writer.node("Conv", [inside, filter], attributes, { domain: blockedDomain }));
  writer.node("ReorderOutput", [result], { channels: n, channels_last: 0 }, { outputs: ["y"], domain: blockedDomain });
  const port = (name: string) => ({ name, type: "float32", shape: [1, n, 1, 3] }) as const;
  const model = writer.finish([port("x")], [port("y")]);
  try {
    const session = await runtime.InferenceSession.create(model, {
      graphOptimizationLevel: "basic",
      logSeverityLevel: 4,
    });
    const x = Float32Array.from({ length: size }, (_, i) => (i * 7) % 13);
    const found = await session.run({ x: new runtime.Tensor("float32", x, [1, n, 1, 3]) }, { y: null });
    await session.release();
    const y = found["y"]?.data as Float32Array;
    return x.every((v, i) => y[i] === v * (Math.floor(i / 3) + 1));
  } catch {
    return false;
  }
}

let known: Promise<Lowering | null> | null = null;

/** A network that takes every blocked form: strides, depthwise, normalization, a sum, channels that fill no block. */
function probeNetwork(): Graph {
  const net = new Network("probe", { seed: 1 });
  const x = net.depthwise(net.conv(net.input([8, 8, 3]), 32), { stride: 2 });
  const sum = net.residual(x, (y) => net.conv(net.pointwise(y, 32), 32));
  return net.graph([net.dense(net.globalPool(net.conv(sum, 24, { stride: 2 })), 3)]);
}

/** The weights that one step of the probe leaves. */
async function steppedWeights(runtime: Runtime, lowering: Lowering): Promise<Float32Array> {
  const network = probeNetwork();
  const step = trainStep(network, {
    batch: 16,
    loss: { kind: "cross-entropy" },
    optimizer: { kind: "sgd", momentum: 0, weightDecay: 0 },
    storage: lowering.storage,
  });
  const backend = localBackend(runtime, { threads: 1 });
  await backend.open("probe", lowering.model(step.graph));
  await backend.store({
    weights: packed(network, step.parameters.weights),
    statistics: packed(network, step.parameters.statistics),
  });
  const random = seededRandom(3);
  const x = Float32Array.from({ length: elementsOf(step.inputShape) }, () => random.normal());
  const targets = new Float32Array(elementsOf(step.targetShape)).map((_, i) => (i % 4 === 0 ? 1 : 0));
  const names = ["weights", "statistics"];
  await backend.run({
    session: "probe",
    feeds: {
      [step.inputName]: { data: x, shape: step.inputShape },
      [step.targetName]: { data: targets, shape: step.targetShape },
      rate: { data: Float32Array.of(1), shape: [1] },
    },
    stored: names.map((name) => [name, name]),
    updates: names.map((name) => [`next_${name}`, name]),
    commit: names,
    results: [],
  });
  const found = await backend.load(["weights"]);
  await backend.close();
  return found["weights"] ?? new Float32Array(0);
}

/** True if a step in blocked forms gives what it gives in plain ones, but for rounding. */
async function agrees(runtime: Runtime, lowering: Lowering): Promise<boolean> {
  try {
    const want = await steppedWeights(runtime, plainLowering);
    const found = await steppedWeights(runtime, lowering);
    return (
      want.length === found.length &&
      want.every((v, i) => Math.abs(v - (found[i] as number)) < 1e-3 * (1 + Math.abs(v)))
    );
  } catch {
    return false;
  }
}

async function probed(runtime: Runtime): Promise<Lowering | null> {
  for (const block of candidates) {
    if (!(await works(runtime, block))) continue;
    const lowering: Lowering = {
      name: "blocked",
      storage: onnxStorage,
      model: (step) => exportOnnx(step, { lowerings: blockedLowerings, block }),
    };
    return (await agrees(runtime, lowering)) ? lowering : null;
  }
  return null;
}

/**
 * The lowering to the blocked operators of onnxruntime-node, or null where it has none: they are the runtime's own and on
 * x86 only, so small graphs are tried first, once: the operators, and a whole step beside the plain forms.
 */
export function blockedLowering(): Promise<Lowering | null> {
  known ??= (async () => {
    try {
      return await probed(createRequire(import.meta.url)("onnxruntime-node") as Runtime);
    } catch {
      return null;
    }
  })();
  return known;
}
