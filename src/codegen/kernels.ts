import { existsSync } from "node:fs";
import { basename, dirname } from "node:path/posix";
import { InternalError } from "../base/assert.js";
import { assetPath, readAsset, version } from "../base/assets.js";

const common = "ops/common";

/** Kernels are the same for every model, so that several share one folder: their head names no model. */
const kernelBanner = `/* Kernel of thimble ${version}, Apache-2.0. */\n`;

function resolve(include: string, from: string): string {
  const beside = `${dirname(from)}/${include}`;
  if (existsSync(assetPath(beside))) return beside;
  const shared = `${common}/${include}`;
  if (existsSync(assetPath(shared))) return shared;
  throw new InternalError(`${from} includes ${include}, which is neither beside it nor in ${common}`);
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
