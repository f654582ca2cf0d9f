import { type Diagnostic, DiagnosticSink } from "../../base/diagnostics.js";
import { type DType, elementsOf, makeData, type TensorData } from "../../base/dtype.js";
import { tensorId } from "../../base/units.js";
import type { NodeView, Quantization, Tensor } from "../../ir/graph.js";
import { inferOutputs, reportInto } from "../check.js";
import type { AnyOp } from "../index.js";
import type { ExecView, OpSpec, OutputType } from "../spec.js";

/** A tensor of a test: its elements, which make it a constant where `constant` is set. */
export interface TestTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | bigint)[];
  readonly quant?: Quantization;
  readonly constant?: boolean;
  /** For a resource: the name of the variable that `data` fills. */
  readonly resource?: string;
}

/** What a test expects an operator to write. */
export interface TestOutput {
  readonly dtype: DType;
  readonly quant?: Quantization;
  /** Only where no input determines it. */
  readonly shape?: readonly number[];
}

/** A vector of a test. */
export const vector = (dtype: DType, data: readonly number[], quant?: Quantization): TestTensor => ({
  dtype,
  shape: [data.length],
  data,
  ...(quant ? { quant } : {}),
});

/** A constant input: a shape, an axis, a permutation. */
export const index = (data: readonly number[], shape: readonly number[] = [data.length]): TestTensor => ({
  dtype: "int32",
  shape,
  data,
  constant: true,
});

function dataOf(t: TestTensor): TensorData {
  const data = makeData(t.dtype, elementsOf(t.shape));
  t.data.forEach((x, i) => {
    data[i] = data instanceof BigInt64Array ? BigInt(x) : Number(x);
  });
  return data;
}

function tensorOf(id: number, t: TestTensor | TestOutput, data: TensorData | null): Tensor {
  return {
    id: tensorId(id),
    name: `t${id}`,
    shape: t.shape ?? [],
    dtype: t.dtype,
    quant: t.quant ?? null,
    data,
    variable: false,
    ...("resource" in t && t.resource !== undefined ? { resource: t.resource } : {}),
  };
}

/** Runs an operator's inference; the problems it reports, and the types it finds. */
export function inferOp<A extends object>(
  spec: OpSpec<string, A>,
  attrs: NoInfer<A>,
  inputs: readonly (TestTensor | null)[],
  outputs: readonly TestOutput[],
): {
  readonly view: NodeView<A>;
  readonly types: readonly OutputType[] | null;
  readonly problems: readonly Diagnostic[];
} {
  const view: NodeView<A> = {
    op: spec.name,
    attrs,
    inputs: inputs.map((t, i) => t && tensorOf(i, t, t.constant ? dataOf(t) : null)),
    outputs: outputs.map((t, i) => tensorOf(100 + i, t, null)),
    origin: { index: 0, op: spec.name },
  };
  const sink = new DiagnosticSink();
  const types = inferOutputs(spec as unknown as AnyOp, view, reportInto(sink, [], view));
  return { view, types, problems: sink.all };
}

/**
 * Runs an operator's reference; throws if inference refuses. Returns shape and elements of each output.
 * @param variables storage of the variables that resource inputs name
 */
export function runOp<A extends object>(
  spec: OpSpec<string, A>,
  attrs: NoInfer<A>,
  inputs: readonly (TestTensor | null)[],
  outputs: readonly TestOutput[],
  variables: Readonly<Record<string, TensorData>> = {},
): readonly { readonly shape: readonly number[]; readonly data: readonly (number | bigint)[] }[] {
  const { view, types, problems } = inferOp(spec, attrs, inputs, outputs);
  if (types === null || problems.length > 0)
    throw new Error(problems.map((p) => `${p.code} ${p.message}: ${p.found}`).join("\n"));
  const full = view.outputs.map((t, i): Tensor => {
    const type = types[i];
    return type ? { ...t, shape: type.shape, ...(type.quant === "free" ? {} : { quant: type.quant }) } : t;
  });
  const out = full.map((t) => makeData(t.dtype, elementsOf(t.shape)));
  const exec: ExecView<A> = {
    ...view,
    outputs: full,
    in: inputs.map((t) => t && dataOf(t)),
    out,
    variable: (name) => {
      const data = variables[name];
      if (data === undefined) throw new Error(`no variable ${name}`);
      return data;
    },
  };
  spec.reference(exec);
  return full.map((t, i) => ({ shape: t.shape, data: Array.from(out[i] as ArrayLike<number | bigint>) }));
}
