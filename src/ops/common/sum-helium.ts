import { requantize } from "../../base/fixedpoint.js";

/** The fields of th_sum_helium_params, from those of th_sum_dsp_params, whose sums are doubled. */
export const heliumFields = (f: Readonly<Record<string, number>>): Record<string, number> => {
  const [offset1, left, offset2, add, right] = [f["offset1"], f["left"], f["offset2"], f["add"], f["out_right"]].map(
    Number,
  );
  return {
    n: Number(f["n"]),
    offset1: (offset1 as number) / 2,
    factor1: 2 ** 19,
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

type Fields = Readonly<Record<string, number>>;

/** True if the second input, its sign changed, is rescaled to what it was, its sign changed. */
export function isOdd(f: Fields): boolean {
  const [factor, offset, multiplier, right] = [f["factor2"], f["offset2"], f["multiplier2"], f["right2"]].map(
    Number,
  ) as [number, number, number, number];
  return Array.from({ length: 256 }, (_, i) => (i - 128) * factor + offset).every(
    (x) => requantize(-x, multiplier, -right) === -requantize(x, multiplier, -right),
  );
}

/** The fields of a difference: what is subtracted is the second of the node's inputs. @param first the node's first in order */
export const negated = (f: Fields, first: 0 | 1): Record<string, number> => {
  const i = first === 0 ? 2 : 1;
  const change = (name: string): number => 0 - Number(f[name]);
  return { ...f, [`factor${i}`]: change(`factor${i}`), [`offset${i}`]: change(`offset${i}`) };
};
