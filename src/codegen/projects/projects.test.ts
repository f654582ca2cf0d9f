import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { present } from "../../base/assert.js";
import { type DType, elementsOf, makeData, type TensorData } from "../../base/dtype.js";
import { boards, findBoard } from "../../boards/table.js";
import { tensorOf } from "../../ir/graph.js";
import { type OpName, specOf } from "../../ops/index.js";
import { lower } from "../../ops/lower.js";
import { sampleCase } from "../../ops/sample.js";
import { planLayers } from "../../plan/planner.js";
import { createSession } from "../../run/interpreter.js";
import { findTool, runProcess, withTemporaryFolder } from "../../verify/toolchain.js";
import { generateModel } from "../model.js";
import { type ProjectInput, type ProjectKind, projectKinds, writeProject } from "./index.js";

const warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"] as const;
const sha256 = "0123456789abcdef".repeat(4);

/** A command line that would end a comment, continue a line or start a new one if it were printed as it is. */
const commandLine = "thimble build 'a */ b' /* $(CC)\nrm -rf . \\";

/** A project of one operator's sample, chosen by the element type of its output. */
function projectOf(op: OpName, dtype: DType, board: string | null = null): ProjectInput {
  const spec = specOf({ op });
  const sample = present(
    spec.samples.find((s) => s.outputs[0]?.dtype === dtype && s.inputs[0]?.dtype === dtype),
    `sample of ${spec.name} with ${dtype}`,
  );
  const { graph } = sampleCase(spec, sample);
  const nodes = lower(graph);
  const generated = generateModel({
    name: "tiny_net",
    graph,
    nodes,
    plan: planLayers(graph, nodes),
    sha256,
    commandLine,
  });
  return { generated, graph, board: board === null ? null : present(findBoard(board), board), sha256, commandLine };
}

/** What the interpreter computes for an input of real zeros. */
function expectedOutputs({ graph }: ProjectInput): readonly TensorData[] {
  const inputs = graph.inputs.map((id) => {
    const t = tensorOf(graph, id);
    const data = makeData(t.dtype, elementsOf(t.shape));
    return data instanceof BigInt64Array ? data : data.fill(t.quant?.zeroPoints[0] ?? 0);
  });
  return createSession({ main: graph, subgraphs: [] }).invoke(inputs);
}

/** Checks the lines `  [i] value` or `  [i] value = real` that an example printed. */
function expectPrinted(input: ProjectInput, stdout: string): void {
  const lines = [...stdout.matchAll(/^ {2}\[(\d+)\] (\S+)(?: = (\S+))?$/gm)];
  const output = present(expectedOutputs(input)[0], "output");
  const tensor = tensorOf(input.graph, present(input.graph.outputs[0], "output"));
  expect(lines.length, stdout).toBe(Math.min(output.length, 32));
  for (const [i, [, index, value, real]] of lines.entries()) {
    expect(Number(index)).toBe(i);
    if (tensor.dtype === "float32") expect(Number(value)).toBeCloseTo(Number(output[i]), 4);
    else expect(Number(value)).toBe(Number(output[i]));
    if (tensor.quant === null) expect(real).toBeUndefined();
    else {
      const exact = (tensor.quant.scales[0] ?? 0) * (Number(output[i]) - (tensor.quant.zeroPoints[0] ?? 0));
      expect(Number(real)).toBeCloseTo(exact, 4);
    }
  }
}

function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

async function succeed(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  const result = await runProcess(command, args, { cwd });
  expect(result.code, `${command} ${args.join(" ")}\n${result.stdout}${result.stderr}`).toBe(0);
  return result.stdout;
}

/** Writes a project and what `extra` adds beside it, and tells what `run` makes of the folder. */
const inProject = (
  kind: ProjectKind,
  input: ProjectInput,
  extra: Readonly<Record<string, string>>,
  run: (folder: string) => Promise<string>,
): Promise<string> =>
  withTemporaryFolder(async (folder) => {
    writeFiles(folder, new Map([...writeProject(kind, input), ...Object.entries(extra)]));
    return run(folder);
  });

