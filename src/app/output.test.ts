import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkWritable, writeFolder, writeOutputFile } from "./output.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thimble-output-"));
  mkdirSync(join(folder, "there"));
  writeFileSync(join(folder, "file"), "old");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("checkWritable", () => {
  it.each([
    ["file", "file"],
    ["new", "file"],
    ["new/deep/x", "file"],
    ["there", "folder"],
    ["there/new", "folder"],
  ] as const)("allows %s as a %s, and makes nothing", (path, kind) => {
    const before = readdirSync(folder);
    checkWritable(join(folder, path), kind);
    expect(readdirSync(folder)).toEqual(before);
  });

  it.each([
    ["there", "file", "a folder, not a file"],
    ["file", "folder", "is a file, not a folder"],
    ["file/x", "file", "is a file, not a folder"],
    ["file/x/y", "folder", "is a file, not a folder"],
  ] as const)("refuses %s as a %s", (path, kind, reason) => {
    expect(() => checkWritable(join(folder, path), kind)).toThrow(new RegExp(`TH4002[\\s\\S]*${reason}`));
  });

  it("goes by permissions, which bind all but the root user", () => {
    const locked = join(folder, "locked");
    mkdirSync(locked, { mode: 0o500 });
    const check = () => checkWritable(join(locked, "x"), "file");
    if (process.getuid?.() === 0) expect(check).not.toThrow();
    else expect(check).toThrow(/TH4002[\s\S]*EACCES/);
  });
});

describe("writeOutputFile", () => {
  it("replaces a file, makes its folders, and leaves nothing beside it", () => {
    const path = join(folder, "made", "of", "text");
    writeOutputFile(path, "one");
    writeOutputFile(path, Uint8Array.of(50));
    expect(readFileSync(path, "utf8")).toBe("2");
    expect(readdirSync(join(folder, "made", "of"))).toEqual(["text"]);
  });

  it("refuses a folder, and leaves it", () => {
    expect(() => writeOutputFile(join(folder, "there"), "")).toThrow("TH4002");
    expect(readdirSync(join(folder, "there"))).toEqual([]);
  });

  it("writes into what is no plain file", () => {
    writeOutputFile("/dev/null", "gone");
    expect(existsSync("/dev/null.part")).toBe(false);
  });
});

describe("writeFolder", () => {
  it("refuses a file in its place, and leaves it", () => {
    expect(() => writeFolder(join(folder, "file"), new Map([["a", "b"]]))).toThrow("TH4002");
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
  });
});
