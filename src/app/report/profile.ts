import { grouped } from "../../base/units.js";
import type { InstructionMix, StepCost } from "../../verify/target.js";
import type { PlannedModel } from "../compile.js";
import { layerReports } from "./layers.js";
import { type Column, renderTable } from "./table.js";

/** What a layer took on a target, measured. */
export interface LayerProfile {
  readonly layer: number;
  readonly op: string;
  readonly outputShape: readonly number[];
  /** The kernel that ran. */
  readonly kernel: string;
  readonly macs: number;
  readonly instructions: number;
  /** Counted or estimated by the target; see RunResult. */
  readonly cycles: number;
  /** Weights and biases that it reads. */
  readonly weightsBytes: number;
  readonly scratchBytes: number;
  /** Bytes of all buffers alive while it runs. */
  readonly liveBytes: number;
}

/** A measured inference: each layer, and what is left for the schedule. */
export interface ProfileReport {
  readonly layers: readonly LayerProfile[];
  readonly mix: InstructionMix | null;
}

/** Joins measured steps with what the plan knows of their layers; steps without code are left out. */
export function profileOf(
  planned: PlannedModel,
  steps: readonly StepCost[],
  mix: InstructionMix | undefined,
): ProfileReport {
  const measured = new Map(steps.map((s) => [s.step, s] as const));
  const layers = layerReports(planned).flatMap((layer): readonly LayerProfile[] => {
    const cost = measured.get(layer.index);
    if (cost === undefined) return [];
    const { op, outputShape, kernel, macs, weightsBytes, scratchBytes, liveBytes } = layer;
    const { instructions, cycles } = cost;
    return [
      {
        layer: layer.index,
        ...{ op, outputShape, kernel, macs, instructions, cycles, weightsBytes, scratchBytes, liveBytes },
      },
    ];
  });
  return { layers, mix: mix ?? null };
}

const columns: readonly Column[] = [
  { title: "#", align: "right" },
  { title: "operator", align: "left" },
  { title: "output", align: "left" },
  { title: "kernel", align: "left" },
  { title: "MACs", align: "right" },
  { title: "instructions", align: "right" },
  { title: "per MAC", align: "right" },
  { title: "cycles", align: "right" },
  { title: "share", align: "right" },
  { title: "weights B", align: "right" },
  { title: "scratch B", align: "right" },
  { title: "live RAM B", align: "right" },
];

const orEmpty = (n: number): string => (n === 0 ? "" : grouped(n));

function mixText(mix: InstructionMix): string {
  const parts = Object.entries(mix).filter(([, n]) => n > 0);
  return parts.map(([kind, n]) => `${grouped(n)} ${kind}`).join(", ");
}

/** The layers of a profile, a line each, with the instructions by what they do. */
export function renderProfile(target: string, { layers, mix }: ProfileReport): string {
  const total = layers.reduce((sum, l) => sum + l.cycles, 0);
  const rows = layers.map((l) => [
    String(l.layer),
    l.op,
    l.outputShape.join("x"),
    l.kernel,
    orEmpty(l.macs),
    grouped(l.instructions),
    l.macs === 0 ? "" : (l.instructions / l.macs).toFixed(2),
    grouped(l.cycles),
    `${((100 * l.cycles) / Math.max(total, 1)).toFixed(1)}%`,
    orEmpty(l.weightsBytes),
    orEmpty(l.scratchBytes),
    grouped(l.liveBytes),
  ]);
  return `${target}, by layer\n\n${renderTable(columns, rows)}\n${mix === null ? "" : `\n${mixText(mix)}\n`}`;
}