const file = (kind: ProjectKind, input: ProjectInput, path: string): string =>
  present(writeProject(kind, input).get(path), path);

const cc = findTool("gcc", "clang");
const cxx = findTool("g++", "clang++");
const cmake = findTool("cmake");
const make = findTool("make");

/** Every type that the examples print in its own way. */
const models: readonly (readonly [string, ProjectInput])[] = [
  ["int8", projectOf("CONV_2D", "int8")],
  ["int16", projectOf("CONV_2D", "int16")],
  ["float32", projectOf("CONV_2D", "float32")],
  ["float32 with math.h", projectOf("SOFTMAX", "float32")],
];

describe("all kinds", () => {
  test.each(projectKinds)("%s: files begin with the banner in a comment and stay in the folder", (kind) => {
    for (const board of [null, "nrf52840-dk", "esp32-c6-devkitc", "frdm-k64f"]) {
      for (const [path, text] of writeProject(kind, projectOf("CONV_2D", "int8", board))) {
        expect(path).toMatch(/^(?!\/)(?!.*\.\.)[\w./-]+$/);
        if (path.endsWith(".json") || path.includes("thimble/")) continue;
        const head = text.split("\n").slice(0, 5);
        expect(head.join("\n"), path).toContain(sha256);
        expect(head.join("\n"), path).toMatch(/Generated by thimble \d+\.\d+\.\d+/);
        const mark = /\.(c|h|cpp|ino)$/.test(path) ? /^\/\*$|^ \*/ : path.endsWith(".ini") ? /^; / : /^# /;
        for (const line of head.slice(0, 3)) expect(line, path).toMatch(mark);
        expect(text.endsWith("\n"), path).toBe(true);
      }
    }
  });
});

describe.skipIf(cc === null || make === null)("c (needs make and a C compiler)", () => {
  test.each(models)("%s: make run", async (_name, input) => {
    const stdout = await inProject("c", input, {}, (folder) =>
      succeed(folder, present(make, "make"), "-s", `CC=${cc}`, `CFLAGS=-O1 ${warnings.join(" ")}`, "run"),
    );
    expectPrinted(input, stdout);
  });
});

describe.skipIf(cmake === null)("cmake (needs cmake)", () => {
  const build = async (folder: string, ...options: readonly string[]): Promise<void> => {
    await succeed(folder, present(cmake, "cmake"), "-S", ".", "-B", "build", ...options);
    await succeed(folder, present(cmake, "cmake"), "--build", "build");
  };

  test.each([models[0], models[3]].map((m) => present(m, "model")))("%s: alone", async (_name, input) => {
    const stdout = await inProject("cmake", input, {}, async (folder) => {
      await build(folder, `-DCMAKE_C_FLAGS=${warnings.join(" ")}`);
      return succeed(folder, join(folder, "build", "tiny_net_example"));
    });
    expectPrinted(input, stdout);
  });

  test("by add_subdirectory, where the header is found and no example is built", async () => {
    const input = projectOf("CONV_2D", "int8");
    const parent = `cmake_minimum_required(VERSION 3.13)\nproject(parent C)\nadd_subdirectory(net)\nadd_executable(app app.c)\ntarget_link_libraries(app PRIVATE tiny_net)\nif(TARGET tiny_net_example)\n  message(FATAL_ERROR example)\nendif()\n`;
    const app = `#include "tiny_net.h"\n#include <stdio.h>\nstatic double arena[TINY_NET_ARENA_BYTES / 8 + 1];\nint main(void)\n{\n    tiny_net_init(arena);\n    tiny_net_invoke(arena);\n    puts("ran");\n    return 0;\n}\n`;
    const stdout = await withTemporaryFolder(async (folder) => {
      const net = [...writeProject("cmake", input)].map(([path, text]) => [`net/${path}`, text] as const);
      writeFiles(folder, new Map([...net, ["CMakeLists.txt", parent], ["app.c", app]]));
      await build(folder);
      return succeed(folder, join(folder, "build", "app"));
    });
    expect(stdout).toBe("ran\n");
  });

  test("a model called like one of CMake's own targets", () => {
    const input = projectOf("CONV_2D", "int8");
    const text = file("cmake", { ...input, generated: { ...input.generated, name: "test" } }, "CMakeLists.txt");
    expect(text).toContain("add_library(test_model STATIC src/test.c)");
  });
});

