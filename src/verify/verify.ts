import { type Diagnostic, DiagnosticError } from "../base/diagnostics.js";
import { type DType, fromBytes, type TensorData, toBytes } from "../base/dtype.js";
import type { GeneratedModel } from "../codegen/model.js";
import type { InstructionMix, Program, RunOptions, RunRequest, StepCost, Target, TargetReport } from "./target.js";

/** What is verified: generated C, and what its outputs must be for given inputs. */
export interface VerifySubject {
  readonly generated: GeneratedModel;
  readonly inputTypes: readonly DType[];
  readonly outputs: readonly { readonly dtype: DType; readonly elements: number }[];
}

/** Inputs of one inference and the outputs the reference gives. */
export interface VerifyCase {
  readonly inputs: readonly TensorData[];
  readonly expected: readonly TensorData[];
  /**
   * For incremental inference: the window goes on from the case before, so many elements at the end of its input being new;
   * only those are handed over, and the state is kept.
   */
  readonly newElements?: number;
}

/** How far a float result may be from the reference's, relative to max(1, |reference|). */
export const floatTolerance = 1e-4;

/** How one target did. */
export interface TargetOutcome {
  readonly name: string;
  /** Every output equal: integers bit for bit, floats within {@link floatTolerance}. */
  readonly identical: boolean;
  /** Elements that differ, over all runs. */
  readonly mismatches: number;
  /** The largest relative error of a float output; 0 where all bits agree. */
  readonly maxError: number;
  /** No byte outside the model's buffers was written. */
  readonly canariesIntact: boolean;
  /** Instructions of one inference, the most over all runs; of incremental inference, those of a whole window. */
  readonly instructions?: number;
  /** Instructions of one hop of incremental inference after the first window, the most over all. */
  readonly hopInstructions?: number;
  /** Cycles of that inference, as the target counts or estimates them. */
  readonly cycles?: number;
  /** Of a profile: instructions by what they do, and what each step of the plan took. */
  readonly mix?: InstructionMix;
  readonly steps?: readonly StepCost[];
  readonly stackBytes?: number;
  /** Code and constants of the whole program with start-up and test harness. */
  readonly flashBytes?: number;
  readonly ramBytes?: number;
  /** `flashBytes` without what a program with no model needs too. */
  readonly modelFlashBytes?: number;
}

/** Elements that differ, and by how much. Integers must be equal; floats may differ by the tolerance. */
export function compare(
  dtype: DType,
  expected: TensorData,
  found: TensorData,
): { mismatches: number; maxError: number } {
  let mismatches = Math.abs(expected.length - found.length);
  let maxError = 0;
  for (let i = 0; i < expected.length; i++) {
    const want = expected[i];
    const got = found[i];
    if (Object.is(want, got)) continue;
    if (dtype !== "float32") {
      mismatches++;
      continue;
    }
    const error = Math.abs(Number(want) - Number(got)) / Math.max(1, Math.abs(Number(want)));
    if (error > maxError) maxError = error;
    if (!(error <= floatTolerance)) mismatches++;
  }
  return { mismatches, maxError };
}

const most = (values: readonly (number | undefined)[]): number | undefined => {
  const present = values.filter((v): v is number => v !== undefined);
  return present.length === 0 ? undefined : Math.max(...present);
};

/** Only the fields that have a value, as exactOptionalPropertyTypes wants. */
const defined = <T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as Partial<T>;

function outcomeOf(
  name: string,
  subject: VerifySubject,
  cases: readonly VerifyCase[],
  report: TargetReport,
): TargetOutcome {
  let mismatches = 0;
  let maxError = 0;
  cases.forEach((c, run) => {
    subject.outputs.forEach((output, i) => {
      const bytes = report.runs[run]?.outputs[i] ?? new Uint8Array(0);
      const expected = c.expected[i];
      if (expected === undefined) return;
      const result = compare(output.dtype, expected, fromBytes(output.dtype, bytes, output.elements));
      mismatches += result.mismatches;
      maxError = Math.max(maxError, result.maxError);
    });
  });
  const canariesIntact = report.runs.every((r) => r.canariesIntact);
  const longest = report.runs.reduce(
    (a, b) => ((b.instructions ?? 0) > (a?.instructions ?? 0) ? b : a),
    report.runs[0],
  );
  const isHop = (run: number): boolean => cases[run]?.newElements !== undefined;
  const { flashBytes, harnessFlashBytes } = report;
  return {
    name,
    identical: mismatches === 0 && canariesIntact,
    mismatches,
    maxError,
    canariesIntact,
    ...defined({
      instructions: most(report.runs.filter((_, i) => !isHop(i)).map((r) => r.instructions)),
      hopInstructions: most(report.runs.filter((_, i) => isHop(i)).map((r) => r.instructions)),
      cycles: most(report.runs.map((r) => r.cycles)),
      mix: longest?.mix,
      steps: longest?.steps,
      stackBytes: report.stackBytes,
      flashBytes,
      ramBytes: report.ramBytes,
      modelFlashBytes:
        flashBytes === undefined || harnessFlashBytes === undefined ? undefined : flashBytes - harnessFlashBytes,
    }),
  };
}

/** The requests for a subject's cases, each from a fresh state but for those that go on from the one before. */
export const requestsOf = (subject: VerifySubject, cases: readonly VerifyCase[]): readonly RunRequest[] =>
  cases.map(({ inputs, newElements }) => ({
    model: 0,
    inputs: inputs.map((data, i) =>
      toBytes(subject.inputTypes[i] ?? "int8", data.slice(-(newElements ?? data.length))),
    ),
    ...(newElements === undefined ? {} : { keepState: true }),
  }));

/** The program of one generated model. */
export const programOf = (generated: GeneratedModel): Program => ({
  files: generated.files,
  models: [{ name: generated.name, ...generated.layout }],
});

/** Compiles the subject for a target, runs every case and compares. Throws TH5001 to TH5005. */
export async function verifyOn(
  target: Target,
  subject: VerifySubject,
  cases: readonly VerifyCase[],
  options: RunOptions = {},
): Promise<TargetOutcome> {
  const missing: Diagnostic | null = target.missingTool();
  if (missing !== null) throw new DiagnosticError([missing]);
  const report = await target.run(programOf(subject.generated), requestsOf(subject, cases), options);
  return outcomeOf(target.name, subject, cases, report);
}
