import { existsSync } from "node:fs";
import { basename, dirname } from "node:path/posix";
import { InternalError } from "../base/assert.js";
import { assetPath, readAsset, version } from "../base/assets.js";

/** Where headers lie that others include: what kernels share, and what drives them. */
const folders = ["ops/common", "codegen/runtime"] as const;

/** Kernels are the same for every model, so that several share one folder: their head names no model. */
const kernelBanner = `/* Kernel of thimble ${version}, Apache-2.0. */\n`;

function resolve(include: string, from: string): string {
  const places = [dirname(from), ...folders].map((folder) => `${folder}/${include}`);
  const found = places.find((place) => existsSync(assetPath(place)));
  if (found === undefined) throw new InternalError(`${from} includes ${include}, which is in none of ${places}`);
  return found;
}

/**
 * The kernel headers that `sources` need, with everything they include, as file name -> text. Headers are flat in the
 * generated project, so their names are unique across operators.
 */
export function kernelFiles(sources: Iterable<string>): ReadonlyMap<string, string> {
  const files = new Map<string, { readonly source: string; readonly text: string }>();
  const visit = (source: string): void => {
    const name = basename(source);
    const known = files.get(name);
    if (known !== undefined) {
      if (known.source !== source)
        throw new InternalError(`two kernels are called ${name}: ${known.source}, ${source}`);
      return;
    }
    const text = readAsset(source);
    files.set(name, { source, text });
    for (const [, include] of text.matchAll(/^#include "([^"]+)"/gm)) visit(resolve(include as string, source));
  };
  for (const source of sources) visit(source);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, f]) => [name, kernelBanner + f.text]));
}
