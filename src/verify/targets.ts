import { fail } from "../base/diagnostics.js";
import { hostTarget } from "./host.js";
import { qemuCores, qemuTarget } from "./qemu.js";
import { rp2040Target } from "./rp2040.js";
import { type Target, targetNames } from "./target.js";
import { wasmTarget } from "./wasm.js";

/** Every target, in the order of `targetNames`. */
export const targets: readonly Target[] = [
  hostTarget,
  wasmTarget,
  ...qemuCores.map((core) => qemuTarget(core)),
  rp2040Target,
];

/** The target of that name. Throws TH5002 for any other name. */
export function findTarget(name: string): Target {
  const found = targets.find((target) => target.name === name);
  if (found !== undefined) return found;
  return fail("TH5002", { found: JSON.stringify(name), fix: `use one of: ${targetNames.join(", ")}` });
}

/** The targets whose tools are installed here. */
export const availableTargets = (): readonly Target[] => targets.filter((target) => target.missingTool() === null);
