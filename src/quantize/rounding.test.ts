import { describe, expect, it } from "vitest";
import { elementsOf } from "../base/dtype.js";
import { seededRandom } from "../base/random.js";
import { tensorOf } from "../ir/graph.js";
import { Network } from "../nets/network.js";
import { type Graph, modelOf, type Node } from "../ops/index.js";
import { createSession } from "../run/interpreter.js";
import { interpret, type SampleInputs } from "./calibrate.js";
import { equalize } from "./equalize.js";
import { type LayerSums, layerSums } from "./layers.js";
import { noiseOf, outputsOf } from "./mixed.js";
import { calibrate, quantizeCalibrated } from "./quantize.js";
import { gather, layerMoments, roundAdaptively } from "./rounding.js";

const random = seededRandom(3);
const normals = (n: number): Float32Array => new Float32Array(n).map(() => random.normal());
const samplesOf = (graph: Graph, count: number): readonly SampleInputs[] =>
  Array.from({ length: count }, () => graph.inputs.map((id) => normals(elementsOf(tensorOf(graph, id).shape))));
/** A network of one layer. */
function layer(
  shape: readonly number[],
  build: (net: Network, x: ReturnType<Network["input"]>) => ReturnType<Network["input"]>,
) {
  const net = new Network("layer");
  return net.graph([build(net, net.input(shape))]);
}

const plain = { activation: "none", norm: "none" } as const;
const layers: Readonly<Record<string, Graph>> = {
  "a convolution": layer([7, 6, 3], (net, x) => net.conv(x, 5, { ...plain, kernel: [3, 2], stride: 2 })),
  "a dilated one": layer([9, 9, 2], (net, x) => net.conv(x, 4, { ...plain, dilation: 2, padding: "valid" })),
  "a depthwise one": layer([6, 5, 4], (net, x) => net.depthwise(x, { ...plain, kernel: 3, stride: 2 })),
  "a pointwise one": layer([4, 4, 6], (net, x) => net.pointwise(x, 3, plain)),
  "a dense layer": layer([11], (net, x) => net.dense(x, 4)),
};

describe("a layer's sums", () => {
  it.each(Object.keys(layers))("of %s are its outputs", (name) => {
    const graph = layers[name] as Graph;
    const node = graph.nodes.find((n) => layerSums(graph, n) !== null) as Node;
    const sums = layerSums(graph, node);
    if (sums === null) throw new Error("no sums");
    const [[x]] = samplesOf(graph, 1) as [[Float32Array]];
    const [y] = createSession({ main: graph, subgraphs: [] }).invoke([x]) as [Float32Array];
    const [, rows = 1, columns = 1] = sums.window === null ? [] : tensorOf(graph, node.outputs[0] as never).shape;
    const biasId = node.inputs[2] ?? null;
    const bias = biasId === null ? null : (tensorOf(graph, biasId).data as Float32Array);
    const values = new Float64Array(sums.taps * sums.depth);
    const weights = sums.weights.data as Float32Array;
    for (let at = 0; at < rows * columns; at++) {
      for (let o = 0; o < sums.channels; o++) {
        gather(sums, x, { y: Math.floor(at / columns), x: at % columns }, sums.firstChannel(o), values);
        const sum = values.reduce((s, v, i) => s + v * (weights[sums.weightAt(o, i)] as number), bias?.[o] ?? 0);
        expect(sum).toBeCloseTo(y[at * sums.channels + o] as number, 4);
      }
    }
  });
});

