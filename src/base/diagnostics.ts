/**
 * Problems in a user's input are data: a stable code from this table, where it is, what was found, and the way out.
 * Ranges: TH1 file format, TH2 operators and graphs, TH3 planning and boards, TH4 code generation, TH5 toolchains
 * and targets, TH6 usage and input data, TH7 networks, training and quantization.
 */
export const diagnosticCodes = {
  TH1001: "the file is not a TensorFlow Lite model",
  TH1002: "the file is truncated or corrupt",
  TH1003: "the file refers to something that does not exist",
  TH1004: "unsupported schema version",
  TH1005: "the file's buffer does not match its tensor",
  TH1006: "unsupported tensor type",
  TH1007: "unsupported tensor feature",
  TH1008: "invalid tensor shape",
  TH1009: "invalid quantization parameters",
  TH1010: "the model is larger than a microcontroller tool needs to accept",
  TH1011: "the model has no operators or no outputs",
  TH1012: "this cannot be written as a TensorFlow Lite model",
  TH1013: "this cannot be written as an ONNX model",
  TH1014: "unsupported ONNX operator set",
  TH1015: "data outside the ONNX file cannot be read",
  TH1016: "the size of an input is not known",
  TH1017: "the file is not an ONNX model",
  TH2001: "unsupported operator",
  TH2002: "unsupported operator version",
  TH2003: "an operator has the wrong number of inputs or outputs",
  TH2004: "an operator's tensor has an unsupported type",
  TH2005: "an operator's tensor has the wrong shape",
  TH2006: "an operator's quantization is inconsistent",
  TH2007: "an operator's option has an unsupported value",
  TH2008: "an operator's input must be a constant",
  TH2009: "a tensor is used before it is computed",
  TH2010: "the inferred output differs from the file's",
  TH2011: "two operators write the same tensor",
  TH2012: "invalid graph text",
  TH2013: "an index is out of range",
  TH2014: "an operator cannot be trained through",
  TH2015: "the network cannot be trained",
  TH2016: "training diverged",
  TH2017: "an integer does not fit 32 bits",
  TH2018: "control flow depends on values that are not known before the model runs",
  TH3001: "the model does not fit the board",
  TH3002: "unknown board",
  TH3003: "the plan is unsound",
  TH3004: "the model cannot be computed incrementally",
  TH3005: "the hop does not suit the model",
  TH4001: "no kernel computes this operator with these types",
  TH4002: "the output cannot be written",
  TH4003: "the name is not a C identifier",
  TH5001: "a tool is missing",
  TH5002: "unknown target",
  TH5003: "the compiler rejected the generated code",
  TH5004: "the program failed on the target",
  TH5005: "the model is too large for the target",
  TH6001: "a file cannot be read",
  TH6002: "the input data does not match the model's input",
  TH6003: "invalid option",
  TH6010: "the layout of the data set is not recognised",
  TH6011: "a file of the data set is corrupt or truncated",
  TH6012: "an encoding of the data set is not supported",
  TH6013: "an example does not match the others",
  TH6014: "a class has no examples",
  TH6015: "a label or a list refers to something that does not exist",
  TH6016: "a value of the data set is not a finite number",
  TH6017: "parts of the data set were left out",
  TH7001: "unknown network",
  TH7002: "the model is not a float model",
  TH7003: "there is no data to calibrate with",
  TH7004: "the network computes values that are not finite",
  TH7005: "the network cannot be made that small",
} as const satisfies Record<string, string>;

export type DiagnosticCode = keyof typeof diagnosticCodes;

/** One problem. `where` leads from the outside in: file, operator, tensor, channel. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly where: readonly string[];
  readonly found?: string;
  readonly expected?: string;
  readonly fix: string;
}

/** What a reporter of a problem supplies; the table supplies the rest. */
export interface Problem {
  readonly where?: readonly string[];
  /** Says more than the table's sentence; printed in its place. */
  readonly message?: string;
  readonly found?: string;
  readonly expected?: string;
  readonly fix: string;
  readonly severity?: "error" | "warning";
}

/** Reports a problem of what is at hand; whoever supplies it adds the file and the operator to `where`. */
export type Report = (code: DiagnosticCode, problem: Problem) => void;

/** Builds a diagnostic of the table's sentence and the particulars. */
export function diagnostic(code: DiagnosticCode, problem: Problem): Diagnostic {
  const { where = [], message = diagnosticCodes[code], severity = "error", fix, found, expected } = problem;
  return {
    code,
    severity,
    message,
    where,
    fix,
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
  };
}

/** The several lines that the command line prints for one diagnostic. */
export function formatDiagnostic(d: Diagnostic): string {
  const lines = [`${d.code} ${d.message}`];
  if (d.where.length > 0) lines.push(`  where  ${d.where.join(" > ")}`);
  const values = [d.found, d.expected && `expected ${d.expected}`].filter(Boolean).join(", ");
  if (values) lines.push(`  found  ${values}`);
  lines.push(`  fix    ${d.fix}`);
  return lines.join("\n");
}

/** Thrown when work cannot go on; carries every problem found, not only the first. */
export class DiagnosticError extends Error {
  override readonly name = "DiagnosticError";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(formatDiagnostic).join("\n"));
    this.diagnostics = diagnostics;
  }
}

/** Throws a DiagnosticError with one problem. */
export function fail(code: DiagnosticCode, problem: Problem): never {
  throw new DiagnosticError([diagnostic(code, problem)]);
}

/** Collects problems so that all of them are reported together. */
export class DiagnosticSink {
  readonly all: Diagnostic[] = [];

  /** Past this many the rest are counted, not kept: a corrupt file can have millions. */
  private static readonly limit = 100;
  private dropped = 0;

  report(code: DiagnosticCode, problem: Problem): void {
    if (this.all.length < DiagnosticSink.limit) this.all.push(diagnostic(code, problem));
    else this.dropped++;
  }

  get hasErrors(): boolean {
    return this.dropped > 0 || this.all.some((d) => d.severity === "error");
  }

  /** Throws if any error was reported. */
  throwIfErrors(): void {
    if (this.hasErrors) throw new DiagnosticError(this.all.filter((d) => d.severity === "error"));
  }
}
