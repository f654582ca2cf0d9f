/**
 * Fills a mask of dropout (Srivastava et al. 2014): 0 with a probability of `rate`, in [0, 1), rounded to 1/65536, and else
 * the inverse of the probability to stay, so that sums keep their mean. The same seed gives the same mask.
 *
 * Two values of each word of a counter's hash (mulberry32's), without branches: masks are as large as activations, and
 * what fills them competes with the training step for processors.
 */
export function fillDropoutMask(mask: Float32Array, rate: number, seed: number): void {
  const dropped = Math.round(rate * 65536);
  const values = Float32Array.of(65536 / (65536 - dropped), 0);
  const length = mask.length;
  let state = seed | 0;
  for (let i = 0; i < length; i += 2) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    t ^= t >>> 14;
    // The sign of a difference chooses: 1 where the half is less than what is dropped.
    mask[i] = values[((t & 0xffff) - dropped) >>> 31] as number;
    // Beyond the end of an odd length, nothing is stored.
    mask[i + 1] = values[((t >>> 16) - dropped) >>> 31] as number;
  }
}