/** As much of Arduino's core as the sketch uses, over stdio; `loop` runs once. */
const fakeArduino = `#include <cstdint>
#include <cstdio>
#define HEX 16
inline unsigned long now;
inline unsigned long micros() { return now += 5; }
inline unsigned long millis() { return now += 1000; }
inline void delay(unsigned long) {}
struct FakeSerial {
    explicit operator bool() const { return false; }
    void begin(unsigned long) {}
    void print(const char *s) { std::fputs(s, stdout); }
    void print(int v, int base = 10) { std::printf(base == HEX ? "%x" : "%d", static_cast<unsigned>(v)); }
    void print(unsigned v, int base = 10) { std::printf(base == HEX ? "%x" : "%u", v); }
    void print(long v) { std::printf("%ld", v); }
    void print(unsigned long v) { std::printf("%lu", v); }
    void print(double v, int digits = 2) { std::printf("%.*f", digits, v); }
    template <typename... T> void println(T... v) { print(v...); std::puts(""); }
};
inline FakeSerial Serial;
void setup();
void loop();
`;

async function runArduino(folder: string, sketch: string, library: string): Promise<string> {
  await succeed(
    folder,
    present(cc, "cc"),
    "-std=c99",
    ...warnings,
    "-c",
    `-I${library}`,
    `${library}/tiny_net.c`,
    "-o",
    "net.o",
  );
  const options = ["-std=c++17", "-Wall", "-Wextra", "-Werror", `-I${library}`, "-I.", "-include", "Arduino.h"];
  await succeed(
    folder,
    present(cxx, "c++"),
    ...options,
    "-x",
    "c++",
    "main.cpp",
    sketch,
    "-x",
    "none",
    "net.o",
    "-lm",
    "-o",
    "app",
  );
  return succeed(folder, join(folder, "app"));
}

/** The sketch is one translation unit, the program that calls it another. */
const arduinoMain = {
  "Arduino.h": `#pragma once\n${fakeArduino}`,
  "main.cpp": "int main() { setup(); loop(); return 0; }\n",
};

describe("arduino", () => {
  test.skipIf(cc === null || cxx === null).each(models)("%s: the sketch runs", async (_name, input) => {
    const stdout = await inProject("arduino", input, arduinoMain, (folder) =>
      runArduino(folder, "examples/TinyNet/TinyNet.ino", "src"),
    );
    expectPrinted(input, stdout);
    expect(stdout).toContain("inference: 5 us\n");
  });

  test("library.properties has the fields that Arduino requires, one line each", () => {
    const lines = file("arduino", projectOf("CONV_2D", "int8"), "library.properties").trimEnd().split("\n");
    const fields = new Map(
      lines.filter((l) => !l.startsWith("#")).map((l) => [l.slice(0, l.indexOf("=")), l.slice(l.indexOf("=") + 1)]),
    );
    for (const key of ["author", "maintainer", "sentence", "paragraph", "url"])
      expect(fields.get(key), key).toMatch(/\S/);
    expect(fields.get("name")).toMatch(/^[A-Za-z0-9][\w .-]{0,62}$/);
    expect(fields.get("version")).toMatch(/^\d+\.\d+\.\d+/);
    expect(fields.get("category")).toBe("Data Processing");
    expect(fields.get("architectures")).toBe("*");
    expect(fields.get("includes")).toBe("tiny_net.h");
  });

  test("keywords.txt separates by one tab and names what the header has", () => {
    const input = projectOf("CONV_2D", "int8");
    const header = present(input.generated.files.get("tiny_net.h"), "header");
    const lines = file("arduino", input, "keywords.txt")
      .trimEnd()
      .split("\n")
      .filter((l) => !l.startsWith("#"));
    expect(lines.length).toBeGreaterThan(6);
    for (const line of lines) {
      const [word, kind, ...rest] = line.split("\t");
      expect(header).toMatch(new RegExp(`\\b${word}\\b`));
      expect(["KEYWORD2", "LITERAL1"]).toContain(kind);
      expect(rest).toEqual([]);
    }
  });
});

