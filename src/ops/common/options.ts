import type { OptionField } from "../spec.js";


/** A field of an options table under construction: int32 unless said otherwise. */
export const int32 = (name: string, fallback = 0): OptionField => [name, "int32", fallback];
export const int8 = (name: string, fallback = 0): OptionField => [name, "int8", fallback];
export const bool = (name: string): OptionField => [name, "bool", false];
export const float = (name: string): OptionField => [name, "float", 0];

/** The options of an operator that has none. */
export const noOptions = { tag: 0, fields: [] } as const;
