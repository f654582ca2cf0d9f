/** Reads what objdump prints of a Thumb program: what each instruction does, as far as its time depends on it. */

/** What an instruction is for timing. Vector kinds are of Helium. */
export type InstructionKind =
  | "alu"
  | "multiply"
  | "longMultiply"
  | "divide"
  | "load"
  | "store"
  | "loadMultiple"
  | "storeMultiple"
  | "branch"
  | "float"
  | "floatMultiplyAdd"
  | "floatDivide"
  | "vectorLoad"
  | "vectorStore"
  | "vectorMultiply"
  | "vector";

/** One instruction. Registers are numbered: r0 to r15, then s or q registers from 16, 32 for flags. */
export interface Instruction {
  readonly address: number;
  readonly mnemonic: string;
  readonly kind: InstructionKind;
  /** Encoded in 16 bits. */
  readonly isShort: boolean;
  /** Registers that a load or store of several moves; 1 for others. */
  readonly registers: number;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Of a multiply-accumulate: the register it adds to, which is wanted last; -1 for others. */
  readonly accumulator: number;
}

/** Flags as a register. */
const flags = 64;

const names: Readonly<Record<string, number>> = { sb: 9, sl: 10, fp: 11, ip: 12, sp: 13, lr: 14, pc: 15 };

/** The number of a register's name; q registers stand apart from s ones. Null for what is no register. */
function registerOf(text: string): number | null {
  const named = names[text];
  if (named !== undefined) return named;
  const [, bank = "", digits = ""] = /^([rsdq])(\d+)$/.exec(text) ?? [];
  const number = Number(digits);
  if (bank === "r") return number;
  if (bank === "s") return 16 + (number >> 2);
  if (bank === "d") return 16 + (number >> 1);
  return bank === "q" ? 16 + number : null;
}

/** All registers in a piece of operand text, in order; a range `r4-r7` counts as each of it. */
function registersIn(text: string): readonly number[] {
  const found: number[] = [];
  for (const [, from = "", to] of text.matchAll(
    /\b([rsdq]\d+|sb|sl|fp|ip|sp|lr|pc)\b(?:\s*-\s*([rsdq]\d+|sl|fp|ip|lr)\b)?/g,
  )) {
    const first = registerOf(from);
    const last = to === undefined ? first : registerOf(to);
    if (first === null || last === null) continue;
    for (let r = first; r <= last; r++) found.push(r);
  }
  return found;
}

const conditions = "eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le";

/** Patterns of mnemonics, the first that fits; the rest is plain arithmetic. */
const kinds: readonly (readonly [RegExp, InstructionKind])[] = [
  [/^(vldr[bhwd]?|vld[24]\d?)\.(s|u|i)?(8|16|32|64)$|^vld[24]/, "vectorLoad"],
  [/^vstr[bhw]\.|^vst[24]/, "vectorStore"],
  [
    /^v(ml[as]|mul|qdmul|qrdmul|qdml|qrdml|rmul|mlal|mlsl)[a-z]*\.[su]\d|^v(mlal?da|mlsda|mladav|mlaldav|rmlaldav|addv|addlv)/,
    "vectorMultiply",
  ],
  [/^(vldm|vpop)/, "loadMultiple"],
  [/^(vstm|vpush)/, "storeMultiple"],
  [/^vldr/, "load"],
  [/^vstr/, "store"],
  [/^v(div|sqrt)\.f/, "floatDivide"],
  [/^vf?n?m(la|ls|a|s)\.f/, "floatMultiplyAdd"],
  [/^v[a-z]+(\.[suif]\d+)*\.f\d|^v(mov|mrs|cmpe?|abs|neg|cvt[a-z]*)(\.f32|\.f64)?$|^vcvt|^vmov/, "float"],
  [/^v|^letp|^asrl|^lsll|^lsrl|^sqrshrl|^uqrshll/, "vector"],
  [/^(ldm|pop)/, "loadMultiple"],
  [/^(stm|push)/, "storeMultiple"],
  [/^ldrd/, "loadMultiple"],
  [/^strd/, "storeMultiple"],
  [/^ldr/, "load"],
  [/^str/, "store"],
  [/^[su]div/, "divide"],
  [/^(umull|smull|umlal|smlal|umaal|smlsld|smlald)/, "longMultiply"],
  [/^(mul|mla|mls|smul|smla|smls|smml|smmul|smuad|smusd|smlad|smlsd)/, "multiply"],
  [new RegExp(`^(b|bl|blx|bx|cbz|cbnz|tbb|tbh|le|wls|wlstp|dls|dlstp)(${conditions})?$`), "branch"],
];

