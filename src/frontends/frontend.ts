import { DiagnosticSink, fail } from "../base/diagnostics.js";
import { elementsOf } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import { type NodeView, perTensor, type Tensor, type TensorType, tensorOf, viewOf } from "../ir/graph.js";
import { inferOutputs, reportInto } from "../ops/check.js";
import { type Graph, type Node, type OpName, specOf } from "../ops/index.js";
import { type CheckedRecipe, checkRecipe, type Recipe } from "./recipe.js";

/** What a front-end's results are: the type and quantization of the network's input; null for float32. */
export type ResultType = Pick<TensorType, "dtype" | "quant">;

/** Nodes of a graph, one after another, whose types inference completes. */
interface Chain {
  readonly input: (type: TensorType) => Tensor;
  readonly constant: (values: Int32Array) => Tensor;
  readonly node: (op: OpName, inputs: readonly Tensor[], attrs: object, result: ResultType) => Tensor;
  readonly graph: (output: Tensor) => Graph;
}

function newChain(name: string): Chain {
  const tensors = new Map<TensorId, Tensor>();
  const nodes: Node[] = [];
  const inputs: TensorId[] = [];
  const add = (tensor: Omit<Tensor, "id" | "variable">): Tensor => {
    const made: Tensor = { ...tensor, id: tensorId(tensors.size), variable: false };
    tensors.set(made.id, made);
    return made;
  };
  return {
    input: (type) => {
      const tensor = add({ ...type, name: "signal", data: null });
      inputs.push(tensor.id);
      return tensor;
    },
    constant: (values) => add({ name: "size", shape: [values.length], dtype: "int32", quant: null, data: values }),
    node: (op, given, attrs, result) => {
      const declared = add({ ...result, name: op.toLowerCase(), shape: [], data: null });
      const origin = { index: -1, op };
      const node = { op, inputs: given.map((t) => t.id), outputs: [declared.id], attrs, origin } as unknown as Node;
      const view = viewOf({ tensors, name, nodes, inputs, outputs: [], variables: [] }, node) as NodeView<object>;
      const sink = new DiagnosticSink();
      const types = inferOutputs(specOf(node), view, reportInto(sink, [name], view));
      sink.throwIfErrors();
      const made = { ...declared, shape: types?.[0]?.shape ?? [] };
      tensors.set(made.id, made);
      nodes.push(node);
      return made;
    },
    graph: (output) => ({ name, tensors, nodes, inputs, outputs: [output.id], variables: [] }),
  };
}

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(n));

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Attributes of the operators over spectra: milliseconds as whole samples. */
function spectralAttrs(recipe: Extract<CheckedRecipe, { readonly windowMs: number }>) {
  const { sampleRate, windowMs, hopMs, lowDb, highDb } = recipe;
  const [window, hop] = [windowMs, hopMs].map((ms) => Math.round((ms * sampleRate) / 1000)) as [number, number];
  const base = { sampleRate, window, hop, fft: recipe.fft ?? Math.max(16, powerOfTwo(window)), lowDb, highDb };
  if (recipe.kind === "spectrogram") return base;
  const { mels, lowHz, highHz = sampleRate / 2, scale } = recipe;
  const withMels = { ...base, mels, lowHz, highHz, scale };
  return recipe.kind === "mfcc" ? { ...withMels, coefficients: recipe.coefficients } : withMels;
}

const soundOps = { "log-mel": "LOG_MEL", mfcc: "MFCC", spectrogram: "SPECTROGRAM" } as const;

function soundGraph(
  recipe: Extract<CheckedRecipe, { readonly windowMs: number }>,
  samples: number,
  result: ResultType,
): Graph {
  const chain = newChain(recipe.kind);
  const attrs = spectralAttrs(recipe);
  const unit = greatestDivisor(attrs.window, attrs.hop);
  const shape = [1, Math.floor(samples / unit), 1, unit];
  const signal = chain.input({ shape, dtype: "int16", quant: perTensor(1 / 32768) });
  return chain.graph(chain.node(soundOps[recipe.kind], [signal], attrs, result));
}

/** Bytes of a camera, resized and then quantized as the network wants them. */
function imageGraph(
  { height, width }: Extract<CheckedRecipe, { kind: "image" }>,
  shape: readonly number[],
  result: ResultType,
): Graph {
  const chain = newChain("image");
  // Black is -1 and white 1.
  const bytes = perTensor(2 / 255, 128);
  const signed = { dtype: "int8", quant: perTensor(2 / 255, 0) } as const;
  const signal = chain.input({ shape: [1, ...shape], dtype: "uint8", quant: bytes });
  const pixels = chain.node("QUANTIZE", [signal], {}, signed);
  const isSized = shape[0] === height && shape[1] === width;
  const sized = isSized
    ? pixels
    : chain.node(
        "RESIZE_BILINEAR",
        [pixels, chain.constant(new Int32Array([height, width]))],
        { alignCorners: false, halfPixelCenters: true },
        signed,
      );
  const isFloat = result.dtype === "float32";
  return chain.graph(chain.node(isFloat ? "DEQUANTIZE" : "QUANTIZE", [sized], {}, result));
}

