import { grouped } from "../../base/units.js";
import type { Misfit, TrainModelReport } from "../train-model.js";
import { scoreText } from "./quantize.js";

/** A training in a few lines, or why there was none. */
export function renderTrain(report: TrainModelReport | Misfit): string {
  if ("misfits" in report) {
    const lines = report.misfits.map((f) => `${f.board}: ${f.obstacles.join("; ")}`);
    return `not trained, for it would not fit; take a smaller --width, another --net or board\n${lines.join("\n")}\n`;
  }
  const { examples, float, quantized } = report;
  const change =
    float.kind === "accuracy" ? `, ${((quantized.value - float.value) * 100).toFixed(2)} points of accuracy` : "";
  return `${[
    `trained    ${report.model.name} on ${grouped(examples.train)} examples in ${Math.round(report.seconds)} s; ${grouped(report.parameters)} parameters, ${grouped(report.macs)} MACs`,
    `float      ${scoreText(float)} on the ${report.evaluated} examples`,
    `quantized  ${scoreText(quantized)}${change}`,
    ...(report.withFrontend === null ? [] : [`firmware   ${scoreText(report.withFrontend)}, front-end included`]),
    `peak RAM   ${grouped(report.peakBytes)} B at the least`,
    `flash      ${grouped(report.flashBytes)} B of weights and constants, before code`,
    ...report.fits.map((f) => `board      ${f.board}: ${f.fits ? "fits" : "does not fit"}`),
    ...(report.out === null
      ? []
      : [
          `wrote      ${report.out}/model.tflite, ${report.withFrontend === null ? "" : "model-with-frontend.thimble, "}float.tflite, float.onnx, labels.txt, metrics.jsonl, report.json, report.html`,
        ]),
  ].join("\n")}\n`;
}
