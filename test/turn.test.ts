import { describe, expect, it } from "vitest";
import { elementsOf } from "../src/base/dtype.js";
import { seededRandom } from "../src/base/random.js";
import { tensorOf } from "../src/ir/graph.js";
import { Network, type Value } from "../src/nets/network.js";
import type { Graph } from "../src/ops/index.js";
import { prepared } from "../src/train/prepare.js";
import { turnImages } from "../src/train/turn.js";
import { runInDouble } from "./doubles.js";

/*
 * Tall images on their side: the same results, and no transpose but those of the input and of filters.
 */

const built = (input: readonly number[], body: (net: Network, x: Value) => Value): Graph => {
  const net = new Network("tall", { seed: 3 });
  return net.graph([body(net, net.input(input))]);
};

const results = (graph: Graph): readonly number[] => {
  const random = seededRandom(5);
  const given = new Map(
    graph.inputs.map((id) => [
      id,
      Float64Array.from({ length: elementsOf(tensorOf(graph, id).shape) }, () => random.normal()),
    ]),
  );
  const values = runInDouble(graph, given);
  return graph.outputs.flatMap((id) => Array.from(values.get(id) ?? [], Number));
};

const transposes = (graph: Graph): number => graph.nodes.filter((n) => n.op === "TRANSPOSE").length;

const pooled = (net: Network, x: Value): Value => net.dense(net.globalPool(x), 5);

const networks: Readonly<Record<string, { readonly graph: Graph; readonly filters: number; readonly moved: number }>> =
  {
    "depthwise and pointwise layers": {
      graph: built([13, 4, 1], (net, x) =>
        pooled(net, net.pointwise(net.depthwise(net.conv(x, 8, { kernel: [5, 2], stride: [2, 1] })), 8)),
      ),
      filters: 2,
      moved: 3,
    },
    "pools, a sum, activations, squeeze and excite": {
      graph: built([9, 5, 3], (net, x) => {
        const y = net.maxPool(net.conv(x, 8, { kernel: [3, 1], padding: "valid" }), { size: [2, 1], padding: "same" });
        const z = net.residual(y, (v) => net.conv(net.averagePool(v, { size: 3, stride: 1, padding: "same" }), 8));
        return pooled(net, net.activation(net.squeezeExcite(z, 4), "hard-swish"));
      }),
      filters: 2,
      moved: 3,
    },
    "products and sums of images": {
      graph: built([7, 3, 2], (net, x) => {
        const y = net.conv(x, 4, { kernel: [3, 2] });
        return pooled(net, net.conv(net.add(y, net.multiply(net.squeezeExcite(y, 2), y)), 4));
      }),
      filters: 2,
      moved: 3,
    },
    "a pool over all pixels, and one pixel that scales an image and is flattened too": {
      graph: built([6, 4, 2], (net, x) => {
        const y = net.conv(x, 4);
        const z = net.averagePool(y, { size: [6, 4], padding: "valid" });
        const w = net.averagePool(net.multiply(y, z), { size: [6, 4], padding: "valid" });
        return net.dense(net.flatten(net.concat([z, w])), 3);
      }),
      filters: 1,
      moved: 2,
    },
    "a flattened image, which is turned back": {
      graph: built([7, 3, 2], (net, x) => net.dense(net.flatten(net.conv(x, 4, { kernel: [3, 2] })), 3)),
      filters: 1,
      moved: 3,
    },
    "an image that goes out": {
      graph: built([7, 3, 2], (net, x) => net.conv(x, 4, { kernel: [3, 2] })),
      filters: 1,
      moved: 3,
    },
  };

describe("images on their side", () => {
  it.each(Object.entries(networks))("%s", (_, { graph, filters, moved }) => {
    const turned = turnImages(graph);
    expect(turned.filters.size).toBe(filters);
    expect(transposes(turned.graph)).toBe(moved);
    const [want, found] = [results(graph), results(turned.graph)];
    expect(found.length).toBe(want.length);
    want.forEach((v, i) => {
      expect(found[i]).toBeCloseTo(v, 9);
    });
  });

  it("stay as they are where they are wide, hold no windows, or would be turned back again and again", () => {
    const wide = built([4, 9, 1], (net, x) => pooled(net, net.conv(x, 4)));
    const flat = built([9, 4, 1], (net, x) => net.dense(net.flatten(x), 4));
    const often = built([8, 4, 2], (net, x) =>
      pooled(net, net.conv(net.upsample(net.conv(net.upsample(net.conv(x, 4), 2), 4), 2), 4)),
    );
    for (const graph of [wide, flat, often]) expect(turnImages(graph).graph).toBe(graph);
  });

  it("have filters stored turned, so that a step turns none", () => {
    const graph = built([13, 4, 1], (net, x) => pooled(net, net.pointwise(net.depthwise(net.conv(x, 8)), 8)));
    const { parameters } = prepared(graph, 2, { loss: { kind: "mse" }, storage: () => null });
    const orders = parameters.weights.filter((p) => p.shape.length === 4).map((p) => p.order.join());
    expect(orders).toEqual(["0,2,1,3", "0,2,1,3", "0,1,2,3"]);
  });
});