type SeriesRecipe = Extract<CheckedRecipe, { readonly fullScale: readonly number[] }>;

/** Rows of a series, as they are or as features of windows. */
function seriesGraph(recipe: SeriesRecipe, [rows = 0, columns = 0]: readonly number[], result: ResultType): Graph {
  if (recipe.fullScale.length !== columns) {
    fail("TH6003", {
      where: ["front-end", "fullScale"],
      found: `${recipe.fullScale.length} values`,
      expected: `${columns}, one for each column`,
      fix: "give the value of each column that is 1",
    });
  }
  const chain = newChain(recipe.kind);
  const signal = chain.input({ shape: [1, rows, 1, columns], dtype: "int16", quant: perTensor(1 / 32768) });
  if (recipe.kind === "series") {
    return chain.graph(chain.node(result.dtype === "float32" ? "DEQUANTIZE" : "QUANTIZE", [signal], {}, result));
  }
  const { kind: _, fullScale: __, window = rows, hop = window, ...features } = recipe;
  const attrs = { window, hop, ...features };
  return chain.graph(chain.node("IMU_FEATURES", [signal], attrs, result));
}

/**
 * The graph of a front-end for signals of a shape: sound [samples], a series [rows, columns], an image [H, W, C]. Its
 * input is what the device has: int16 samples, int16 rows in 32768ths of full scale, or uint8 pixels. Throws TH6003, and
 * the diagnostics of operators whose attributes the recipe makes impossible.
 */
export function frontendGraph(recipe: Recipe, shape: readonly number[], result: ResultType): Graph {
  const checked = checkRecipe(recipe);
  switch (checked.kind) {
    case "image":
      return imageGraph(checked, shape, result);
    case "series":
    case "imu-features":
      return seriesGraph(checked, shape, result);
    default:
      return soundGraph(checked, shape[0] ?? 0, result);
  }
}

/** Moves the ids of a graph up, so that they are no other's. */
function renumbered(graph: Graph, by: number): Graph {
  const move = (id: TensorId): TensorId => tensorId(id + by);
  return {
    ...graph,
    tensors: new Map([...graph.tensors.values()].map((t) => [move(t.id), { ...t, id: move(t.id) }])),
    nodes: graph.nodes.map((n) => ({
      ...n,
      inputs: n.inputs.map((id) => (id === null ? null : move(id))),
      outputs: n.outputs.map(move),
    })),
    inputs: graph.inputs.map(move),
    outputs: graph.outputs.map(move),
  };
}

/**
 * Puts a front-end before a network's first input: one graph, whose first input is the signal. The front-end's results
 * have the element type and quantization of that input; they are reshaped where only the shape differs. Throws TH6002
 * where they are not as many.
 */
export function attachFrontend(recipe: Recipe, shape: readonly number[], network: Graph): Graph {
  const [first] = network.inputs;
  if (first === undefined) {
    return fail("TH6002", { where: [network.name], found: "a network without inputs", fix: "give another network" });
  }
  const wanted = tensorOf(network, first);
  const base = Math.max(...network.tensors.keys()) + 1;
  const front = renumbered(frontendGraph(recipe, shape, wanted), base);
  const given = tensorOf(front, front.outputs[0] as TensorId);
  if (elementsOf(given.shape) !== elementsOf(wanted.shape)) {
    fail("TH6002", {
      where: [network.name, `input ${JSON.stringify(wanted.name)}`],
      found: `[${wanted.shape.join(", ")}]`,
      expected: `[${given.shape.join(", ")}], what the front-end ${recipe.kind} gives`,
      fix: "build the network for the front-end's features, or change its windows and bands",
    });
  }
  const isSame = given.shape.join() === wanted.shape.join();
  const reshape = {
    op: "RESHAPE",
    inputs: [given.id, null],
    outputs: [wanted.id],
    attrs: { shape: [...wanted.shape] },
    origin: { index: -1, op: "RESHAPE" },
  } as unknown as Node;
  const writing = isSame
    ? front.nodes.map((n) => ({ ...n, outputs: n.outputs.map((id) => (id === given.id ? wanted.id : id)) }) as Node)
    : [...front.nodes, reshape];
  const tensors = new Map([...network.tensors, ...front.tensors]);
  if (isSame) tensors.delete(given.id);
  return {
    ...network,
    tensors,
    nodes: [...writing, ...network.nodes],
    inputs: [...front.inputs, ...network.inputs.slice(1)],
  };
}
