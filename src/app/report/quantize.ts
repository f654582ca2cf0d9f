import { grouped } from "../../base/units.js";
import type { QuantizeReport } from "../quantize.js";
import type { Score } from "../score.js";
import { renderTable } from "./table.js";

/** `97.3% (292 of 300)`, or the error. */
export const scoreText = (score: Score): string =>
  score.kind === "accuracy"
    ? `${(100 * score.value).toFixed(2)}% (${grouped(score.correct)} of ${grouped(score.count)})`
    : `${score.value.toPrecision(4)} mean squared error (${grouped(score.count)} examples)`;

/** A quantization in a few lines, and the layers where bits were chosen. */
export function renderQuantize(report: QuantizeReport): string {
  const { float, quantized, layers } = report;
  const change =
    float.kind === "accuracy" ? `, ${((quantized.value - float.value) * 100).toFixed(2)} points of accuracy` : "";
  const four = layers.filter((l) => l.bits === 4).length;
  const bits = new Map(layers.map((l) => [l.layer, l.bits]));
  const lines = [
    `model      ${report.model.name}, ${report.activations} activations, ranges by ${report.observer}${report.equalized ? ", channels equalized" : ""}, ${report.rounding} rounding`,
    `weights    ${report.weightBits !== "mixed" ? `${report.weightBits} bits` : `${four} of ${layers.length} layers have 4 bits, the others 8`}`,
    `flash      ${grouped(report.flashBytes)} B of weights and constants; ${grouped(report.floatFlashBytes)} B in float`,
    ...(report.evaluated.against === "data"
      ? [`float      ${scoreText(float)} on the ${report.evaluated.split} examples`]
      : []),
    `quantized  ${scoreText(quantized)}${report.evaluated.against === "data" ? change : ` against the float network on the ${report.evaluated.split} examples: its outputs are not what the data speaks of`}`,
    ...(report.floating.length > 0 ? [`in float   ${report.floating.join(", ")}`] : []),
  ];
  if (report.sensitivities.length === 0) return `${lines.join("\n")}\n`;
  const rows = report.sensitivities.map((s) => [
    s.layer,
    s.op,
    grouped(s.weightBytes),
    s.noise.toExponential(2),
    String(bits.get(s.layer) ?? 8),
  ]);
  const table = renderTable(
    [
      { title: "layer", align: "left" },
      { title: "operator", align: "left" },
      { title: "weights", align: "right" },
      { title: "noise of 4 bits", align: "right" },
      { title: "bits", align: "right" },
    ],
    rows,
  );
  return `${lines.join("\n")}\n\n${table}\n`;
}
