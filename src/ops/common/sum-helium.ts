/** The fields of th_sum_helium_params, from those of th_sum_dsp_params, whose sums are doubled. */
export const heliumFields = (f: Readonly<Record<string, number>>): Record<string, number> => {
  const [offset1, left, offset2, add, right] = [f["offset1"], f["left"], f["offset2"], f["add"], f["out_right"]].map(
    Number,
  );
  return {
    n: Number(f["n"]),
    offset1: (offset1 as number) / 2,
    factor2: 2 ** ((left as number) - 1),
    offset2: (offset2 as number) / 2,
    multiplier2: Number(f["multiplier2"]),
    right2: Number(f["right2"]),
    out_multiplier: Number(f["out_multiplier"]),
    out_right: right as number,
    out_zero: ((add as number) / 2 ** ((right as number) - 1) - 1) / 2,
    min: Number(f["min"]),
    max: Number(f["max"]),
  };
};
