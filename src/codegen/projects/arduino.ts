import { version } from "../../base/assets.js";
import { arduinoProgram } from "./programs.js";
import {
  arenasOf,
  lineBanner,
  modelFiles,
  type ProjectFiles,
  type ProjectInput,
  portsOf,
  ramBytes,
} from "./project.js";

/** `PersonDetect` of `person_detect`: how Arduino's examples are called. */
const pascalCase = (name: string): string =>
  name
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");

/**
 * Arduino wants an address that a person can visit. A generated library has none of its own until its owner publishes
 * it, so this is the domain that is reserved for such places (RFC 2606).
 */
const homepage = "https://example.org/";

/** Fields of `library.properties` in the order of Arduino's library specification. */
function libraryProperties(input: ProjectInput): string {
  const { name, constantBytes } = input.generated;
  const fields: readonly (readonly [string, string])[] = [
    ["name", name],
    ["version", version],
    ["author", "thimble"],
    ["maintainer", "thimble"],
    ["sentence", `The neural network ${name} in plain C.`],
    [
      "paragraph",
      `Needs ${ramBytes(input)} bytes of RAM and ${constantBytes} bytes of constants; no heap, no other library.`,
    ],
    ["category", "Data Processing"],
    ["url", homepage],
    ["architectures", "*"],
    ["includes", `${name}.h`],
  ];
  return `${lineBanner(input, `${name} as an Arduino library.`)}${fields.map(([key, value]) => `${key}=${value}\n`).join("")}`;
}

/** Words that Arduino's editor colours; word and class are parted by one tab. */
function keywords(input: ProjectInput): string {
  const { name } = input.generated;
  const ports = portsOf(input);
  const { pushed, hopRows } = input.generated.layout;
  const calls = pushed === null ? ["invoke"] : hopRows === null ? ["begin", "push_rows", "finish"] : ["push_hop"];
  const functions = [
    ...["init", ...calls].map((call) => `${name}_${call}`),
    ...ports.filter((p) => !p.pushed).map((p) => p.accessor),
  ];
  const literals = [
    ...arenasOf(input).flatMap((arena) => [`${arena.macro}_BYTES`, `${arena.macro}_ALIGNMENT`]),
    ...ports.flatMap((p) => [
      `${p.macro}_ELEMENTS`,
      ...(p.quantized ? [`${p.macro}_SCALE`, `${p.macro}_ZERO_POINT`] : []),
    ]),
  ];
  const lines = [...functions.map((f) => `${f}\tKEYWORD2\n`), ...literals.map((l) => `${l}\tLITERAL1\n`)];
  return `${lineBanner(input, `Names of ${name}.h.`)}${lines.join("")}`;
}

/** An Arduino library with one example sketch, for any board that has the memory. */
export function writeArduino(input: ProjectInput): ProjectFiles {
  const sketch = pascalCase(input.generated.name);
  return new Map([
    ["library.properties", libraryProperties(input)],
    ["keywords.txt", keywords(input)],
    ...modelFiles(input, "src/"),
    [`examples/${sketch}/${sketch}.ino`, arduinoProgram(input, "nothing")],
  ]);
}
