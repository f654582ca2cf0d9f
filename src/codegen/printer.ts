import type { ConstantPool } from "./constants.js";
import type { CodegenInput } from "./input.js";

/** Collects what the calls of a model refer to. */
export interface Printer {
  readonly input: CodegenInput;
  readonly pool: ConstantPool;
  /** Definitions of params structs and row windows, by text so that equal ones are written once. */
  readonly definitions: Map<string, string>;
  /** Headers that the calls need. */
  readonly sources: Set<string>;
  /** Row functions are for numbered rows without end: all tensors are in rings, and no window leaves its input. */
  readonly endless?: true;
}

/** The name of a definition with this text; `@` in it stands for the name. */
export function define(p: Printer, label: string, text: string): string {
  const known = p.definitions.get(text);
  if (known !== undefined) return known;
  const name = `${p.input.name}_${label}_${p.definitions.size}`;
  p.definitions.set(text, name);
  return name;
}
