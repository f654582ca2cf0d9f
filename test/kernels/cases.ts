import { toBytes } from "../../src/base/dtype.js";
import { seededRandom } from "../../src/base/random.js";
import { generateModel } from "../../src/codegen/model.js";
import { tensorOf } from "../../src/ir/graph.js";
import type { AnyOp } from "../../src/ops/index.js";
import type { Isa } from "../../src/ops/isa.js";
import { type LowerOptions, lower } from "../../src/ops/lower.js";
import { randomData, type SampleCase, sampleCase } from "../../src/ops/sample.js";
import type { KernelCall, Sample } from "../../src/ops/spec.js";
import { planLayers } from "../../src/plan/planner.js";
import { createSession } from "../../src/run/interpreter.js";
import type { RunOptions } from "../../src/verify/target.js";
import { findTarget } from "../../src/verify/targets.js";
import { programOfAll } from "../plan-checks.js";

/** Unused bytes around buffers, painted and checked. */
const guardBytes = 16;

/** A sample of one node, compiled with kernels for given instructions. */
export interface KernelCase {
  readonly isa: Isa;
  readonly name: string;
  readonly sample: SampleCase;
  /** The kernel that is taken where it takes the node, rather than the first that does. */
  readonly prefer: string | null;
  /** The name of the kernel that was chosen, and its call. */
  readonly kernel: string;
  readonly call: KernelCall | null;
}

/** How the cases' nodes get their kernels. */
const options = (isa: Isa, prefer: string | null): LowerOptions => ({
  isa,
  choose: ({ kernels }) => kernels().find(({ name }) => name === prefer) ?? null,
});

/** Makes a case of an operator's sample; throws the diagnostics of a bad one. */
export function kernelCase(
  spec: AnyOp,
  sample: Sample<object>,
  seed: number,
  isa: Isa,
  prefer: string | null = null,
): KernelCase {
  const made = sampleCase(spec, sample, seed);
  const [lowered] = lower(made.graph, options(isa, prefer));
  const call = lowered?.whole ?? lowered?.rows?.call ?? null;
  return { isa, prefer, name: sample.name, sample: made, kernel: lowered?.kernel.name ?? "none", call };
}

/** Inputs of a case: random ones, and those of the type's least and largest values alone. */
function inputsOf({ sample }: KernelCase, seed: number) {
  const tensors = sample.graph.inputs.map((id) => tensorOf(sample.graph, id));
  const random = seededRandom(seed);
  const given = (range?: readonly [number, number]) =>
    tensors.map((t) => randomData({ shape: t.shape, dtype: t.dtype, ...(range ? { range } : {}) }, random));
  return [given(), given([-128, -128]), given([127, 127])];
}

/** The cases of samples of an operator, each of other random constants. */
export const kernelCases = (
  spec: AnyOp,
  samples: readonly Sample<object>[],
  isa: Isa,
  prefer: string | null = null,
): readonly KernelCase[] => samples.map((sample, i) => kernelCase(spec, sample, i + 1, isa, prefer));

/** The names of the kernels that were chosen. */
export const chosen = (cases: readonly KernelCase[]): ReadonlySet<string> => new Set(cases.map(({ kernel }) => kernel));

/** Runs the cases in one program on a target and says where outputs are not the interpreter's. */
export async function kernelProblems(
  targetName: string,
  cases: readonly KernelCase[],
  runOptions: RunOptions = {},
): Promise<readonly string[]> {
  const models = cases.map(({ isa, prefer, sample: { graph } }, i) => {
    const nodes = lower(graph, options(isa, prefer));
    const plan = planLayers(graph, nodes, { guardBytes });
    return generateModel({ name: `m${i}`, graph, nodes, plan, sha256: "0", commandLine: "test" });
  });
  const runs = cases.flatMap((c, model) => inputsOf(c, model + 1).map((inputs) => ({ c, model, inputs })));
  const requests = runs.map(({ c, model, inputs }) => ({
    model,
    inputs: inputs.map((d, i) => toBytes(tensorOf(c.sample.graph, c.sample.graph.inputs[i] as never).dtype, d)),
  }));
  const report = await findTarget(targetName).run(programOfAll(models), requests, runOptions);
  return runs.flatMap(({ c, inputs }, i) => {
    const { graph } = c.sample;
    const expected = createSession({ main: graph, subgraphs: [] }).invoke(inputs);
    const run = report.runs[i];
    const where = `${c.name} (${c.kernel}), run ${i}`;
    const wrong = expected.flatMap((want, o) => {
      const bytes = Buffer.from(toBytes(tensorOf(graph, graph.outputs[o] as never).dtype, want));
      const found = Buffer.from(run?.outputs[o] ?? new Uint8Array(0));
      const at = bytes.findIndex((b, k) => b !== found[k]);
      return at < 0 ? [] : [`${where}: output ${o} differs from byte ${at} of ${bytes.length}`];
    });
    return run?.canariesIntact ? wrong : [...wrong, `${where}: wrote outside its buffers`];
  });
}
