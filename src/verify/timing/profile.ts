/** Reads what plugin/profile.c writes, and turns it into cycles. */
import type { ElfFile } from "../elf.js";
import type { InstructionMix, StepCost } from "../target.js";
import type { CoreTiming } from "./cores.js";
import { cyclesOf } from "./cycles.js";
import type { Instruction, InstructionKind } from "./disassembly.js";

/** What one inference took: all of it, and each step where the program was built with marks. */
export interface Profile {
  readonly cycles: number;
  readonly mix: InstructionMix;
  readonly steps: readonly StepCost[];
}

/** Where steps end: the labels of harness/th_marks.h. */
export function marksOf(elf: ElfFile): readonly { readonly address: number; readonly step: number }[] {
  const first = new Map<number, number>();
  for (const [name, value] of elf.symbols) {
    const step = /^th_mark_(\d+)_\d+$/.exec(name)?.[1];
    if (step === undefined) continue;
    const address = value & ~1;
    // Steps without code end where the one before them does, whose instructions these are.
    first.set(address, Math.min(Number(step), first.get(address) ?? Infinity));
  }
  return [...first].map(([address, step]) => ({ address, step }));
}

/** The marks as lines "ADDRESS STEP". */
export const markLines = (elf: ElfFile): string =>
  marksOf(elf)
    .map(({ address, step }) => `${address.toString(16)} ${step}\n`)
    .join("");

/** A block as it ran within a step. */
interface Ran {
  readonly step: number;
  readonly address: number;
  readonly instructions: number;
  readonly times: number;
  readonly jumps: number;
}

function ranOf(line: string): Ran {
  const [step, address, instructions, times, jumps] = line.split(" ");
  return {
    step: Number(step),
    address: Number.parseInt(address ?? "0", 16),
    instructions: Number(instructions),
    times: Number(times),
    jumps: Number(jumps),
  };
}

const mixOf: Readonly<Record<InstructionKind, keyof InstructionMix>> = {
  alu: "arithmetic",
  multiply: "multiplies",
  longMultiply: "multiplies",
  divide: "arithmetic",
  load: "loads",
  store: "stores",
  loadMultiple: "loads",
  storeMultiple: "stores",
  branch: "branches",
  float: "float",
  floatMultiplyAdd: "float",
  floatDivide: "float",
  vectorLoad: "vector",
  vectorStore: "vector",
  vectorMultiply: "vector",
  vector: "vector",
};

/** The instructions of a block, which follow each other in memory. */
function blockAt(
  code: ReadonlyMap<number, Instruction>,
  order: readonly Instruction[],
  indices: ReadonlyMap<number, number>,
  { address, instructions }: Ran,
): readonly Instruction[] {
  const first = indices.get(address);
  return first === undefined || !code.has(address) ? [] : order.slice(first, first + instructions);
}

/** Profiles of every second pass (the empty function and the invoke take turns). */
export function readProfiles(
  text: string,
  code: ReadonlyMap<number, Instruction>,
  core: CoreTiming,
): readonly Profile[] {
  const order = [...code.values()].sort((a, b) => a.address - b.address);
  const indices = new Map(order.map((instruction, i) => [instruction.address, i] as const));
  const cost = new Map<string, { readonly cycles: number; readonly block: readonly Instruction[] }>();
  const costOf = (ran: Ran) => {
    const key = `${ran.address} ${ran.instructions}`;
    const found = cost.get(key);
    if (found !== undefined) return found;
    const block = blockAt(code, order, indices, ran);
    const made = { cycles: cyclesOf(core, block), block };
    cost.set(key, made);
    return made;
  };
  return text
    .split("run\n")
    .slice(1)
    .filter((_, i) => i % 2 === 1)
    .map((pass) => {
      const mix = { loads: 0, stores: 0, multiplies: 0, arithmetic: 0, branches: 0, float: 0, vector: 0, jumps: 0 };
      const steps = new Map<number, { instructions: number; cycles: number }>();
      for (const ran of pass.split("\n").filter(Boolean).map(ranOf)) {
        const { cycles, block } = costOf(ran);
        for (const { kind } of block) mix[mixOf[kind]] += ran.times;
        mix.jumps += ran.jumps;
        const step = steps.get(ran.step) ?? { instructions: 0, cycles: 0 };
        step.instructions += ran.instructions * ran.times;
        step.cycles += cycles * ran.times + core.jump * ran.jumps;
        steps.set(ran.step, step);
      }
      const all = [...steps].sort(([a], [b]) => a - b);
      return {
        cycles: Math.round(all.reduce((sum, [, s]) => sum + s.cycles, 0)),
        mix,
        steps: all.map(([step, s]) => ({ step, instructions: s.instructions, cycles: Math.round(s.cycles) })),
      };
    });
}
