import * as web from "onnxruntime-web";
import { expect, it } from "vitest";
import { openStep, trainCases } from "../bench/train-cases.js";
import { localBackend } from "../src/train/backend.js";
import type { Runtime } from "../src/train/host.js";
import { plainLowering } from "../src/train/lowering.js";

/** The same bytes in the runtime of browsers, as WebAssembly. */
it("a training step runs on onnxruntime-web", async () => {
  web.env.wasm.numThreads = 1;
  const [small] = trainCases();
  if (small === undefined) throw new Error("no case");
  const c = { ...small, batch: 8 };
  const native = await openStep(c, plainLowering, 1);
  const browser = await openStep(c, plainLowering, 1, localBackend(web as unknown as Runtime, { results: "new" }));
  const [want, found] = [await native.run(3), await browser.run(3)];
  found.losses.forEach((loss, i) => {
    expect(loss).toBeCloseTo(want.losses[i] as number, 4);
  });
});
