import { elementsOf, makeData } from "../../base/dtype.js";
import { viewOf } from "../../ir/graph.js";
import type { AnyOp, Node } from "../index.js";
import { sampleCase } from "../sample.js";
import type { ExecView, OpSpec, Sample } from "../spec.js";

/**
 * Runs a sample's operator once for every entry of `inputs` (its only computed input), with the state tensors kept in
 * between. State starts at the zero point. Returns the output of every run.
 */
export function runSteps<A extends object>(
  spec: OpSpec<string, A>,
  sample: Sample<A>,
  inputs: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  const { graph } = sampleCase(spec as unknown as AnyOp, sample as unknown as Sample<object>);
  const view = viewOf(graph, graph.nodes[0] as Node) as unknown as ExecView<A>;
  const data = view.inputs.map((t) => {
    if (t === null || t.data !== null) return t?.data ?? null;
    return makeData(t.dtype, elementsOf(t.shape)).fill((t.quant?.zeroPoints[0] ?? 0) as never);
  });
  const dynamic = view.inputs.findIndex((t) => t !== null && t.data === null && !t.variable);
  return inputs.map((values) => {
    (data[dynamic] as Float32Array).set(values);
    const out = view.outputs.map((t) => makeData(t.dtype, elementsOf(t.shape)));
    spec.reference({
      ...view,
      in: data,
      out,
      variable: (name) => {
        throw new Error(`no variable ${name}`);
      },
    });
    return Array.from(out[0] as Float32Array);
  });
}
