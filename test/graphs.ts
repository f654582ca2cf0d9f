import type { DType, TensorData } from "../src/base/dtype.js";
import { type TensorId, tensorId } from "../src/base/units.js";
import type { Quantization, Tensor, Variable } from "../src/ir/graph.js";
import type { Graph, Model, Node } from "../src/ops/index.js";

/** A graph under construction, for tests that need one of their own. */
export interface Draft {
  readonly tensors: Map<TensorId, Tensor>;
  readonly nodes: Node[];
}

export const newDraft = (): Draft => ({ tensors: new Map(), nodes: [] });

export interface TensorOptions {
  readonly dtype?: DType;
  readonly quant?: Quantization | null;
  readonly data?: TensorData;
  readonly variable?: boolean;
  readonly resource?: string;
}

/** Adds a tensor: int8 unless told. */
export function addTensor(draft: Draft, name: string, shape: readonly number[], options: TensorOptions = {}): TensorId {
  const id = tensorId(draft.tensors.size);
  const { dtype = "int8", quant = null, data = null, variable = false, resource } = options;
  draft.tensors.set(id, {
    id,
    name,
    shape,
    dtype,
    quant,
    data,
    variable,
    ...(resource === undefined ? {} : { resource }),
  });
  return id;
}

/** Adds a node; its origin is its place in the draft. */
export function addNode(
  draft: Draft,
  op: Node["op"],
  inputs: readonly (TensorId | null)[],
  outputs: readonly TensorId[],
  attrs: object = {},
): void {
  draft.nodes.push({ op, inputs, outputs, attrs, origin: { index: draft.nodes.length, op } } as Node);
}

/** The graph of a draft. */
export const toGraph = (
  draft: Draft,
  inputs: readonly TensorId[],
  outputs: readonly TensorId[],
  variables: readonly Variable[] = [],
): Graph => ({
  name: "main",
  tensors: draft.tensors,
  nodes: draft.nodes,
  inputs,
  outputs,
  variables,
});

/** A model in memory. */
export const toModel = (main: Graph, subgraphs: readonly Graph[] = []): Model => ({
  name: "m",
  sha256: "0",
  format: "memory",
  fileBytes: 0,
  main,
  subgraphs,
});
