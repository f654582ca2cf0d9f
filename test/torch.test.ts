import { describe, expect, it } from "vitest";
import { startTorch, torchVersion } from "../bench/torch.js";
import { hyper, openStep, trainCases, waveBatch } from "../bench/train-cases.js";
import { blockedLowering } from "../src/train/blocked.js";
import { plainLowering } from "../src/train/lowering.js";
import { withParameters } from "../src/train/parameters.js";

const version = torchVersion();
const blocked = await blockedLowering();

const norm = (v: ArrayLike<number>): number => Math.sqrt(Array.from(v).reduce((s, x) => s + x * x, 0));

/** Ten steps from the same weights on the same batch, in PyTorch and here. */
describe.skipIf(version === null)(`training beside PyTorch ${version ?? "(apt install python3-torch)"}`, () => {
  for (const c of trainCases()) {
    it.each(blocked === null ? [plainLowering] : [plainLowering, blocked])(`${c.name}, $name`, async (lowering) => {
      const open = await openStep(c, lowering, 2);
      const batch = waveBatch(open.step);
      const torch = startTorch({ ...c, ...hyper, ...batch, threads: 2, mode: "exact" });
      try {
        const want = await torch.steps(10);
        const found = await open.run(10);
        const constants = await torch.constants();
        const vectors = await open.backend.load(open.step.state.map((s) => s.name));
        const graph = withParameters(
          c.network,
          open.step.parameters,
          vectors["weights"] as Float32Array,
          vectors["statistics"] as Float32Array,
        );
        found.losses.forEach((loss, i) => {
          expect(Math.abs(loss - (want.losses[i] as number)) / loss, `loss of step ${i + 1}`).toBeLessThan(1e-4);
        });
        let [apart, size] = [0, 0];
        for (const p of [...open.step.parameters.weights, ...open.step.parameters.statistics]) {
          const [mine, theirs] = [graph.tensors.get(p.id)?.data as Float32Array, constants.get(p.name) as Float32Array];
          apart += norm(mine.map((v, i) => v - (theirs[i] as number))) ** 2;
          size += norm(theirs) ** 2;
        }
        expect(Math.sqrt(apart / size)).toBeLessThan(1e-4);
      } finally {
        torch.close();
        await open.backend.close();
      }
    });
  }
});
