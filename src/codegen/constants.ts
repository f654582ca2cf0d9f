import { bytesOf, type DType, type TensorData, toBytes } from "../base/dtype.js";
import { arrayDefinition, commentText } from "./c.js";

/** The constants of one model, equal ones stored once. */
export interface ConstantPool {
  /** The C name of the array with these contents; `label` says what it is for, `note` more in a comment above it. */
  readonly add: (label: string, dtype: DType, data: TensorData, note?: string) => string;
  readonly definitions: () => string;
  readonly bytes: () => number;
}

/** A pool whose arrays are named `<prefix>_<label>_<number>`. */
export function constantPool(prefix: string): ConstantPool {
  const byContent = new Map<string, string>();
  const definitions: string[] = [];
  let bytes = 0;
  return {
    add: (label, dtype, data, note) => {
      const key = `${dtype}:${data.length}:${Buffer.from(toBytes(dtype, data)).toString("latin1")}`;
      const known = byContent.get(key);
      if (known !== undefined) return known;
      const name = `${prefix}_${label}_${byContent.size}`;
      byContent.set(key, name);
      const comment = note === undefined ? "" : `/* ${commentText(note)} */\n`;
      definitions.push(comment + arrayDefinition(name, dtype, data));
      bytes += bytesOf(dtype, data.length);
      return name;
    },
    definitions: () => definitions.join("\n"),
    bytes: () => bytes,
  };
}
