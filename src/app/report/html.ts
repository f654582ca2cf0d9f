import { version } from "../../base/assets.js";
import { grouped } from "../../base/units.js";
import type { BufferKind } from "../../plan/plan.js";
import type { InspectReport } from "./inspect.js";
import { card, escapeHtml, fixed, page, table } from "./page.js";
import { sizeText } from "./terminal.js";

/** The plotting area of both pictures, in SVG units. */
const area = { left: 76, right: 24, top: 16, bottom: 34, width: 1080 } as const;

interface Scale {
  readonly x: (step: number) => number;
  readonly y: (bytes: number) => number;
  readonly height: number;
}

function scaleOf(report: InspectReport, maxBytes: number, height: number): Scale {
  const steps = Math.max(report.plan.steps.length, 1);
  const inner = area.width - area.left - area.right;
  return {
    x: (step) => area.left + (inner * step) / steps,
    y: (bytes) => height - area.bottom - ((height - area.top - area.bottom) * bytes) / Math.max(maxBytes, 1),
    height,
  };
}

/** Round numbers that divide [0, max] into about five. */
function ticks(max: number): readonly number[] {
  const rough = max / 5;
  const power = 2 ** Math.floor(Math.log2(Math.max(rough, 1)));
  const step = rough / power > 1.5 ? power * 2 : power;
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, i) => i * step);
}

function axes(report: InspectReport, s: Scale, maxBytes: number): string {
  const bottom = s.y(0);
  const right = area.width - area.right;
  const horizontal = ticks(maxBytes).map(
    (t) =>
      `<line class="grid" x1="${area.left}" x2="${right}" y1="${fixed(s.y(t))}" y2="${fixed(s.y(t))}"/><text class="tick" x="${area.left - 8}" y="${fixed(s.y(t) + 4)}" text-anchor="end">${sizeText(t)}</text>`,
  );
  const count = report.plan.steps.length;
  const every = Math.max(1, Math.ceil(count / 24));
  const vertical = Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every).map(
    (step) =>
      `<text class="tick" x="${fixed((s.x(step) + s.x(step + 1)) / 2)}" y="${fixed(bottom + 16)}" text-anchor="middle">${step}</text>`,
  );
  return `${horizontal.join("")}${vertical.join("")}<text class="tick" x="${fixed((area.left + right) / 2)}" y="${fixed(bottom + 31)}" text-anchor="middle">step</text>`;
}

/** Where each arena begins in the picture: they are drawn one above the other, in bytes. */
const arenaStarts = ({ plan }: InspectReport): readonly number[] =>
  plan.regions.map((_, i) => plan.regions.slice(0, i).reduce((sum, r) => sum + r.bytes, 0));

/** Lines between arenas, and their names; nothing for a single one. */
function arenaLines(report: InspectReport, s: Scale): string {
  if (report.plan.regions.length === 1) return "";
  const right = area.width - area.right;
  return arenaStarts(report)
    .map((start, i) => {
      const y = fixed(s.y(start));
      const text = escapeHtml(report.plan.regions[i]?.name ?? "");
      return `<line class="limit" x1="${area.left}" x2="${right}" y1="${y}" y2="${y}"/><text class="limit-text" x="${right - 4}" y="${fixed(s.y(start) - 4)}" text-anchor="end">${text}</text>`;
    })
    .join("");
}

function memoryMap(report: InspectReport): string {
  const { plan, totals } = report;
  const starts = arenaStarts(report);
  const s = scaleOf(report, totals.arenaBytes, 420);
  const rects = plan.buffers.map((b) => {
    const x = s.x(b.firstStep);
    const width = s.x(b.lastStep + 1) - x;
    const start = starts[b.region] ?? 0;
    const y = s.y(start + b.offset + b.bytes);
    const height = s.y(start + b.offset) - y;
    const where = plan.regions.length > 1 ? ` of ${plan.regions[b.region]?.name}` : "";
    const title = `${b.tensor}\n${b.kind}, ${grouped(b.bytes)} B at ${grouped(b.offset)}${where}, steps ${b.firstStep} to ${b.lastStep}`;
    const label =
      width > 60 && height > 13
        ? `<text class="label" x="${fixed(x + 4)}" y="${fixed(y + 12)}">${escapeHtml(sizeText(b.bytes))}</text>`
        : "";
    return `<g><rect class="${b.kind}" x="${fixed(x + 0.5)}" y="${fixed(y)}" width="${fixed(Math.max(width - 1, 1))}" height="${fixed(Math.max(height, 0.7))}"><title>${escapeHtml(title)}</title></rect>${label}</g>`;
  });
  return `<svg viewBox="0 0 ${area.width} ${s.height}" role="img" aria-label="memory map">${axes(report, s, totals.arenaBytes)}${rects.join("")}${arenaLines(report, s)}</svg>`;
}

