/** Mean and population variance of each channel, the last axis; in double, in two passes. */
export function batchStatistics(
  x: ArrayLike<number>,
  channels: number,
): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  const count = x.length / channels;
  for (let i = 0; i < x.length; i++) mean[i % channels] = (mean[i % channels] as number) + (x[i] as number) / count;
  for (let i = 0; i < x.length; i++) {
    const away = (x[i] as number) - (mean[i % channels] as number);
    variance[i % channels] = (variance[i % channels] as number) + (away * away) / count;
  }
  return { mean, variance };
}
