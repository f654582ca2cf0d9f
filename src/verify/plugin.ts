/** Builds the plugins of qemu with the host's C compiler, once per source and qemu generation. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { assetPath, readAsset } from "../base/assets.js";
import { findTool, type ProcessOptions, probe, runProcess } from "./toolchain.js";

/** "count" counts instructions, "profile" tells which ran. */
export type PluginName = "count" | "profile";

const header = "verify/plugin/qemu_plugin.h";

const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "thimble");

/** qemu 9.0 replaced the shared inline counters by scoreboards and refuses older plugins. */
export function pluginApi(qemuVersion: string): 1 | 2 {
  const major = /version (\d+)/.exec(qemuVersion)?.[1];
  return major !== undefined && Number(major) < 9 ? 1 : 2;
}

/** The path of a plugin for this qemu, built if need be; null when there is no C compiler or it fails. */
export async function qemuPlugin(name: PluginName, qemu: string, within: ProcessOptions): Promise<string | null> {
  const cc = findTool("cc", "gcc", "clang");
  if (cc === null) return null;
  const api = pluginApi(probe(qemu, "--version"));
  const source = `verify/plugin/${name}.c`;
  const key = createHash("sha256")
    .update(readAsset(header))
    .update(readAsset(source))
    .update(`${api} ${process.arch}`)
    .digest("hex")
    .slice(0, 16);
  const path = join(cacheFolder(), `${name}-${key}.so`);
  if (existsSync(path)) return path;
  try {
    await mkdir(cacheFolder(), { recursive: true });
    // Built beside and renamed, so that no other process ever loads half of it.
    const beside = `${path}.${process.pid}.${Date.now().toString(36)}`;
    const linking = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
    const args = ["-std=c99", "-O2", "-fPIC", `-DTH_PLUGIN_API=${api}`, ...linking, assetPath(source), "-o", beside];
    const result = await runProcess(cc, args, within);
    if (result.code === 0) await rename(beside, path);
    else await rm(beside, { force: true });
    return result.code === 0 ? path : null;
  } catch (error) {
    within.signal?.throwIfAborted();
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
