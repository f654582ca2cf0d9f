/** A deterministic source of numbers; the same seed gives the same sequence on every machine. */
export interface Random {
  /** A uniform integer in [0, 2^32). */
  uint32(): number;
  /** A uniform number in [0, 1). */
  unit(): number;
  /** A uniform integer in [low, high], both ends included. */
  integer(low: number, high: number): number;
  /** A sample of the standard normal distribution (Box and Muller 1958). */
  normal(): number;
}

/** mulberry32, seeded with any integer. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const unit = (): number => uint32() / 4294967296;
  return {
    uint32,
    unit,
    integer: (low, high) => low + Math.floor(unit() * (high - low + 1)),
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  };
}

/**
 * The xorshift32 byte stream that the reference outputs of the shared models were made with: run `run` fills
 * `length` bytes, each the top byte of the next state.
 */
export function testBytes(run: number, length: number): Uint8Array {
  let x = Math.imul(0x9e3779b9, run + 1) >>> 0;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    x = (x ^ (x << 13)) >>> 0;
    x = (x ^ (x >>> 17)) >>> 0;
    x = (x ^ (x << 5)) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** FNV-1a, 32 bits, as eight hexadecimal digits. */
export function fnv1a(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