/** Boards whose RAM lies within the picture, one for each size, so that the curve stays readable. */
function limits(report: InspectReport): {
  readonly lines: readonly { bytes: number; names: string }[];
  readonly top: number;
} {
  const peak = Math.max(report.totals.peakBytes, 1);
  const bySize = new Map<number, string[]>();
  for (const f of report.fits)
    bySize.set(f.sram.availableBytes, [...(bySize.get(f.sram.availableBytes) ?? []), f.board]);
  const sizes = [...bySize].sort(([a], [b]) => a - b);
  const near = sizes.filter(([bytes]) => bytes <= peak * 2.2).slice(-5);
  const next = sizes.find(([bytes]) => bytes > peak);
  const chosen = near.length > 0 || !next || next[0] > peak * 8 ? near : [next];
  const lines = chosen.map(([bytes, names]) => ({
    bytes,
    names: names.length > 2 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", "),
  }));
  return { lines, top: Math.max(peak, ...lines.map((l) => l.bytes)) * 1.06 };
}

function liveCurve(report: InspectReport): string {
  const { lines, top } = limits(report);
  const s = scaleOf(report, top, 300);
  const live = report.plan.steps.map((step) => step.liveBytes);
  const path = live
    .map((bytes, i) => `${i === 0 ? "M" : "L"}${fixed(s.x(i))} ${fixed(s.y(bytes))}H${fixed(s.x(i + 1))}`)
    .join("");
  const filled = `${path}V${fixed(s.y(0))}H${area.left}Z`;
  const bars = report.plan.steps.map((step, i) => {
    const peak = i === report.plan.peakStep ? ' class="peak"' : ' class="hover"';
    return `<rect${peak} x="${fixed(s.x(i))}" y="${fixed(s.y(step.liveBytes))}" width="${fixed(s.x(i + 1) - s.x(i))}" height="${fixed(s.y(0) - s.y(step.liveBytes))}"><title>${escapeHtml(`step ${i}, ${step.op}\n${grouped(step.liveBytes)} B live`)}</title></rect>`;
  });
  const boards = lines.map(
    (l) =>
      `<line class="limit" x1="${area.left}" x2="${area.width - area.right}" y1="${fixed(s.y(l.bytes))}" y2="${fixed(s.y(l.bytes))}"/><text class="limit-text" x="${area.width - area.right - 4}" y="${fixed(s.y(l.bytes) - 4)}" text-anchor="end">${escapeHtml(`${sizeText(l.bytes)}: ${l.names}`)}</text>`,
  );
  return `<svg viewBox="0 0 ${area.width} ${s.height}" role="img" aria-label="live bytes by step">${axes(report, s, top)}<path class="live" d="${filled}"/>${bars.join("")}${boards.join("")}</svg>`;
}

const layerTable = (report: InspectReport): string =>
  table(
    ["#", "operator", "name", "from", "output", "MACs", "parameters", "weights B", "scratch B", "live RAM B", "memory"],
    report.layers.map((l) => [
      l.index,
      l.op,
      l.name,
      l.inputs.map((i) => (i < 0 ? "in" : String(i))).join(", "),
      `${l.outputType} ${l.outputShape.join("x")}`,
      l.macs,
      l.parameters,
      l.weightsBytes,
      l.scratchBytes,
      l.liveBytes,
      l.memory,
    ]),
    (i) => (i === report.plan.peakStep ? "peak-row" : ""),
  );

