/** Fields of th_sum_m0_params from those of th_sum_dsp_params, which sum.ts finds. */
export function armv6mFields(f: Readonly<Record<string, number>>): Record<string, number> {
  const of = (name: string): number => f[name] as number;
  const left = of("left");
  return {
    n: of("n"),
    zero1: -of("offset1") / 2 ** 20,
    zero2: -of("offset2") / 2 ** left,
    low2: of("multiplier2") & 0xffff,
    high2: of("multiplier2") >> 16,
    left2: left,
    half2: of("half2"),
    right2: of("right2"),
    out_low: of("out_multiplier") & 0xffff,
    out_high: of("out_multiplier") >> 16,
    add: of("add"),
    out_right: of("out_right"),
    min: of("min"),
    max: of("max"),
  };
}