describe("adaptive rounding", () => {
  /** The variance of what rounding adds to a channel's sums. */
  const errorOf = (covariance: Float32Array, scaled: Float64Array, rounded: ArrayLike<number>): number => {
    const n = scaled.length;
    let error = 0;
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++)
        error +=
          (Number(rounded[j]) - (scaled[j] as number)) *
          (Number(rounded[k]) - (scaled[k] as number)) *
          (covariance[j * n + k] as number);
    return error;
  };

  it("is near the best of all ways to round, and never worse than to the nearest", () => {
    const graph = layers["a dense layer"] as Graph;
    // Inputs that go together, as those of real layers do.
    const samples = samplesOf(graph, 50).map(([x]) => {
      const shared = random.normal();
      return [(x as Float32Array).map((v, i) => 0.5 * v + (i < 6 ? shared : -shared))];
    });
    const collector = layerMoments(graph, samples.length);
    interpret(graph, samples, collector.show);
    const [moments] = collector.result().values();
    if (moments === undefined) throw new Error("no layer");
    const covariance = moments.groups.get(0)?.matrix as Float32Array;
    let [found, nearest, best] = [0, 0, 0];
    for (let turn = 0; turn < 10; turn++) {
      const scaled = Float64Array.from({ length: 44 }, () => 3 * random.normal());
      const rounded = roundAdaptively(moments, scaled, 127);
      for (let o = 0; o < 4; o++) {
        const own = scaled.slice(o * 11, (o + 1) * 11);
        const all = Array.from({ length: 2 ** 11 }, (_, bits) =>
          errorOf(
            covariance,
            own,
            Array.from(own, (v, i) => Math.floor(v) + ((bits >> i) & 1)),
          ),
        );
        const is = errorOf(covariance, own, rounded.slice(o * 11, (o + 1) * 11));
        const was = errorOf(covariance, own, Array.from(own, Math.round));
        expect(is).toBeLessThanOrEqual(was + 1e-9);
        [found, nearest, best] = [found + is, nearest + was, best + Math.min(...all)];
      }
    }
    expect(found).toBeLessThan(0.5 * nearest);
    expect(found).toBeLessThan(2 * best);
  });

  it("keeps to the integers there are", () => {
    const graph = layers["a pointwise one"] as Graph;
    const collector = layerMoments(graph, 4);
    interpret(graph, samplesOf(graph, 4), collector.show);
    const [moments] = collector.result().values();
    if (moments === undefined) throw new Error("no layer");
    const scaled = Float64Array.from({ length: 18 }, (_, i) => (i % 2 ? 9.4 : -9.4));
    expect([...roundAdaptively(moments, scaled, 7)].every((v) => Math.abs(v) === 7)).toBe(true);
  });

  it("changes outputs less than rounding to the nearest, the more the fewer bits", () => {
    const net = new Network("n", { seed: 4 });
    let x = net.input([8, 8, 3]);
    x = net.conv(x, 8, { norm: "none" });
    x = net.pointwise(net.depthwise(x, { norm: "none" }), 12, { norm: "none" });
    const graph = net.graph([net.dense(net.globalPool(net.conv(x, 8, { norm: "none" })), 5)]);
    const smooth = samplesOf(graph, 24).map(([v]) => [
      (v as Float32Array).map((_, i, a) => (a[i] as number) + 1.5 * (a[0] as number)),
    ]);
    const calibrated = calibrate(modelOf(graph), smooth.slice(0, 16));
    const wanted = outputsOf(calibrated.graph, smooth.slice(16));
    const noise = (rounding: "adaptive" | "nearest", weightBits: 4 | 8): number =>
      noiseOf(wanted, outputsOf(quantizeCalibrated(calibrated, { rounding, weightBits }).graph, smooth.slice(16)));
    expect(noise("adaptive", 4)).toBeLessThan(0.8 * noise("nearest", 4));
    expect(noise("adaptive", 8)).toBeLessThan(1.05 * noise("nearest", 8));
  });
});