const boardTable = (report: InspectReport): string =>
  table(
    ["board", "fits", "RAM", "RAM left", "flash", "flash left", "RAM regions", "in the way"],
    report.fits.map((f) => [
      f.board,
      f.fits ? "yes" : "no",
      sizeText(f.sram.availableBytes),
      sizeText(f.sram.leftBytes),
      sizeText(f.flash.availableBytes),
      sizeText(f.flash.leftBytes),
      f.regions
        .map((r) => `${r.name} (${r.kind}): ${sizeText(r.usedBytes)} of ${sizeText(r.availableBytes)}`)
        .join(", "),
      f.obstacles.join("; "),
    ]),
    (i) => (report.fits[i]?.fits ? "fits" : "misfit"),
  );

const kinds: readonly BufferKind[] = ["input", "activation", "output", "scratch", "state"];

const style = `
:root{--input:#4f8fc0;--activation:#79b791;--output:#d98f45;--scratch:#b9b3a8;--state:#9a7fb8}
@media (prefers-color-scheme:dark){:root{--input:#4d87b4;--activation:#5c9a76;--output:#c17e3b;--scratch:#6b675f;--state:#8169a0}}
g rect{stroke:var(--card);stroke-width:.6;fill-opacity:.82}rect.input,i.input{fill:var(--input);background:var(--input)}rect.activation,i.activation{fill:var(--activation);background:var(--activation)}rect.output,i.output{fill:var(--output);background:var(--output)}rect.scratch,i.scratch{fill:var(--scratch);background:var(--scratch)}rect.state,i.state{fill:var(--state);background:var(--state)}
.live{fill:var(--activation);opacity:.75}.peak{fill:var(--peak)}.hover{fill:transparent}.hover:hover,g rect:hover{fill-opacity:.7}.hover:hover{fill:var(--ink);fill-opacity:.15}
.limit{stroke:var(--peak);stroke-dasharray:5 4}
.limit-text{fill:var(--soft);font:11px system-ui,sans-serif}td:nth-child(3){max-width:190px;overflow:hidden;text-overflow:ellipsis}
.peak-row td{color:var(--peak);font-weight:600}.misfit td{color:var(--soft)}.fits td:nth-child(2){color:#2f8f57;font-weight:600}`;

/** A self-contained page: totals, the memory map, the live-bytes curve against boards' RAM, layers and boards. */
export function renderHtml(report: InspectReport): string {
  const { totals, plan, model, layers } = report;
  const peak = layers[plan.peakStep];
  const legend = kinds
    .filter((k) => plan.buffers.some((b) => b.kind === k))
    .map((k) => `<span><i class="${k}"></i>${k}</span>`)
    .join("");
  const cards = [
    card("peak RAM besides the stack", `${grouped(totals.peakBytes)} B`),
    card("weights and constants", `${grouped(totals.flashBytes)} B`),
    card("MACs", grouped(totals.macs)),
    card("parameters", grouped(totals.parameters)),
    card("boards it fits", `${report.fits.filter((f) => f.fits).length} of ${report.fits.length}`),
  ];
  return page(
    model.name,
    `${escapeHtml(model.format)}, ${grouped(model.fileBytes)} B, SHA-256 ${escapeHtml(model.sha256)}; thimble ${version}`,
    `<div class="cards">${cards.join("")}</div>
<h2>Memory map</h2><div class="sub">Each rectangle is a buffer: steps across, ${plan.regions.length > 1 ? "the offset in its memory up, one memory above the other" : "arena offset up"}. Where two meet at a step, an output grows over rows of its input that are done with.${peak ? ` Most is live at step ${plan.peakStep}, ${escapeHtml(peak.op)} ${escapeHtml(JSON.stringify(peak.name.split(";")[0]))}.` : ""}</div>${memoryMap(report)}<div class="legend">${legend}</div>
<h2>Live bytes</h2><div class="sub">What must be kept at each step, against the RAM of boards (dashed); no placement can be smaller than the peak of this curve.</div>${liveCurve(report)}
<h2>Layers</h2>${layerTable(report)}
<h2>Boards</h2>${boardTable(report)}`,
    style,
  );
}
