import { version } from "../../base/assets.js";
import { grouped } from "../../base/units.js";
import type { Dataset } from "../../data/dataset.js";
import type { EpochMetrics } from "../../train/trainer.js";
import type { Score } from "../score.js";
import type { TrainModelReport } from "../train-model.js";
import { card, escapeHtml, fixed, page, table } from "./page.js";
import { pictureOf } from "./pictures.js";
import { scoreText } from "./quantize.js";

const area = { left: 56, right: 16, top: 14, bottom: 34, width: 540, height: 260 } as const;

interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

/** Round steps of 1, 2 or 5 that divide a range into about five. */
function stepOf(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / 5 || 1));
  return power * ([1, 2, 5, 10].find((m) => m * power >= range / 5) ?? 10);
}

/** Curves over epochs; `floatEpochs` is where quantization-aware training begins. */
function plot(title: string, curves: readonly Curve[], floatEpochs: number, text: (v: number) => string): string {
  const all = curves.flatMap((c) => c.values).filter((v): v is number => v !== null);
  const count = Math.max(1, ...curves.map((c) => c.values.length));
  if (all.length === 0) return "";
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const step = stepOf(most - least || Math.abs(most) || 1);
  const [low, high] = [Math.floor(least / step) * step, Math.ceil(most / step) * step || step];
  const x = (i: number): number => area.left + ((area.width - area.left - area.right) * i) / Math.max(1, count - 1);
  const y = (v: number): number =>
    area.height - area.bottom - ((area.height - area.top - area.bottom) * (v - low)) / (high - low || 1);
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step).map(
    (v) =>
      `<line class="grid" x1="${area.left}" x2="${area.width - area.right}" y1="${fixed(y(v))}" y2="${fixed(y(v))}"/><text class="tick" x="${area.left - 6}" y="${fixed(y(v) + 4)}" text-anchor="end">${text(v)}</text>`,
  );
  const every = Math.ceil(count / 12);
  const epochs = Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every).map(
    (i) =>
      `<text class="tick" x="${fixed(x(i))}" y="${area.height - area.bottom + 16}" text-anchor="middle">${i + 1}</text>`,
  );
  const paths = curves.map(({ colour, values, name }) => {
    const points = values.flatMap((v, i) => (v === null ? [] : [[x(i), y(v)] as const]));
    const line = points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${fixed(px)} ${fixed(py)}`).join("");
    const dots = points.map(
      ([px, py], i) =>
        `<circle cx="${fixed(px)}" cy="${fixed(py)}" r="2.5" fill="${colour}"><title>${name}, epoch ${i + 1}: ${text(values[i] ?? 0)}</title></circle>`,
    );
    return `<path fill="none" stroke="${colour}" stroke-width="1.6" d="${line}"/>${dots.join("")}`;
  });
  const border =
    floatEpochs > 0 && floatEpochs < count
      ? `<line class="border" x1="${fixed(x(floatEpochs - 0.5))}" x2="${fixed(x(floatEpochs - 0.5))}" y1="${area.top}" y2="${area.height - area.bottom}"/><text class="tick" x="${fixed(x(floatEpochs - 0.5) + 4)}" y="${area.top + 10}">quantization-aware</text>`
      : "";
  const legend = curves.map((c) => `<span><i style="background:${c.colour}"></i>${escapeHtml(c.name)}</span>`).join("");
  return `<div><svg viewBox="0 0 ${area.width} ${area.height}" role="img" aria-label="${escapeHtml(title)}">${ticks.join("")}${epochs.join("")}<text class="tick" x="${area.width / 2}" y="${area.height - 4}" text-anchor="middle">epoch</text>${border}${paths.join("")}</svg><div class="legend">${legend}</div></div>`;
}

function curvesOf(history: readonly EpochMetrics[], floatEpochs: number): string {
  const [blue, orange, green] = ["#4f8fc0", "#d98f45", "#5c9a76"];
  const loss: readonly Curve[] = [
    { name: "training loss", colour: blue, values: history.map((m) => m.trainLoss) },
    { name: "validation loss", colour: orange, values: history.map((m) => m.validationLoss) },
  ];
  const accuracy: readonly Curve[] = [
    { name: "validation accuracy", colour: green, values: history.map((m) => m.validationAccuracy) },
  ];
  const percent = (v: number): string => `${(100 * v).toFixed(1)}%`;
  return `<div class="two">${plot("loss", loss, floatEpochs, (v) => v.toPrecision(3))}${plot("accuracy", accuracy, floatEpochs, percent)}</div>`;
}

type Accuracy = Extract<Score, { readonly kind: "accuracy" }>;

/** Classes as rows, what they were taken for as columns; a class's own share of its row is its colour. */
function confusionTable(classes: readonly string[], { confusion }: Accuracy): string {
  const columns = classes.map((_, c) => confusion.reduce((sum, row) => sum + (row[c] ?? 0), 0));
  const share = (part: number, whole: number): string => (whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)}%`);
  const rows = confusion.map((row, label) => {
    const total = row.reduce((a, b) => a + b, 0);
    const cells = row.map((n, found) => {
      const strength = total === 0 ? 0 : n / total;
      const colour = label === found ? "92,154,118" : "200,69,47";
      const title = `${classes[label]} taken for ${classes[found]}: ${n} of ${total}`;
      const alpha = (label === found ? strength * 0.7 : Math.min(1, strength * 4) * 0.7).toFixed(2);
      return `<td class="n" style="background:rgba(${colour},${alpha})" title="${escapeHtml(title)}">${n === 0 ? "" : grouped(n)}</td>`;
    });
    const right = row[label] ?? 0;
    return `<tr><th>${escapeHtml(classes[label] ?? String(label))}</th>${cells.join("")}<td class="n">${share(right, total)}</td><td class="n">${share(right, columns[label] ?? 0)}</td></tr>`;
  });
  const head = classes.map((c) => `<th>${escapeHtml(c)}</th>`).join("");
  return `<div class="scroll"><table><thead><tr><th>class, taken for</th>${head}<th>recall</th><th>precision</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function worstExamples(dataset: Dataset, classes: readonly string[], { worst }: Accuracy): string {
  const figures = worst.map(({ example, label, found }) => {
    const { name } = dataset.examples[example] ?? { name: "" };
    return `<figure>${pictureOf(dataset.read(example))}<figcaption title="${escapeHtml(name)}"><b>${escapeHtml(classes[label] ?? "")}</b> taken for <b class="wrong">${escapeHtml(classes[found] ?? "")}</b></figcaption></figure>`;
  });
  return `<div class="figures">${figures.join("")}</div>`;
}

const shortScore = (score: Score): string =>
  score.kind === "accuracy" ? `${(100 * score.value).toFixed(2)}%` : score.value.toPrecision(4);

const countText = (score: Score, split: string): string =>
  score.kind === "accuracy"
    ? `${grouped(score.correct)} of ${grouped(score.count)} ${split} examples`
    : `mean squared error of ${grouped(score.count)} ${split} examples`;

const style = `.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:16px}.border{stroke:var(--soft);stroke-dasharray:3 4}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px}
figure img{display:block;width:100%;image-rendering:pixelated;border-radius:4px}figure svg{border:0}figcaption{font-size:12px;color:var(--soft);margin-top:6px}figcaption b{color:var(--ink);font-weight:600}figcaption .wrong{color:var(--peak)}`;

/** A self-contained page about a training: curves, scores, which classes are confused, and the clearest mistakes. */
export function renderTrainHtml(report: TrainModelReport, dataset: Dataset): string {
  const { model, examples, history, classes, quantized, float, withFrontend } = report;
  const firmware = withFrontend ?? quantized;
  const cards = [
    card(`firmware, ${countText(firmware, report.evaluated)}`, shortScore(firmware)),
    card(`float network, ${countText(float, report.evaluated)}`, shortScore(float)),
    card("peak RAM at the least", `${grouped(report.peakBytes)} B`),
    card("weights and constants", `${grouped(report.flashBytes)} B`),
    card("MACs", grouped(report.macs)),
    card(`for ${history.length} epochs and scores`, `${Math.round(report.seconds)} s`),
  ];
  const scores = [
    ["float network, generated C", scoreText(float)],
    ["quantized network, generated C", scoreText(quantized)],
    ...(withFrontend === null ? [] : [["with its front-end, from the signal", scoreText(withFrontend)]]),
  ];
  const details =
    firmware.kind === "accuracy" && firmware.confusion.length > 0
      ? `<h2>Confusion</h2><div class="sub">What the firmware takes the ${report.evaluated} examples of each class for.</div>${confusionTable(classes, firmware)}`
      : "";
  const mistakes =
    firmware.kind === "accuracy" && firmware.worst.length > 0
      ? `<h2>Clearest mistakes</h2><div class="sub">Wrong by the most first: look here for wrong labels and missing data.</div>${worstExamples(dataset, classes, firmware)}`
      : "";
  const fits = report.fits.map((f) => [f.board, f.fits ? "fits" : f.obstacles.join("; ")]);
  const subtitle = `${grouped(examples.train)} training, ${grouped(examples.validation)} validation and ${grouped(examples.test)} test examples of ${classes.length} classes in ${escapeHtml(dataset.root)}; SHA-256 ${escapeHtml(model.sha256)}; thimble ${version}`;
  return page(
    model.name,
    subtitle,
    `<div class="cards">${cards.join("")}</div>
${history.length > 0 ? `<h2>Training</h2>${curvesOf(history, report.floatEpochs)}` : ""}
<h2>Scores</h2>${table(["what", "score"], scores)}${fits.length > 0 ? `<h2>Boards</h2>${table(["board", ""], fits)}` : ""}
${details}
${mistakes}`,
    style,
  );
}
