/** Bins on each side of zero. */
const half = 4096;

/**
 * Counts of values in equal bins from -limit to limit. The limit is a power of two that doubles when a value lies
 * outside (neighbouring bins merge), so one pass over the data is enough.
 */
export class Histogram {
  readonly counts = new Float64Array(2 * half);
  min = Infinity;
  max = -Infinity;
  /** Values that are not numbers, which have no place. */
  notFinite = 0;
  private limit = 0;

  /** The width of a bin. */
  get width(): number {
    return this.limit / half;
  }

  /** The middle of bin `i`. */
  middle(i: number): number {
    return (i - half + 0.5) * this.width;
  }

  add(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) {
        this.notFinite++;
        continue;
      }
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
      if (Math.abs(value) >= this.limit) this.grow(Math.abs(value));
      const bin = this.limit === 0 ? half : Math.floor((value / this.limit) * half) + half;
      this.counts[bin] = (this.counts[bin] as number) + 1;
    }
  }

  /** What `add` of all values of several histograms would have given, but for the bins' rounding. */
  static merged(parts: readonly Histogram[]): Histogram {
    const whole = new Histogram();
    for (const part of parts) {
      if (part.min > part.max) continue;
      whole.min = Math.min(whole.min, part.min);
      whole.max = Math.max(whole.max, part.max);
      whole.notFinite += part.notFinite;
      whole.grow(part.limit / 2);
      part.counts.forEach((count, i) => {
        if (count === 0) return;
        const bin = whole.limit === 0 ? half : Math.floor((part.middle(i) / whole.limit) * half) + half;
        whole.counts[bin] = (whole.counts[bin] as number) + count;
      });
    }
    return whole;
  }

  private grow(magnitude: number): void {
    if (magnitude === 0) return;
    const limit = 2 ** (Math.floor(Math.log2(magnitude)) + 1);
    if (limit <= this.limit) return;
    const old = this.counts.slice();
    const ratio = this.limit / limit;
    this.counts.fill(0);
    this.limit = limit;
    old.forEach((count, i) => {
      const bin = Math.floor((i - half + 0.5) * ratio) + half;
      if (count > 0) this.counts[bin] = (this.counts[bin] as number) + count;
    });
  }
}