/** Sections of an ini file; fails on a line that is neither a section, a key nor a comment. */
function parseIni(text: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const sections: Record<string, Record<string, string>> = {};
  let current: Record<string, string> | undefined;
  for (const line of text.split("\n").filter((l) => l !== "" && !l.startsWith(";"))) {
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    const pair = /^(\w+) = (.+)$/.exec(line);
    if (section !== undefined) current = sections[section] = {};
    else present(current, `section before ${line}`)[present(pair?.[1], line)] = present(pair?.[2], line);
  }
  return sections;
}

/** What Zephyr has of the functions that the sample calls, where it has them now and where it had them before 3.1. */
const fakeZephyr = {
  "fake/zephyr/kernel.h": `#include <stdint.h>\nstatic inline uint32_t k_cycle_get_32(void)\n{\n    static uint32_t now;\n    return now += 640;\n}\nstatic inline uint32_t k_cyc_to_us_floor32(uint32_t cycles)\n{\n    return cycles / 64;\n}\n`,
  "fake/zephyr/sys/printk.h": `#include <stdio.h>\n#define printk(...) printf(__VA_ARGS__)\n`,
};

const oldZephyr = {
  "old/zephyr.h": fakeZephyr["fake/zephyr/kernel.h"],
  "old/sys/printk.h": fakeZephyr["fake/zephyr/sys/printk.h"],
};

const compileC = async (
  folder: string,
  sources: readonly string[],
  ...includes: readonly string[]
): Promise<string> => {
  await succeed(
    folder,
    present(cc, "cc"),
    "-std=c11",
    ...warnings,
    ...includes.map((i) => `-I${i}`),
    ...sources,
    "-lm",
    "-o",
    "app",
  );
  return succeed(folder, join(folder, "app"));
};

describe("platformio", () => {
  test.each(boards.map((b) => [b.id, b] as const))("%s: platformio.ini and the framework's files", (_id, board) => {
    const files = writeProject("platformio", { ...projectOf("CONV_2D", "int8"), board });
    const ini = parseIni(present(files.get("platformio.ini"), "platformio.ini"));
    const framework = board.platformio?.framework ?? null;
    if (board.platformio === null) expect(ini).toEqual({ "env:native": { platform: "native" } });
    else
      expect(ini[`env:${board.id}`]).toMatchObject({
        platform: board.platformio.platform,
        board: board.platformio.board,
        framework,
      });
    expect(files.has("src/main.cpp")).toBe(framework === "arduino");
    expect(files.has("zephyr/prj.conf")).toBe(framework === "zephyr");
    expect(files.has("src/CMakeLists.txt")).toBe(framework === "espidf");
    const library = JSON.parse(present(files.get("lib/tiny_net/library.json"), "library.json"));
    expect(library).toMatchObject({ name: "tiny_net", headers: "tiny_net.h", frameworks: "*", platforms: "*" });
    expect(library.description).toContain(sha256);
  });

  test.skipIf(cc === null || cxx === null)("the programs of all frameworks run", async () => {
    const library = "lib/tiny_net/src";
    const net = `${library}/tiny_net.c`;
    const arduino = projectOf("CONV_2D", "int8", "nrf52840-dk");
    expectPrinted(
      arduino,
      await inProject("platformio", arduino, arduinoMain, (f) => runArduino(f, "src/main.cpp", library)),
    );
    const native = projectOf("SOFTMAX", "float32");
    expectPrinted(native, await inProject("platformio", native, {}, (f) => compileC(f, ["src/main.c", net], library)));
    const idf = projectOf("CONV_2D", "int8", "esp32-c6-devkitc");
    const start = { "start.c": "void app_main(void);\nint main(void)\n{\n    app_main();\n    return 0;\n}\n" };
    expectPrinted(
      idf,
      await inProject("platformio", idf, start, (f) => compileC(f, ["src/main.c", "start.c", net], library)),
    );
    const zephyr = projectOf("CONV_2D", "int8", "frdm-k64f");
    for (const [headers, folder] of [
      [fakeZephyr, "fake"],
      [oldZephyr, "old"],
    ] as const) {
      expectPrinted(
        zephyr,
        await inProject("platformio", zephyr, headers, (f) => compileC(f, ["src/main.c", net], library, folder)),
      );
    }
    expect(file("platformio", projectOf("SOFTMAX", "float32", "frdm-k64f"), "zephyr/prj.conf")).toContain(
      "CONFIG_NEWLIB_LIBC=y",
    );
  });
});

