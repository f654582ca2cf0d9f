/**
 * A checked reader of FlatBuffers (https://flatbuffers.dev/internals/): every access is bounds-checked and every
 * vector charged to a budget, so that a hostile file can neither read outside itself nor make a small file expand
 * without end by pointing at the same bytes many times. Problems are thrown as CorruptFile and become diagnostics.
 */
export class CorruptFile extends Error {
  override readonly name = "CorruptFile";
}

/** The bytes of a file and how much may still be read from them. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  budget: number;
}

/** A source over a file's bytes; its budget is a generous multiple of the size. */
export const sourceOf = (bytes: Uint8Array): Source => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  budget: 16 * bytes.byteLength + (1 << 20),
});

function charge(source: Source, bytes: number): void {
  source.budget -= bytes;
  if (source.budget < 0) throw new CorruptFile("the same bytes are referred to over and over");
}

function need(source: Source, position: number, bytes: number): number {
  if (!(position >= 0 && bytes >= 0 && position + bytes <= source.bytes.length)) {
    throw new CorruptFile(`${bytes} bytes at ${position} of a file of ${source.bytes.length}`);
  }
  return position;
}

const uint32At = (source: Source, position: number): number => source.view.getUint32(need(source, position, 4), true);

/** Follows a relative offset. */
const follow = (source: Source, position: number): number => position + uint32At(source, position);

/** A table: fields by slot number, with the default where a field is absent. */
export interface Table {
  readonly has: (slot: number) => boolean;
  readonly int8: (slot: number, fallback?: number) => number;
  readonly uint8: (slot: number, fallback?: number) => number;
  readonly bool: (slot: number) => boolean;
  readonly int32: (slot: number, fallback?: number) => number;
  readonly uint32: (slot: number, fallback?: number) => number;
  /** Values past 2^53 lose precision, which no valid offset or size has. */
  readonly uint64: (slot: number) => number;
  readonly float: (slot: number, fallback?: number) => number;
  readonly string: (slot: number) => string | null;
  readonly table: (slot: number) => Table | null;
  readonly tables: (slot: number) => readonly Table[];
  readonly bytes: (slot: number) => Uint8Array | null;
  readonly int32s: (slot: number) => readonly number[];
  readonly int64s: (slot: number) => readonly number[];
  readonly floats: (slot: number) => readonly number[];
}

interface Vector {
  readonly start: number;
  readonly length: number;
}

function vectorAt(source: Source, position: number, elementBytes: number): Vector {
  const at = follow(source, position);
  const length = uint32At(source, at);
  need(source, at + 4, length * elementBytes);
  charge(source, length * elementBytes + 4);
  return { start: at + 4, length };
}

const decoder = new TextDecoder();

/** The table at `position`. */
function tableAt(source: Source, position: number): Table {
  const vtable = position - source.view.getInt32(need(source, position, 4), true);
  const vtableBytes = source.view.getUint16(need(source, vtable, 4), true);
  charge(source, 8);
  /** Position of a field's inline bytes, or 0 if it is absent. */
  const at = (slot: number, bytes: number): number => {
    const entry = 4 + 2 * slot;
    if (entry + 2 > vtableBytes) return 0;
    const offset = source.view.getUint16(need(source, vtable + entry, 2), true);
    return offset === 0 ? 0 : need(source, position + offset, bytes);
  };
  const vector = (slot: number, elementBytes: number): Vector => {
    const p = at(slot, 4);
    return p === 0 ? { start: 0, length: 0 } : vectorAt(source, p, elementBytes);
  };
  const list = <T>(slot: number, elementBytes: number, read: (position: number) => T): readonly T[] => {
    const { start, length } = vector(slot, elementBytes);
    return Array.from({ length }, (_, i) => read(start + i * elementBytes));
  };
  const scalar =
    <T>(bytes: number, read: (position: number) => T) =>
    (slot: number, fallback: T): T => {
      const p = at(slot, bytes);
      return p === 0 ? fallback : read(p);
    };
  const { view } = source;
  const int8 = scalar(1, (p) => view.getInt8(p));
  const uint8 = scalar(1, (p) => view.getUint8(p));
  const int32 = scalar(4, (p) => view.getInt32(p, true));
  const uint32 = scalar(4, (p) => view.getUint32(p, true));
  const float = scalar(4, (p) => view.getFloat32(p, true));
  const uint64 = scalar(8, (p) => Number(view.getBigUint64(p, true)));
  const bytes = (slot: number): Uint8Array | null => {
    if (at(slot, 4) === 0) return null;
    const { start, length } = vector(slot, 1);
    return source.bytes.subarray(start, start + length);
  };
  return {
    has: (slot) => at(slot, 1) !== 0,
    int8: (slot, fallback = 0) => int8(slot, fallback),
    uint8: (slot, fallback = 0) => uint8(slot, fallback),
    bool: (slot) => uint8(slot, 0) !== 0,
    int32: (slot, fallback = 0) => int32(slot, fallback),
    uint32: (slot, fallback = 0) => uint32(slot, fallback),
    uint64: (slot) => uint64(slot, 0),
    float: (slot, fallback = 0) => float(slot, fallback),
    string: (slot) => {
      const raw = bytes(slot);
      return raw === null ? null : decoder.decode(raw);
    },
    table: (slot) => {
      const p = at(slot, 4);
      return p === 0 ? null : tableAt(source, follow(source, p));
    },
    tables: (slot) => list(slot, 4, (p) => tableAt(source, follow(source, p))),
    bytes,
    int32s: (slot) => list(slot, 4, (p) => view.getInt32(p, true)),
    int64s: (slot) => list(slot, 8, (p) => Number(view.getBigInt64(p, true))),
    floats: (slot) => list(slot, 4, (p) => view.getFloat32(p, true)),
  };
}

/** The root table of a file. */
export const rootTable = (source: Source): Table => tableAt(source, follow(source, 0));
