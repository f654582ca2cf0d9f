import type { Board, MemoryRegion } from "../../boards/board.js";
import { renderTable } from "./table.js";
import { sizeText } from "./terminal.js";

const regions = (list: readonly MemoryRegion[]): string =>
  list.map((r) => `${sizeText(r.bytes)} ${r.name}`).join(" + ");

const features = (b: Board): string =>
  [b.fpu === "none" ? "" : `FPU ${b.fpu}`, b.dsp ? "DSP" : "", b.helium ? "Helium" : ""]
    .filter((f) => f !== "")
    .join(", ");

const columns = [
  { title: "id", align: "left" },
  { title: "MCU", align: "left" },
  { title: "core", align: "left" },
  { title: "MHz", align: "right" },
  { title: "RAM", align: "left" },
  { title: "flash", align: "left" },
] as const;

/** The boards, a line each. */
export const renderBoards = (boards: readonly Board[]): string =>
  `${renderTable(
    columns,
    boards.map((b) => [b.id, b.mcu, b.core, String(b.clockMhz), regions(b.sram), regions(b.flash)]),
  )}\n`;

/** One board in full. */
export function renderBoard(b: Board): string {
  const lines: readonly (readonly [string, string])[] = [
    ["id", b.id],
    ["name", `${b.name} (${b.vendor})`],
    ["MCU", `${b.mcu}, ${b.core} at ${b.clockMhz} MHz${features(b) === "" ? "" : `, ${features(b)}`}`],
    ["RAM", regions(b.sram)],
    ["flash", regions(b.flash)],
    ["Arduino", b.arduino ?? "-"],
    ["PlatformIO", b.platformio ? `platform ${b.platformio.platform}, board ${b.platformio.board}` : "-"],
    ["Zephyr", b.zephyr ?? "-"],
    ["emulated", b.emulated ?? "-"],
    ...b.sources.map((s) => ["source", s] as const),
  ];
  return `${lines.map(([key, value]) => `${key.padEnd(12)}${value}`).join("\n")}\n`;
}
