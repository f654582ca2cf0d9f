import { createRequire } from "node:module";
import { blockedLowerings } from "../formats/onnx/export/blocked.js";
import { blockedDomain } from "../formats/onnx/export/context.js";
import { exportOnnx } from "../formats/onnx/export/export.js";
import { onnxWriter } from "../formats/onnx/writer.js";
import type { Runtime } from "./host.js";
import type { Lowering } from "./lowering.js";
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

async function probed(runtime: Runtime): Promise<Lowering | null> {
  for (const block of candidates) {
    if (!(await works(runtime, block))) continue;
    return {
      name: "blocked",
      storage: onnxStorage,
      model: (step) => exportOnnx(step, { lowerings: blockedLowerings, block }),
    };
  }
  return null;
}

/**
 * The lowering to the blocked operators of onnxruntime-node, or null where it has none: they are the runtime's own and on
 * x86 only, so a small graph is tried first, once.
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
