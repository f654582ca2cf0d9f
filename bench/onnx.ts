/**
 * `npm run bench -- onnx [--on interpreter]`: ONNX's own node tests and models converted from PyTorch, for each operator of
 * our support table how many pass in the interpreter, with images in the file's order and channels last, and on the host as
 * generated C; and why others are not run.
 */
import { basename } from "node:path";
import { generate, planModel } from "../src/app/compile.js";
import { renderTable } from "../src/app/report/table.js";
import { DiagnosticError } from "../src/base/diagnostics.js";
import { type TensorData, toBytes } from "../src/base/dtype.js";
import { identifier } from "../src/codegen/c.js";
import type { GeneratedModel } from "../src/codegen/model.js";
import { onnxOperators } from "../src/formats/onnx/import/table.js";
import { tensorOf } from "../src/ir/graph.js";
import type { Model } from "../src/ops/index.js";
import { channelsLast } from "../src/passes/layout.js";
import type { Program } from "../src/verify/target.js";
import { findTarget } from "../src/verify/targets.js";
import { compare } from "../src/verify/verify.js";
import type { BenchResult } from "./main.js";
import { casesOf, onnxMissing, operatorsOf, runCase, type Verdict } from "./onnx-cases.js";

const kinds = ["node", "pytorch-converted", "pytorch-operator"] as const;
const known = new Set(onnxOperators.map((row) => row.name));

/** A case and how it went. */
interface Outcome {
  readonly kind: (typeof kinds)[number];
  readonly name: string;
  readonly operators: readonly string[];
  readonly verdict: Verdict;
  readonly last: Verdict;
  host: string | null;
}

/** Programs of this many models compile in seconds. */
const modelsPerProgram = 60;

function programOf(models: readonly GeneratedModel[]): Program {
  const files = new Map<string, string>();
  for (const { files: own } of models) for (const [path, text] of own) files.set(path.replace(/\.c$/, ".inc"), text);
  files.set("all.c", models.map(({ name }) => `#include "${name}.inc"\n`).join(""));
  return { files, models: models.map((m) => ({ name: m.name, ...m.layout })) };
}

const bytesOf = (model: Model, ids: readonly number[], data: readonly TensorData[]): readonly Uint8Array[] =>
  data.map((d, i) => toBytes(tensorOf(model.main, ids[i] as never).dtype, d));

/** Runs generated C of cases that passed on the host; what differs becomes the outcome's `host`. */
async function runOnHost(outcomes: readonly Outcome[]): Promise<void> {
  const passed = outcomes.flatMap((o, i) =>
    o.last.kind === "passed" ? [{ o, v: o.last, name: identifier(`case_${i}`) }] : [],
  );
  for (let at = 0; at < passed.length; at += modelsPerProgram) {
    const chunk = passed.slice(at, at + modelsPerProgram);
    const generated = chunk.map(({ v, name }) => generate(planModel(v.model, { name })));
    const requests = chunk.map(({ v }, model) => ({ model, inputs: bytesOf(v.model, v.model.main.inputs, v.inputs) }));
    const { runs } = await findTarget("host").run(programOf(generated), requests, {});
    chunk.forEach(({ o, v }, i) => {
      const wrong = v.outputs.flatMap((want, k) => {
        const { dtype } = tensorOf(v.model.main, v.model.main.outputs[k] as never);
        const bytes = runs[i]?.outputs[k] ?? new Uint8Array();
        const found = new (want.constructor as new (b: ArrayBuffer) => TensorData)(bytes.slice().buffer as ArrayBuffer);
        const { mismatches, maxError } = compare(dtype, want, found);
        return mismatches === 0 ? [] : [`${mismatches} of ${want.length} differ, worst ${maxError}`];
      });
      o.host = wrong[0] ?? "passed";
    });
    process.stderr.write(`host: ${Math.min(at + modelsPerProgram, passed.length)} of ${passed.length}\n`);
  }
}

/** Why a case is not counted against its operator, in a word; null for one that is. */
const skipped = ({ kind }: Verdict): string | null =>
  kind === "type" || kind === "operator" || kind === "form" ? kind : null;

const columns = [
  { title: "operator", align: "left" },
  { title: "tests", align: "right" },
  { title: "passed", align: "right" },
  { title: "channels last", align: "right" },
  { title: "host C", align: "right" },
  { title: "type", align: "right" },
  { title: "form", align: "right" },
  { title: "failed", align: "right" },
] as const;

/** One line for each operator of the table: a case counts for the operators of its model. */
function tableOf(outcomes: readonly Outcome[]): string {
  const rows = [...known].sort().map((name) => {
    const own = outcomes.filter((o) => o.operators.includes(name) && o.verdict.kind !== "operator");
    const count = (test: (o: Outcome) => boolean): string => String(own.filter(test).length);
    return [
      name,
      String(own.length),
      count((o) => o.verdict.kind === "passed"),
      count((o) => o.last.kind === "passed"),
      count((o) => o.host === "passed"),
      count((o) => o.verdict.kind === "type"),
      count((o) => o.verdict.kind === "form"),
      count((o) => o.verdict.kind === "failed" || o.last.kind === "failed" || (o.host !== null && o.host !== "passed")),
    ];
  });
  return renderTable(columns, rows);
}

/** The benchmark `onnx`. */
export async function onnxBench(args: readonly string[]): Promise<BenchResult> {
  const missing = onnxMissing();
  if (missing !== null) return { text: `${missing}\n`, data: { missing }, exitCode: 1 };
  const outcomes = kinds.flatMap((kind) =>
    casesOf(kind).map((folder): Outcome => {
      const verdict = runCase(folder);
      const last = runCase(folder, channelsLast);
      return { kind, name: basename(folder), operators: operatorsOf(folder), verdict, last, host: null };
    }),
  );
  const host = findTarget("host").missingTool();
  if (!args.includes("interpreter") && host === null) {
    try {
      await runOnHost(outcomes);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      process.stderr.write(`host: ${error.message}\n`);
    }
  }
  const others = outcomes.filter((o) => o.verdict.kind !== "passed" && o.verdict.kind !== "operator");
  const wrong = outcomes.filter(
    (o) => o.verdict.kind === "failed" || o.last.kind === "failed" || (o.host !== null && o.host !== "passed"),
  );
  const reasons = [...others, ...wrong.filter((o) => o.verdict.kind === "passed")].map((o) => {
    const why = o.verdict.kind === "passed" ? (o.last.kind === "passed" ? (o.host ?? "") : o.last.why) : o.verdict.why;
    return `${skipped(o.verdict) ?? "failed"}  ${o.name}: ${why.split("\n")[0]}`;
  });
  const summary = kinds.map((kind) => {
    const own = outcomes.filter((o) => o.kind === kind);
    const supported = own.filter((o) => skipped(o.verdict) === null);
    const passed = supported.filter((o) => o.verdict.kind === "passed" && o.last.kind === "passed");
    const inC = own.filter((o) => o.host === "passed").length;
    return `${kind}: ${passed.length} of ${supported.length} supported cases pass (of ${own.length}), ${inC} of them as C on the host`;
  });
  const text = `${tableOf(outcomes)}\n\n${reasons.join("\n")}\n\n${known.size} operators in the table\n${summary.join("\n")}\n`;
  const data = outcomes.map(({ kind, name, verdict, host: onHost }) => ({
    kind,
    name,
    verdict: verdict.kind,
    host: onHost,
  }));
  return { text, data: { operators: known.size, cases: data }, exitCode: wrong.length === 0 ? 0 : 1 };
}
