import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** The folder of Thimble's own package.json, the same from `src/` and from `dist/`. */
export const packageRoot = findPackageRoot();

/** The absolute path of a file shipped under `src/`, such as a C kernel. */
export const assetPath = (relative: string): string => join(packageRoot, "src", relative);

const cache = new Map<string, string>();

/** The text of a file shipped under `src/`. */
export function readAsset(relative: string): string {
  let text = cache.get(relative);
  if (text === undefined) {
    text = readFileSync(assetPath(relative), "utf8");
    cache.set(relative, text);
  }
  return text;
}

/** Thimble's own version, from package.json. */
export const version: string = (
  JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string }
).version;