/** Instructions that may be conditional within an IT block, and may set flags. */
const conditional =
  "adc|add|and|asr|bic|eor|ldr[bh]?|lsl|lsr|mla|mls|mov|mul|mvn|neg|orr|rsb|ror|sbc|str[bh]?|sub|[su]xt[bh]";
const setsFlags = new RegExp(`^(cmp|cmn|tst|teq|(${conditional})s)$`);
const readsFlags = new RegExp(`^(b(${conditions})|adcs?|sbcs?|rrx|(${conditional}|cmp)(${conditions}))$`);
const accumulates = /^(mla|mls|smla|smmla|smls|smmls|umlal|smlal|umaal)/;
const onlyWrites = /^(mov|mvn|ldr|ldm|pop|vldr|vmov|sxt|uxt|rev|clz|rbit|adr)/;
const noResult =
  /^(str|stm|push|cmp|cmn|tst|teq|b|bl|blx|bx|cbz|cbnz|tbb|tbh|it|nop|vstr|vst|vpush|vcmp|vctp|vpst|vpt|le)/;

/** What a load or store of several registers moves. */
const listOf = (operands: string): readonly number[] =>
  operands.includes("{") ? registersIn(operands.slice(operands.indexOf("{"))) : registersIn(operands).slice(0, 2);

function decode(address: number, mnemonicText: string, operands: string): Omit<Instruction, "isShort"> {
  const mnemonic = mnemonicText.replace(/\.[nw]$/, "");
  const kind = kinds.find(([pattern]) => pattern.test(mnemonic))?.[1] ?? "alu";
  const all = registersIn(operands);
  const list = kind === "loadMultiple" || kind === "storeMultiple" ? listOf(operands) : null;
  const isLong = kind === "longMultiply";
  const results = kind === "loadMultiple" ? (list ?? []) : noResult.test(mnemonic) ? [] : all.slice(0, isLong ? 2 : 1);
  const sources = kind === "loadMultiple" ? all.filter((r) => !results.includes(r)) : all.slice(results.length);
  // Forms such as `adds r0, #1` read what they write.
  const readsResult = results.length > 0 && sources.length < 2 && !onlyWrites.test(mnemonic);
  return {
    address,
    mnemonic,
    kind,
    registers: list?.length ?? 1,
    reads: [...sources, ...(readsResult ? results : []), ...(readsFlags.test(mnemonic) ? [flags] : [])],
    writes: [...results, ...(setsFlags.test(mnemonic) ? [flags] : [])],
    accumulator: accumulates.test(mnemonic) ? ((isLong ? all[0] : all.at(-1)) ?? -1) : -1,
  };
}

/** The instructions of `objdump -d --no-show-raw-insn` by address. */
export function parseDisassembly(text: string): ReadonlyMap<number, Instruction> {
  const decoded: Omit<Instruction, "isShort">[] = [];
  for (const line of text.split("\n")) {
    const [, address, mnemonic, operands = ""] = /^\s*([0-9a-f]+):\s+(\.?[a-z][\w.]*)\s*(.*)$/.exec(line) ?? [];
    if (address === undefined || mnemonic === undefined) continue;
    decoded.push(decode(Number.parseInt(address, 16), mnemonic, operands.replace(/[;@<].*$/, "")));
  }
  return new Map(
    decoded.map((instruction, i) => {
      const isShort = (decoded[i + 1]?.address ?? 0) - instruction.address === 2;
      return [instruction.address, { ...instruction, isShort }] as const;
    }),
  );
}
