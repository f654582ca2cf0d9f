/** Reads the little that is needed of a 32-bit little-endian ELF executable. Source: the ELF specification, TIS 1.2. */
import { invariant } from "../base/assert.js";

/** A piece of the file that is loaded to a physical address. */
export interface ElfSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What an executable holds. */
export interface ElfFile {
  readonly entry: number;
  readonly segments: readonly ElfSegment[];
  /** Bytes that the image takes in flash: code, constants, and the initial values of data. */
  readonly flashBytes: number;
  /** Bytes of writable sections: .data and .bss. */
  readonly ramBytes: number;
  /** Symbol name to value, functions and plain labels alike; a Thumb function's value has bit 0 set. */
  readonly symbols: ReadonlyMap<string, number>;
}

interface Section {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

const loadSegment = 1;
const symbolTable = 2;
const noBits = 8;
const writable = 1;
const allocated = 2;

function readSections(view: DataView): readonly Section[] {
  const [start, entryBytes, count] = [view.getUint32(32, true), view.getUint16(46, true), view.getUint16(48, true)];
  return Array.from({ length: count }, (_, i) => {
    const word = (index: number) => view.getUint32(start + i * entryBytes + index * 4, true);
    return { type: word(1), flags: word(2), offset: word(4), size: word(5), link: word(6) };
  });
}

function readSegments(file: Uint8Array, view: DataView): readonly ElfSegment[] {
  const [start, entryBytes, count] = [view.getUint32(28, true), view.getUint16(42, true), view.getUint16(44, true)];
  const segments: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const word = (index: number) => view.getUint32(start + i * entryBytes + index * 4, true);
    const [type, offset, address, fileBytes] = [word(0), word(1), word(3), word(4)];
    if (type === loadSegment && fileBytes > 0) {
      segments.push({ address, bytes: file.subarray(offset, offset + fileBytes) });
    }
  }
  return segments;
}

function readSymbols(file: Uint8Array, view: DataView, sections: readonly Section[]): ReadonlyMap<string, number> {
  const symbols = new Map<string, number>();
  for (const section of sections) {
    const strings = sections[section.link];
    if (section.type !== symbolTable || strings === undefined) continue;
    for (let at = section.offset; at < section.offset + section.size; at += 16) {
      const from = strings.offset + view.getUint32(at, true);
      const name = Buffer.from(file.subarray(from, file.indexOf(0, from))).toString("latin1");
      if (name !== "") symbols.set(name, view.getUint32(at + 4, true));
    }
  }
  return symbols;
}

/** Parses an executable that our own linker wrote; anything else is a fault of ours, an InternalError. */
export function parseElf(file: Uint8Array): ElfFile {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const little32 = file.length > 52 && view.getUint32(0, false) === 0x7f454c46 && file[4] === 1 && file[5] === 1;
  invariant(little32, "not a 32-bit little-endian ELF file");
  const sections = readSections(view);
  const held = sections.filter((section) => section.flags & allocated);
  const total = (of: readonly Section[]) => of.reduce((sum, section) => sum + section.size, 0);
  return {
    entry: view.getUint32(24, true),
    segments: readSegments(file, view),
    flashBytes: total(held.filter((section) => section.type !== noBits)),
    ramBytes: total(held.filter((section) => section.flags & writable)),
    symbols: readSymbols(file, view, sections),
  };
}

/** The function whose code holds `address`, for reports of faults, or null. */
export function functionAt(elf: ElfFile, address: number): string | null {
  let best: string | null = null;
  let bestStart = -1;
  for (const [name, value] of elf.symbols) {
    const start = value - (value & 1);
    if (value & 1 && start <= address && start > bestStart) [best, bestStart] = [name, start];
  }
  return best;
}
