import { expect, it } from "vitest";
import { Network } from "../nets/network.js";
import { lower } from "../ops/lower.js";
import { runPipeline } from "../passes/pipeline.js";
import { planRows } from "./planner.js";

it("networks whose layers fire more often than a schedule can count are planned unit by unit", () => {
  const net = new Network("tall");
  const x = net.conv(net.input([70_000, 1, 1]), 2, { kernel: [3, 1], norm: "none" });
  const main = net.graph([net.conv(x, 1, { kernel: [3, 1], norm: "none" })]);
  const graph = runPipeline({ name: "tall", sha256: "0", format: "memory", fileBytes: 0, main, subgraphs: [] });
  const plan = planRows(graph, lower(graph), "resident");
  expect(plan?.peakBytes).toBeGreaterThanOrEqual(70_000 * 4 * 2);
  expect(plan?.recomputedMacs).toBe(0);
});
