import { writeArduino } from "./arduino.js";
import { writeCmake } from "./cmake.js";
import { writePlain } from "./plain.js";
import { writePlatformio } from "./platformio.js";
import type { ProjectFiles, ProjectInput } from "./project.js";
import { writeZephyr } from "./zephyr.js";

export type { ProjectFiles, ProjectInput } from "./project.js";

/** The kinds of project, each with the function that writes it. */
const writers = {
  c: writePlain,
  cmake: writeCmake,
  arduino: writeArduino,
  platformio: writePlatformio,
  zephyr: writeZephyr,
} as const satisfies Record<string, (input: ProjectInput) => ProjectFiles>;

/** What `--as` takes. */
export type ProjectKind = keyof typeof writers;

/** Every kind of project. */
export const projectKinds = Object.keys(writers) as readonly ProjectKind[];

/**
 * The files of a project that its tool builds without edits, with an example that runs one inference. Every file
 * begins with a banner in a comment, where its format has comments.
 */
export const writeProject = (kind: ProjectKind, input: ProjectInput): ProjectFiles => writers[kind](input);
