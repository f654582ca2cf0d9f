import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../src/base/assets.js";

/** The rooms of docs/ARCHITECTURE.md and the rooms each may import from besides itself. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  base: [],
  ir: ["base"],
  ops: ["base", "ir"],
  nets: ["base", "ir", "ops"],
  formats: ["base", "ir", "ops"],
  run: ["base", "ir", "ops"],
  passes: ["base", "ir", "ops", "run"],
  quantize: ["base", "ir", "ops", "run", "passes"],
  plan: ["base", "ir", "ops"],
  boards: ["base", "ir", "ops", "plan"],
  cost: ["base", "ir", "ops"],
  codegen: ["base", "ir", "ops", "plan", "boards"],
  verify: ["base", "ir", "run", "codegen"],
  data: ["base"],
  frontends: ["base", "ir", "ops"],
  train: ["base", "ir", "ops", "formats", "run", "passes", "nets", "data"],
  app: [
    "base",
    "ir",
    "ops",
    "train",
    "nets",
    "formats",
    "run",
    "passes",
    "quantize",
    "plan",
    "boards",
    "cost",
    "codegen",
    "verify",
    "data",
    "frontends",
  ],
};

/** Files outside every room: the package's own index. */
const outside = ["index.ts"];

const source = join(packageRoot, "src");

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((f) => f.endsWith(".ts"))
  .map((f) => f.replaceAll("\\", "/"));

const roomOf = (file: string): string => file.split("/")[0] ?? "";

/** Relative imports of a file, as paths under src/. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(source, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, path]) =>
    relative(source, join(source, dirname(file), path ?? ""))
      .replaceAll("\\", "/")
      .replace(/\.js$/, ".ts"),
  );
}

describe("rooms", () => {
  it("every file is in a room", () => {
    expect(files.filter((f) => !outside.includes(f) && rooms[roomOf(f)] === undefined)).toEqual([]);
  });

  it("imports go downwards only", () => {
    const wrong = files
      .filter((f) => !outside.includes(f))
      .flatMap((file) => {
        // A test may reach for whatever it needs to test with.
        if (file.endsWith(".test.ts")) return [];
        const allowed = [roomOf(file), ...(rooms[roomOf(file)] ?? [])];
        return importsOf(file)
          .filter((i) => !allowed.includes(roomOf(i)))
          .map((i) => `${file} imports ${i}`);
      });
    expect(wrong).toEqual([]);
  });

  it("no two files import each other, directly or in a circle", () => {
    const graph = new Map(files.map((f) => [f, importsOf(f).filter((i) => files.includes(i))]));
    const state = new Map<string, "open" | "done">();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === "done") return;
      if (state.get(file) === "open") {
        circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
        return;
      }
      state.set(file, "open");
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, "done");
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it("an operator's folder is imported by the registry and by its own files alone", () => {
    const wrong = files
      .filter((f) => !f.endsWith(".test.ts") && f !== "ops/index.ts")
      .flatMap((file) =>
        importsOf(file)
          .filter((i) => /^ops\/[a-z0-9_]+\//.test(i) && !i.startsWith("ops/common/") && dirname(i) !== dirname(file))
          .map((i) => `${file} imports ${i}`),
      );
    expect(wrong).toEqual([]);
  });
});
