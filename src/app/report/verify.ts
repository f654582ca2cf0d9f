import pc from "picocolors";
import { grouped } from "../../base/units.js";
import type { BuildReport, VerifyOutcome, VerifyReport } from "../api.js";
import { renderProfile } from "./profile.js";
import { type Column, renderTable } from "./table.js";
import { latencyLine, regionLines, sizeText } from "./terminal.js";

const number = (value: number | undefined): string => (value === undefined ? "" : grouped(value));

/** @param hops whether there is a column for the instructions of a hop */
function row(t: VerifyOutcome, hops: boolean): readonly string[] {
  const verdict = t.identical
    ? pc.green(t.maxError > 0 ? `equal within ${t.maxError.toExponential(1)}` : "identical")
    : pc.red(t.canariesIntact ? `${t.mismatches} differ` : "wrote outside its buffers");
  return [
    t.name,
    verdict,
    number(t.instructions),
    ...(hops ? [number(t.hopInstructions)] : []),
    number(t.cycles),
    number(t.stackBytes),
    number(t.modelFlashBytes),
    number(t.flashBytes),
    number(t.ramBytes),
  ];
}

const columnsOf = (hops: boolean): readonly Column[] => [
  { title: "target", align: "left" },
  { title: "outputs", align: "left" },
  { title: "instructions", align: "right" },
  ...(hops ? ([{ title: "per hop", align: "right" }] as const) : []),
  { title: "cycles", align: "right" },
  { title: "stack B", align: "right" },
  { title: "model flash B", align: "right" },
  { title: "image flash B", align: "right" },
  { title: "image RAM B", align: "right" },
];

/** The targets of a verification, a line each. */
export function renderVerify({ model, runs, targets }: VerifyReport): string {
  const hops = targets.some((t) => t.hopInstructions !== undefined);
  const rows = targets.map((t) => row(t, hops));
  const profiles = targets
    .map((t) => (t.profile === undefined ? "" : `\n${renderProfile(t.name, t.profile)}`))
    .join("");
  return `${model.name}: ${runs} ${runs === 1 ? "run" : "runs"} against the interpreter on the file's own graph\n\n${renderTable(columnsOf(hops), rows)}\n${profiles}`;
}

/** A build in a few lines. */
export function renderBuild(report: BuildReport): string {
  const { totals, fit } = report;
  const memory = [
    `peak RAM     ${grouped(totals.peakBytes)} B; ${sizeText(fit.sram.leftBytes)} left of ${sizeText(fit.sram.availableBytes)} with the stack`,
    ...(fit.regions.length > 1 ? regionLines(fit).map((line) => `             ${line}`) : []),
    `flash        ${grouped(totals.flashBytes)} B; ${sizeText(fit.flash.leftBytes)} left of ${sizeText(fit.flash.availableBytes)}`,
    `MACs         ${grouped(totals.macs)}`,
    ...report.latencies.map((l) => `inference    ${latencyLine(l)}`),
  ].join("\n");
  const verdict = fit.fits
    ? report.out === null
      ? pc.red("verification failed; nothing was written")
      : `wrote ${report.files.length} files to ${report.out}`
    : pc.red(`does not fit ${report.board}: ${fit.obstacles.join("; ")}`);
  const verification = report.verification === null ? "" : `\n${renderVerify(report.verification)}`;
  return `${report.model.name} on ${report.board}\n${memory}\n${verification}\n${verdict}\n`;
}