describe("cross-layer equalization", () => {
  /** A network whose channels have very different ranges, as training with batch normalisation may leave them. */
  function uneven(): Graph {
    const net = new Network("n", { seed: 5 });
    let x = net.input([8, 8, 3]);
    x = net.conv(x, 8, { norm: "none" });
    x = net.depthwise(x, { norm: "none" });
    x = net.pointwise(x, 8, { norm: "none" });
    x = net.residual(x, (y) => net.conv(y, 8, { norm: "none" }));
    const graph = net.graph([net.dense(net.globalPool(x), 5)]);
    const even = equalize(calibrate(modelOf(graph), samplesOf(graph, 1)).graph);
    const [first, second] = even.nodes.map((n) => layerSums(even, n));
    if (!first || !second) throw new Error("no layers");
    const tensors = new Map(even.tensors);
    const scale = (
      { weights, channels, taps, depth, weightAt }: LayerSums,
      factor: (channel: number) => number,
    ): void => {
      const data = (weights.data as Float32Array).slice();
      for (let o = 0; o < channels; o++)
        for (let i = 0; i < taps * depth; i++) data[weightAt(o, i)] = (data[weightAt(o, i)] as number) * factor(o);
      tensors.set(weights.id, { ...weights, data });
    };
    scale(first, (o) => 4 ** (o - 4));
    scale(second, (o) => 4 ** (4 - o));
    return { ...even, tensors };
  }

  it("changes no output, and brings back what uneven channels cost", () => {
    const graph = uneven();
    const even = equalize(graph);
    const samples = samplesOf(graph, 16);
    const wanted = outputsOf(graph, samples);
    expect(noiseOf(wanted, outputsOf(even, samples))).toBeLessThan(1e-9);
    const noise = (main: Graph): number =>
      noiseOf(wanted, outputsOf(quantizeCalibrated(calibrate(modelOf(main), samples)).graph, samples));
    expect(noise(even)).toBeLessThan(0.2 * noise(graph));
  });

  it("reaches through pools to a dense layer that reads several pixels, but through no activation that saturates", () => {
    for (const [activation, changes] of [
      ["NONE", true],
      ["RELU6", false],
    ] as const) {
      const net = new Network("n", { seed: 8 });
      const pooled = net.maxPool(net.conv(net.input([6, 6, 2]), 4, { norm: "none" }), { size: 2 });
      const built = net.graph([net.dense(net.flatten(pooled), 3)]);
      // The dense layer reads [1, 3, 3, 4] itself, and the pool ends in an activation.
      const nodes = built.nodes
        .filter((n) => n.op !== "RESHAPE")
        .map((n) =>
          n.op === "MAX_POOL_2D"
            ? ({ ...n, attrs: { ...n.attrs, activation } } as Node)
            : n.op === "FULLY_CONNECTED"
              ? ({ ...n, inputs: [pooled.id, ...n.inputs.slice(1)] } as Node)
              : n,
        );
      const graph = { ...built, nodes };
      const samples = samplesOf(graph, 4);
      const even = equalize(graph);
      const weights = (of: Graph): readonly unknown[] => of.nodes.map((n) => layerSums(of, n)?.weights.data);
      expect(JSON.stringify(weights(even)) !== JSON.stringify(weights(graph))).toBe(changes);
      expect(noiseOf(outputsOf(graph, samples), outputsOf(even, samples))).toBeLessThan(1e-9);
    }
  });

  it("leaves layers alone between which something else reads, or an activation that saturates", () => {
    const net = new Network("n", { seed: 6 });
    const x = net.input([6, 6, 2]);
    const y = net.conv(x, 4, { norm: "none" });
    const z = net.conv(net.conv(y, 4, { norm: "none", activation: "relu6" }), 4, { norm: "none" });
    const graph = calibrate(
      modelOf(
        net.graph([
          net.conv(
            net.residual(y, () => z),
            2,
            { norm: "none" },
          ),
        ]),
      ),
      samplesOf(layers["a dense layer"] as Graph, 0).concat([[normals(72)]]),
    ).graph;
    const weights = (of: Graph): readonly unknown[] => of.nodes.map((n) => layerSums(of, n)?.weights.data);
    expect(weights(equalize(graph))).toEqual(weights(graph));
  });
});