type Yaml = string | readonly string[] | { readonly [key: string]: Yaml };

/** The YAML that the writers use: nested maps, and lists of scalars. Fails on anything else. */
function parseYaml(text: string): Yaml {
  const lines = text.split("\n").filter((l) => l !== "" && !l.startsWith("#"));
  const indentOf = (line: string | undefined): number =>
    line === undefined ? -1 : line.length - line.trimStart().length;
  const block = (): Yaml => {
    const indent = indentOf(lines[0]);
    const items: string[] = [];
    const map: Record<string, Yaml> = {};
    while (indentOf(lines[0]) === indent) {
      const line = present(lines.shift(), "line").trim();
      const item = /^- "?([^"]+)"?$/.exec(line);
      const pair = /^([\w.]+):(?: (.+))?$/.exec(line);
      if (item) items.push(present(item[1], line));
      else if (indentOf(lines[0]) > indent && pair?.[2] === undefined) map[present(pair?.[1], line)] = block();
      else map[present(pair?.[1], line)] = present(pair?.[2], `value in ${line}`);
    }
    return items.length > 0 ? items : map;
  };
  const parsed = block();
  expect(lines).toEqual([]);
  return parsed;
}

describe("zephyr", () => {
  const input = projectOf("CONV_2D", "int8", "nrf5340-dk");

  test("module.yml, Kconfig and CMakeLists.txt name the same things", () => {
    expect(parseYaml(file("zephyr", input, "zephyr/module.yml"))).toEqual({
      name: "thimble_tiny_net",
      build: { cmake: ".", kconfig: "Kconfig" },
    });
    expect(file("zephyr", input, "Kconfig")).toMatch(/^config THIMBLE_TINY_NET\n\tbool "/m);
    expect(file("zephyr", input, "Kconfig")).not.toContain("REQUIRES_FULL_LIBC");
    expect(file("zephyr", projectOf("SOFTMAX", "float32"), "Kconfig")).toContain("\tselect REQUIRES_FULL_LIBC\n");
    const lists = file("zephyr", input, "CMakeLists.txt");
    expect(lists).toContain("if(CONFIG_THIMBLE_TINY_NET)");
    const files = writeProject("zephyr", input);
    for (const [, source] of lists.matchAll(/zephyr_library_sources\((.+)\)/g))
      expect(files.has(present(source, "source"))).toBe(true);
    expect(file("zephyr", input, "samples/tiny_net/prj.conf")).toContain("CONFIG_THIMBLE_TINY_NET=y\n");
  });

  test("sample.yaml names the board, or native_sim", () => {
    const platforms = (i: ProjectInput): unknown => {
      const yaml = parseYaml(file("zephyr", i, "samples/tiny_net/sample.yaml")) as Readonly<
        Record<string, Readonly<Record<string, Yaml>>>
      >;
      expect(Object.keys(yaml)).toEqual(["sample", "common", "tests"]);
      return yaml["tests"]?.["sample.thimble.tiny_net"];
    };
    expect(platforms(input)).toEqual({ integration_platforms: ["nrf5340dk/nrf5340/cpuapp"] });
    expect(platforms({ ...input, board: null })).toEqual({ integration_platforms: ["native_sim"] });
  });

  test.skipIf(cc === null)("the sample runs, and prints what sample.yaml waits for", async () => {
    const sources = ["samples/tiny_net/src/main.c", "src/tiny_net.c"];
    const stdout = await inProject("zephyr", input, fakeZephyr, (f) => compileC(f, sources, "include", "src", "fake"));
    expectPrinted(input, stdout);
    expect(stdout).toMatch(/^inference: 10 us$/m);
  });
});
