import { bytesOf, type DType, type TensorData, toBytes } from "../base/dtype.js";
import { arrayDefinition } from "./c.js";

/** The constants of one model, equal ones stored once. */
export interface ConstantPool {
  /** The C name of the array with these contents; `label` says what it is for. */
  readonly add: (label: string, dtype: DType, data: TensorData) => string;
  readonly definitions: () => string;
  readonly bytes: () => number;
}

/** A pool whose arrays are named `<prefix>_<label>_<number>`. */
export function constantPool(prefix: string): ConstantPool {
  const byContent = new Map<string, string>();
  const definitions: string[] = [];
  let bytes = 0;
  return {
    add: (label, dtype, data) => {
      const key = `${dtype}:${data.length}:${Buffer.from(toBytes(dtype, data)).toString("latin1")}`;
      const known = byContent.get(key);
      if (known !== undefined) return known;
      const name = `${prefix}_${label}_${byContent.size}`;
      byContent.set(key, name);
      definitions.push(arrayDefinition(name, dtype, data));
      bytes += bytesOf(dtype, data.length);
      return name;
    },
    definitions: () => definitions.join("\n"),
    bytes: () => bytes,
  };
}
