import pc from "picocolors";
import { grouped } from "../../base/units.js";
import type { BoardFit } from "../../boards/fit.js";
import type { Estimate, Latency } from "../latency.js";
import type { InspectReport, PortReport } from "./inspect.js";
import type { LayerReport } from "./layers.js";
import { renderTable } from "./table.js";

/** `12.3 KiB`, or bytes below 1 KiB. */
export const sizeText = (bytes: number): string =>
  Math.abs(bytes) < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`;

const shapeText = (shape: readonly number[]): string => (shape.length === 0 ? "scalar" : shape.join("x"));

/** Converters join the names of everything that was fused; the first says enough. */
const shortName = (name: string): string => {
  const first = name.split(";")[0] ?? "";
  return first.length > 60 ? `...${first.slice(-57)}` : first;
};

function portText(port: PortReport): string {
  const scale = port.scale === null ? "" : `, scale ${port.scale.toPrecision(6)}, zero point ${port.zeroPoint}`;
  return `${shortName(port.name)}  ${port.dtype} ${shapeText(port.shape)} (${grouped(port.bytes)} B${scale})`;
}

function layerRow(layer: LayerReport, report: InspectReport): readonly string[] {
  const isPeak = layer.index === report.plan.peakStep;
  const share = report.totals.macs === 0 ? 0 : (100 * layer.macs) / report.totals.macs;
  const live = grouped(layer.liveBytes);
  return [
    String(layer.index),
    layer.op,
    shapeText(layer.outputShape),
    layer.inputs.map((i) => (i < 0 ? "in" : String(i))).join(","),
    layer.macs === 0 ? "" : grouped(layer.macs),
    layer.macs === 0 ? "" : `${share.toFixed(1)}%`,
    layer.weightsBytes === 0 ? "" : grouped(layer.weightsBytes),
    isPeak ? pc.bold(pc.yellow(`${live} <- peak`)) : live,
    memoryText(layer),
  ];
}

const layerColumns = [
  { title: "#", align: "right" },
  { title: "operator", align: "left" },
  { title: "output", align: "left" },
  { title: "from", align: "left" },
  { title: "MACs", align: "right" },
  { title: "share", align: "right" },
  { title: "weights B", align: "right" },
  { title: "live RAM B", align: "left" },
  { title: "memory", align: "left" },
] as const;

function fitRows(report: InspectReport): readonly (readonly string[])[] {
  return report.fits.map((f) => [
    f.fits ? pc.green("fits") : pc.red("no"),
    f.board,
    sizeText(f.sram.availableBytes),
    sizeText(f.sram.leftBytes),
    sizeText(f.flash.availableBytes),
    sizeText(f.flash.leftBytes),
    f.obstacles.join("; "),
  ]);
}

const fitColumns = [
  { title: "", align: "left" },
  { title: "board", align: "left" },
  { title: "RAM", align: "right" },
  { title: "left", align: "right" },
  { title: "flash", align: "right" },
  { title: "left", align: "right" },
  { title: "in the way", align: "left" },
] as const;

/** What lies in each RAM region of a board. */
export const regionLines = ({ regions }: BoardFit): readonly string[] =>
  regions.map(
    (r) =>
      `${r.name} (${r.kind}): ${grouped(r.usedBytes)} B used${r.hasStack ? " with the stack" : ""}, ${grouped(r.availableBytes)} B there`,
  );

/** `12.3`, three significant digits. */
const short = (n: number): string => (n >= 100 ? grouped(Math.round(n)) : String(Number(n.toPrecision(3))));

const estimateText = ({ expected, low, high }: Estimate, unit: string): string =>
  `${short(expected)} ${unit} (${short(low)} to ${short(high)})`;

/** What one inference takes on a board, a line. */
export const latencyLine = ({ milliseconds, microjoules, cycles }: Latency): string =>
  [
    estimateText(milliseconds, "ms"),
    microjoules === null ? "energy unknown" : estimateText(microjoules, "uJ"),
    `${grouped(Math.round(cycles.expected))} cycles, by estimate`,
  ].join(", ");

/** The table of boards of a report, and the RAM regions of those that need several. */
function renderFits(report: InspectReport): string {
  const spread = report.fits.filter((f) => f.regions.length > 1);
  const lines = spread.flatMap((f) => ["", ...regionLines(f).map((line) => `${f.board}: ${line}`)]);
  const times = report.latencies.map((l) => `${l.board}: ${latencyLine(l)}`);
  return [renderTable(fitColumns, fitRows(report)), ...lines, ...(times.length > 0 ? ["", ...times] : [])].join("\n");
}

const planText = (strategy: string, feed: string): string =>
  feed === "incremental"
    ? feed
    : `${strategy === "rows" ? "streamed by rows" : "layer by layer"}${feed === "pushed" ? ", input pushed" : ""}`;

/** What a hop of incremental inference costs. */
function hopLines({ plan }: InspectReport): readonly string[] {
  if (plan.incremental === null) return [];
  const { hopRows, windowRows, hopMacs, windowMacs, stateBytes, tailLayers } = plan.incremental;
  const percent = windowMacs === 0 ? 100 : (100 * hopMacs) / windowMacs;
  const anew = tailLayers.length === 0 ? "nothing" : `layers ${tailLayers.join(", ")}`;
  return [
    `${grouped(hopMacs)} MACs per hop of ${hopRows} rows, ${percent.toFixed(1)}% of the ${grouped(windowMacs)} of a window of ${windowRows}`,
    `${grouped(stateBytes)} B of state from hop to hop; computed anew for every window: ${anew}`,
  ];
}

/** What each streaming group saves. */
const streamLines = ({ plan }: InspectReport): readonly string[] =>
  plan.groups
    .filter((g) => g.streams)
    .map(
      (g) =>
        `layers ${g.firstLayer}-${g.lastLayer} stream with ${grouped(g.liveBytes)} B; one by one they need ${grouped(g.layersLiveBytes)} B`,
    );

/** The most layers that are named of those that lost channels. */
const mostNamed = 4;

/** What was taken out, and where. */
function removedLines({ removed }: InspectReport): readonly (readonly [string, string])[] {
  if (removed.channels === 0) return [];
  const { channels, macs, weightsBytes, layers } = removed;
  const most = layers.toSorted((a, b) => b.channels - a.channels);
  const named = most.slice(0, mostNamed).map((l) => `${l.op} ${JSON.stringify(shortName(l.name))} ${l.channels}`);
  const others = layers.length > mostNamed ? `, and ${layers.length - mostNamed} more layers` : "";
  return [
    [
      "removed",
      `${grouped(channels)} channels that cannot change any output: ${grouped(macs)} MACs, ${grouped(weightsBytes)} B of weights`,
    ],
    ["", `${named.join(", ")}${others}`],
  ];
}

/** The arenas, where there are several. */
const arenaLines = ({ plan }: InspectReport): readonly (readonly [string, string])[] =>
  plan.regions.length === 1
    ? []
    : plan.regions.map(({ name, bytes }, i) => {
        const buffers = plan.buffers.filter((b) => b.region === i).length;
        return [
          i === 0 ? "arenas" : "",
          `${grouped(bytes)} B in ${name}, ${buffers === 1 ? "1 buffer" : `${buffers} buffers`}`,
        ] as const;
      });

/** The rows kept of a ring, or how else the output gets its memory. */
const memoryText = ({ memory, rowsKept, rows }: LayerReport): string =>
  memory === "own" ? "" : memory === "ring" ? `${rowsKept} of ${rows} rows` : memory;

/** The whole of an inspection for a terminal. */
export function renderInspect(report: InspectReport): string {
  const { totals, plan, layers } = report;
  const peak = layers[plan.peakStep];
  const summary: readonly (readonly [string, string])[] = [
    [
      "model",
      `${report.model.name} (${report.model.format}, ${grouped(report.model.fileBytes)} B, SHA-256 ${report.model.sha256.slice(0, 12)}...)`,
    ],
    ...report.inputs.map((p) => ["input", portText(p)] as const),
    ...report.outputs.map((p) => ["output", portText(p)] as const),
    ["parameters", `${grouped(totals.parameters)} (${sizeText(totals.weightsBytes)} of weights)`],
    ["MACs", grouped(totals.macs)],
    ...removedLines(report),
    ["flash", `${grouped(totals.flashBytes)} B of weights and constants, before code`],
    [
      "peak RAM",
      `${grouped(totals.peakBytes)} B${peak ? ` at step ${plan.peakStep}, ${peak.op} ${JSON.stringify(shortName(peak.name))}` : ""}`,
    ],
    ["plan", `${planText(plan.strategy, plan.feed)}: ${plan.reason}`],
    ...arenaLines(report),
    ...[...hopLines(report), ...streamLines(report)].map((line) => ["", line] as const),
    [
      "",
      `${grouped(plan.liveLowerBoundBytes)} B live at the peak, ${grouped(plan.layersPeakBytes)} B layer by layer, ${grouped(plan.recomputedMacs)} MACs recomputed`,
    ],
  ];
  const head = summary.map(([key, value]) => `${pc.bold(key.padEnd(11))}${value}`).join("\n");
  const table = renderTable(
    layerColumns,
    layers.map((l) => layerRow(l, report)),
  );
  return `${head}\n\n${table}\n\n${renderFits(report)}\n`;
}
