/**
 * An error in Thimble itself, never in the user's input: input problems are diagnostics.
 */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** Throws an InternalError unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

/** Returns `value`, which the caller knows to be present. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new InternalError(`missing ${what}`);
  return value;
}
