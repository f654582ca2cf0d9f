/** Values that half a word decides at once, and the sets of them that may be dropped. */
const together = 4;
const setCount = 1 << together;

/**
 * For each of 65536 numbers which of `together` values are dropped, as bits; each set of them as often as independent
 * draws would give it, to the nearest.
 */
function outcomesOf(rate: number): Uint8Array {
  const outcomes = new Uint8Array(65536);
  let [sum, from] = [0, 0];
  for (let set = 0; set < setCount; set++) {
    let p = 1;
    for (let i = 0; i < together; i++) p *= (set >> i) & 1 ? rate : 1 - rate;
    sum += p;
    const to = Math.round(sum * 65536);
    outcomes.fill(set, from, to);
    from = to;
  }
  return outcomes;
}

/** A word of a counter's hash, mulberry32's. */
function hashed(count: number): number {
  let t = Math.imul(count ^ (count >>> 15), count | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return t ^ (t >>> 14);
}

/**
 * Fills a mask of dropout (Srivastava et al. 2014): 0 with a probability of `rate`, in [0, 1), and else 1 / (1 - rate), so
 * that sums keep their mean. The same seed gives the same mask. Rates hold to 1/100000.
 *
 * Masks are as large as activations, and what fills them competes with the training step for processors: so a word gives
 * eight values, by way of a table, and two are stored at a time.
 */
export function fillDropoutMask(mask: Float32Array, rate: number, seed: number): void {
  const outcomes = outcomesOf(rate);
  const kept = Math.fround(1 / (1 - rate));
  const sets = Float32Array.from({ length: together * setCount }, (_, i) =>
    (Math.floor(i / together) >> (i % together)) & 1 ? 0 : kept,
  );
  const pairs = new Float64Array(sets.buffer);
  // A view of pairs needs an aligned beginning.
  const isAligned = mask.byteOffset % 8 === 0;
  const words = Math.ceil(mask.length / 8);
  const whole = isAligned ? mask.length >> 3 : 0;
  const target = new Float64Array(mask.buffer, isAligned ? mask.byteOffset : 0, 4 * whole);
  let state = seed | 0;
  let at = 0;
  for (let i = 0; i < words; i++) {
    state = (state + 0x6d2b79f5) | 0;
    const word = hashed(state);
    const [low, high] = [2 * (outcomes[word & 0xffff] as number), 2 * (outcomes[word >>> 16] as number)];
    if (i < whole) {
      target[at] = pairs[low] as number;
      target[at + 1] = pairs[low + 1] as number;
      target[at + 2] = pairs[high] as number;
      target[at + 3] = pairs[high + 1] as number;
      at += 4;
    } else {
      // Beyond the end, nothing is stored.
      for (let j = 0; j < 8; j++) mask[8 * i + j] = sets[2 * (j < 4 ? low : high) + (j & 3)] as number;
    }
  }
}
