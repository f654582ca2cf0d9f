import { DiagnosticError } from "../base/diagnostics.js";
import type { Fit } from "./dataset.js";
import type { Found, FoundExample } from "./found.js";
import { orBad, type Problems } from "./problems.js";
import { decodeExample, fitSignal } from "./read.js";

/** What every example is compared with. */
export interface Expected {
  readonly shape: readonly number[] | null;
  readonly sampleRate: number | null;
}

/** Examples that are looked at to see what most are like. */
const probes = 15;

/** What occurs most often; the first of those that do. */
function mostCommon<T>(values: readonly T[]): T | undefined {
  const counts = new Map<string, { readonly value: T; count: number }>();
  for (const value of values) {
    const entry = counts.get(String(value)) ?? { value, count: 0 };
    entry.count++;
    counts.set(String(value), entry);
  }
  return [...counts.values()].reduce<{ value: T; count: number } | undefined>(
    (best, e) => (best === undefined || e.count > best.count ? e : best),
    undefined,
  )?.value;
}

/** The shape and rate that most of some examples have, so that the odd one out is what is reported. */
export function usualExample(found: Found, fit: Fit): Expected {
  const step = Math.max(1, Math.floor(found.examples.length / probes));
  const decoded = found.examples
    .filter((_, i) => i % step === 0)
    .flatMap((example) => {
      try {
        return [decodeExample(found, example)];
      } catch (error) {
        // It is reported when every example is looked at.
        if (error instanceof DiagnosticError) return [];
        throw error;
      }
    });
  return {
    shape: mostCommon(decoded.map((d) => fitSignal(d, fit).shape)) ?? null,
    sampleRate: mostCommon(decoded.flatMap((d) => (d.sampleRate === null ? [] : [d.sampleRate]))) ?? null,
  };
}

/** Reads an example, and reports whatever does not fit the others. */
export function checkExample(
  found: Found,
  example: FoundExample,
  fit: Fit,
  expected: Expected,
  problems: Problems,
): boolean {
  const decoded = orBad(problems, () => decodeExample(found, example));
  if (decoded === null) return false;
  const where = [found.files[example.file]?.path ?? example.name];
  const { sampleRate } = decoded;
  if (sampleRate !== null && fit.resampleTo === null && sampleRate !== expected.sampleRate) {
    problems.bad("TH6013", {
      where,
      message: "a recording has another sample rate",
      found: `${sampleRate} Hz`,
      expected: `${expected.sampleRate} Hz`,
      fix: 'convert it, or ask for resampling with otherRates: "resample"',
    });
    return false;
  }
  const bad = decoded.data instanceof Float32Array ? decoded.data.findIndex((v) => !Number.isFinite(v)) : -1;
  if (bad >= 0) {
    problems.bad("TH6016", {
      where: [...where, example.name, `element ${bad}`],
      found: String(decoded.data[bad]),
      fix: "correct or remove the example",
    });
    return false;
  }
  return checkShape(found, fitSignal(decoded, fit).shape, where, expected, problems);
}

function checkShape(
  found: Found,
  shape: readonly number[],
  where: readonly string[],
  expected: Expected,
  problems: Problems,
): boolean {
  const isSame = shape.join() === expected.shape?.join();
  // Sound comes in all lengths; what is trained on is cut or filled to one.
  if (isSame || (found.kind === "audio" && shape.length === 1)) return true;
  problems.bad("TH6013", {
    where,
    message: "an example has another shape than the others",
    found: `[${shape.join(", ")}]`,
    expected: `[${expected.shape?.join(", ")}]`,
    fix:
      found.kind === "image"
        ? "give the size to bring all to as `image`"
        : "give `length` to cut and fill to, or `window` to divide recordings",
  });
  return false;
}
