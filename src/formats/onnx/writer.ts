import onnxProto from "onnx-proto";
import { version } from "../../base/assets.js";
import type { TensorData } from "../../base/dtype.js";

/** An attribute: integers and text as they are, floats in a record so that 1 and 1.0 differ. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly texts: readonly string[] };

/** Element types that are written, by TensorProto.DataType. */
const elementTypes = { float32: 1, uint8: 2, int8: 3, int16: 5, int32: 6, int64: 7, bool: 9 } as const;

export type OnnxType = keyof typeof elementTypes;

export const onnxTypeCode = (type: OnnxType): number => elementTypes[type];

/** A model's input or output. */
export interface OnnxPort {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

/** An ONNX graph under construction: opset 17, IR 8. Values are named by strings. */
export interface OnnxWriter {
  /** Adds a node and returns the names of its outputs. An empty input name stands for an omitted one. */
  readonly node: (
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    options?: { readonly outputs?: readonly string[] | number; readonly domain?: string },
  ) => readonly string[];
  /** Adds a constant; equal small ones are one. */
  readonly constant: (type: OnnxType, shape: readonly number[], data: TensorData) => string;
  /** The model's bytes, without what no output needs. */
  readonly finish: (inputs: readonly OnnxPort[], outputs: readonly OnnxPort[]) => Uint8Array;
}

const { ModelProto, AttributeProto } = onnxProto.onnx;

function attributeProto(name: string, value: OnnxAttribute): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = AttributeProto;
  if (typeof value === "number") return { name, type: AttributeType.INT, i: value };
  if (typeof value === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ("floats" in value) return { name, type: AttributeType.FLOATS, floats: [...value.floats] };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  if ("texts" in value)
    return { name, type: AttributeType.STRINGS, strings: value.texts.map((text) => new TextEncoder().encode(text)) };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

const portProto = ({ name, type, shape }: OnnxPort): onnxProto.onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType: elementTypes[type], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
});

/** Constants of at most so many elements are compared. */
const small = 1024;

/** Nodes that outputs depend on, and all that is read; every node stands behind those that it reads. */
function needed(nodes: readonly onnxProto.onnx.INodeProto[], outputs: readonly OnnxPort[]) {
  const read = new Set(outputs.map((o) => o.name));
  const kept = nodes.toReversed().filter((node) => {
    if (!node.output?.some((name) => read.has(name))) return false;
    for (const name of node.input ?? []) read.add(name);
    return true;
  });
  return { nodes: kept.reverse(), read };
}

/** Opens a writer for a graph of that name. */
export function onnxWriter(graphName: string): OnnxWriter {
  const nodes: onnxProto.onnx.INodeProto[] = [];
  const initializers: onnxProto.onnx.ITensorProto[] = [];
  const known = new Map<string, string>();
  const domains = new Set<string>();
  let next = 0;
  const fresh = (): string => `v${next++}`;
  return {
    node: (op, inputs, attributes = {}, { outputs = 1, domain = "" } = {}) => {
      const names = typeof outputs === "number" ? Array.from({ length: outputs }, fresh) : outputs;
      if (domain !== "") domains.add(domain);
      nodes.push({
        name: `n${nodes.length}_${op}`,
        opType: op,
        domain,
        input: [...inputs],
        output: [...names],
        attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
      });
      return names;
    },
    constant: (type, shape, data) => {
      const key = data.length <= small ? `${type} ${shape.join()} ${data.join()}` : "";
      const found = known.get(key);
      if (found !== undefined) return found;
      const name = `c${next++}`;
      if (key !== "") known.set(key, name);
      const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
      initializers.push({ name, dataType: elementTypes[type], dims: [...shape], rawData });
      return name;
    },
    finish: (inputs, outputs) => {
      const { nodes: node, read } = needed(nodes, outputs);
      return ModelProto.encode({
        irVersion: 8,
        producerName: "thimble",
        producerVersion: version,
        opsetImport: [{ domain: "", version: 17 }, ...[...domains].map((domain) => ({ domain, version: 1 }))],
        graph: {
          name: graphName,
          node,
          initializer: initializers.filter((t) => read.has(t.name ?? "")),
          input: inputs.map(portProto),
          output: outputs.map(portProto),
        },
      }).finish();
    },
  };
}
