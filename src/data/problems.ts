import {
  type Diagnostic,
  type DiagnosticCode,
  DiagnosticError,
  diagnostic,
  type Problem,
} from "../base/diagnostics.js";

/** Past this many of one code the rest are counted, not kept: a broken disk gives one for every file. */
const keptOfEach = 50;

/** The problems of a data set as they are found. */
export interface Problems {
  /** A file or an example that cannot be used; it is left out, and unless that was asked for, opening fails. */
  readonly bad: (code: DiagnosticCode, problem: Problem) => void;
  /** Something the caller should know. */
  readonly warn: (code: DiagnosticCode, problem: Problem) => void;
  /** What was found, counts of what was not kept included. Throws all of it if anything is bad and must not be. */
  readonly settle: () => readonly Diagnostic[];
  readonly badCount: () => number;
}

/**
 * Collects problems. @param tolerance "fail" throws all bad ones together; "skip" makes them warnings with a count.
 */
export function collectProblems(tolerance: "fail" | "skip"): Problems {
  const kept: Diagnostic[] = [];
  const counts = new Map<DiagnosticCode, number>();
  let badCount = 0;
  const keep = (code: DiagnosticCode, problem: Problem): void => {
    const count = (counts.get(code) ?? 0) + 1;
    counts.set(code, count);
    if (count <= keptOfEach) kept.push(diagnostic(code, problem));
  };
  const settle = (): readonly Diagnostic[] => {
    const isFatal = tolerance === "fail" && badCount > 0;
    const severity = isFatal ? "error" : "warning";
    const more = [...counts].flatMap(([code, count]) => {
      const found = `${count - keptOfEach} more of ${code}`;
      return count > keptOfEach ? [diagnostic(code, { severity, found, fix: "as for those above" })] : [];
    });
    if (isFatal) throw new DiagnosticError([...kept.filter((d) => d.severity === "error"), ...more]);
    const left =
      badCount === 0
        ? []
        : [diagnostic("TH6017", { severity, found: `${badCount} problems`, fix: "look at the other warnings" })];
    return [...left, ...kept, ...more];
  };
  return {
    bad: (code, problem) => {
      badCount++;
      keep(code, { ...problem, severity: tolerance === "skip" ? "warning" : "error" });
    },
    warn: (code, problem) => keep(code, { ...problem, severity: "warning" }),
    settle,
    badCount: () => badCount,
  };
}

/** Runs `work`; a diagnostic that it throws is a bad file, and gives null. */
export function orBad<T>(problems: Problems, work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    for (const d of error.diagnostics) problems.bad(d.code, d);
    return null;
  }
}
