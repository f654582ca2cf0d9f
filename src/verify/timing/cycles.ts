/** Cycles of blocks of instructions, by going through them as a core in order would. */
import type { CoreTiming } from "./cores.js";
import type { Instruction, InstructionKind } from "./disassembly.js";

const isMemory = (kind: InstructionKind): boolean => kind === "load" || kind === "store";
const isMultiple = (kind: InstructionKind): boolean => kind === "loadMultiple" || kind === "storeMultiple";
const multiplies: readonly InstructionKind[] = ["multiply", "longMultiply", "divide"];

/** The unit that two instructions of one cycle cannot share, or null where there are two of it. */
function unitOf({ kind }: Instruction): string | null {
  if (multiplies.includes(kind)) return "multiplier";
  if (kind.startsWith("float")) return "float";
  if (kind === "store" || kind === "branch") return kind;
  return null;
}

/** True if `next` may begin in the cycle of `first`. */
function canPair(first: Instruction, next: Instruction): boolean {
  if (isMultiple(first.kind) || isMultiple(next.kind)) return false;
  const unit = unitOf(first);
  return (unit === null || unit !== unitOf(next)) && !first.writes.some((r) => next.reads.includes(r));
}

const vectorUnits = {
  vectorLoad: "memory",
  vectorStore: "memory",
  vectorMultiply: "multiplier",
  vector: "arithmetic",
} as const;

/** The vector unit of an instruction, or null. */
const vectorUnitOf = ({ kind }: Instruction): string | null =>
  (vectorUnits as Readonly<Record<string, string>>)[kind] ?? null;

/** Cycles before another instruction can begin. */
function busyOf(core: CoreTiming, instruction: Instruction, before: Instruction | undefined): number {
  const { kind, registers } = instruction;
  const busy = core.busy[kind] ?? 1;
  // What a core moves in one cycle needs no more than that.
  if (isMultiple(kind))
    return registers <= core.registersPerCycle ? 1 : busy + Math.ceil(registers / core.registersPerCycle);
  const followsMemory = core.pipelinesLoads && isMemory(kind) && before !== undefined && isMemory(before.kind);
  return followsMemory ? 1 : busy;
}

/** When what an instruction reads is there. An accumulator is wanted a cycle later than factors are. */
function readyAt(ready: ReadonlyMap<number, number>, { reads, accumulator }: Instruction): number {
  return reads.reduce((at, r) => Math.max(at, (ready.get(r) ?? 0) - (r === accumulator ? 1 : 0)), 0);
}

/** Cycles of instructions that run one after the other, entered with nothing under way; jumps are not in it. */
export function cyclesOf(core: CoreTiming, block: readonly Instruction[]): number {
  const ready = new Map<number, number>();
  const unitFree = new Map<string, number>();
  let next = 0;
  let pairs = false;
  let before: Instruction | undefined;
  for (const instruction of block) {
    const paired: boolean = core.issue === 2 && pairs && before !== undefined && canPair(before, instruction);
    const unit = vectorUnitOf(instruction);
    const at = Math.max(
      paired ? next - 1 : next,
      readyAt(ready, instruction),
      unit === null ? 0 : (unitFree.get(unit) ?? 0),
    );
    const isSecond: boolean = paired && at === next - 1;
    const busy = busyOf(core, instruction, before);
    if (unit !== null) unitFree.set(unit, at + core.vectorBeats);
    const latency = core.latency[instruction.kind] ?? (unit === null ? busy : core.vectorBeats);
    for (const r of instruction.writes) ready.set(r, at + latency);
    next = isSecond ? next : at + busy;
    pairs = !isSecond && busy === 1;
    before = instruction;
  }
  return next;
}
