/** A value of the replay: a tensor as it was last computed. */
export type ValueId = number;

/** Bytes that hold one value: byte p of it is at address `origin` + p. */
interface Segment {
  readonly start: number;
  readonly end: number;
  readonly value: ValueId;
  readonly origin: number;
}

/**
 * Which byte of which value every address of an arena holds, as a sorted list of segments, so that its cost depends on
 * the number of buffers and not on their size.
 */
export interface MemoryMap {
  /** Bytes `from` up to `from + bytes` of `value` now lie at `address`. */
  readonly write: (address: number, bytes: number, value: ValueId, from?: number) => void;
  /** True if all of those bytes still lie there. */
  readonly holds: (address: number, bytes: number, value: ValueId, from?: number) => boolean;
}

/** An arena that holds nothing yet. */
export function memoryMap(): MemoryMap {
  let segments: Segment[] = [];
  /** The segments that touch [start, end), in order. */
  const touching = (start: number, end: number): readonly Segment[] =>
    segments.filter((s) => s.start < end && start < s.end);
  return {
    write: (address, bytes, value, from = 0) => {
      const end = address + bytes;
      if (bytes === 0) return;
      const kept = segments.flatMap((s) => {
        if (s.end <= address || end <= s.start) return [s];
        // What sticks out on either side stays.
        const before = s.start < address ? [{ ...s, end: address }] : [];
        const after = end < s.end ? [{ ...s, start: end }] : [];
        return [...before, ...after];
      });
      // Rows of a value that follow each other are one segment.
      const origin = address - from;
      const same = (s: Segment): boolean => s.value === value && s.origin === origin;
      const before = kept.find((s) => s.end === address && same(s));
      const after = kept.find((s) => s.start === end && same(s));
      const grown = { start: before?.start ?? address, end: after?.end ?? end, value, origin };
      segments = [...kept.filter((s) => s !== before && s !== after), grown].sort((a, b) => a.start - b.start);
    },
    holds: (address, bytes, value, from = 0) => {
      let covered = address;
      for (const s of touching(address, address + bytes)) {
        if (s.start > covered || s.value !== value || s.origin !== address - from) return false;
        covered = s.end;
      }
      return covered >= address + bytes;
    },
  };
}
