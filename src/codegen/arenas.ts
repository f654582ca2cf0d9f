import type { Buffer, Plan } from "../plan/plan.js";
import { bytesPerAddress } from "../plan/regions.js";

/** The C variable with the address of an arena: `a` for the first, `a1` and so on for others. */
const arenaVariable = (region: number): string => (region === 0 ? "a" : `a${region}`);

/** The address of a buffer as C text. */
export const addressText = ({ region, offset }: Pick<Buffer, "region" | "offset">): string =>
  `${arenaVariable(region)} + ${offset}`;

/** Arenas besides the first, by their number. */
const otherArenas = ({ regions }: Plan): readonly number[] => [...regions.keys()].slice(1);

/** Where the first arena, whose address is the C text `first`, keeps the address of another. */
const addressSlot = (first: string, arena: number): string =>
  arena === 1 ? first : `(${first} + ${bytesPerAddress * (arena - 1)})`;

/** The address of an arena, read from the first one, as C text. */
export const loadText = (first: string, arena: number): string => `*(uint8_t **)(void *)${addressSlot(first, arena)}`;

/** Declarations of the arenas besides the first that some statements name. */
export function arenaLoads(plan: Plan, statements: string): readonly string[] {
  // Traces are nothing in an ordinary build.
  const untraced = statements.replaceAll(/^.*\bTH_TRACE\(.*$/gm, "");
  const names = (text: string, arena: number): boolean => new RegExp(`\\b${arenaVariable(arena)}\\b`).test(text);
  return otherArenas(plan)
    .filter((arena) => names(statements, arena))
    .flatMap((arena) => [
      `    uint8_t *const ${arenaVariable(arena)} = ${loadText("a", arena)};`,
      ...(names(untraced, arena) ? [] : [`    (void)${arenaVariable(arena)};`]),
    ]);
}

/** The statements with the declarations that they need before them. */
export const withArenas = (plan: Plan, statements: string): string =>
  [...arenaLoads(plan, statements), statements].join("\n");

/** The parameters of NAME_init: the address of each arena. */
export const initParameters = (plan: Plan): string =>
  ["void *arena", ...otherArenas(plan).map((arena) => `void *arena_${arena}`)].join(", ");

/** The statements of NAME_init that keep the addresses of the arenas in the first. */
export const keepArenas = (plan: Plan): readonly string[] =>
  otherArenas(plan).flatMap((arena) => [
    `    uint8_t *const ${arenaVariable(arena)} = (uint8_t *)arena_${arena};`,
    `    ${loadText("a", arena)} = ${arenaVariable(arena)};`,
  ]);
