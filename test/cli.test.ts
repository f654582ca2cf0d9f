import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exampleModel } from "../bench/example.js";
import { packageRoot } from "../src/base/assets.js";
import { readNpy, writeNpy } from "../src/base/npy.js";
import { importTflite } from "../src/formats/tflite/import.js";
import { testInputs } from "../src/run/inputs.js";
import { createSession } from "../src/run/interpreter.js";
import { findTarget } from "../src/verify/targets.js";

// The command as a user runs it: `npm run build` has made it.
const main = join(packageRoot, "dist/src/app/cli/main.js");
let folder = "";
let model = "";

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const thimble = (...args: readonly string[]): Promise<Result> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, NO_COLOR: "1" }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thimble-cli-"));
  model = join(folder, "ds_cnn.tflite");
  writeFileSync(model, exampleModel());
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("thimble inspect", () => {
  it("prints a table, and the documented JSON", async () => {
    const table = await thimble("inspect", model);
    expect(table.code).toBe(0);
    expect(table.stdout).toContain("DEPTHWISE_CONV_2D");
    expect(table.stdout).toMatch(/peak RAM +6,156 B at step \d+/);
    const { code, stdout, stderr } = await thimble("inspect", model, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      schemaVersion: 1,
      model: { name: "ds_cnn", format: "tflite" },
      totals: {
        macs: 2656768,
        parameters: 22604,
        peakBytes: 6156,
        arenaBytes: 6156,
        inputBytes: 490,
        outputBytes: 12,
      },
      plan: { strategy: "rows", feed: "resident", recomputedMacs: 0 },
    });
    expect(report.layers).toHaveLength(13);
    expect(report.layers[0]).toMatchObject({
      index: 0,
      name: "conv0",
      op: "CONV_2D",
      outputShape: [1, 25, 5, 64],
      macs: 320000,
      weightsBytes: 2816,
    });
    expect(report.plan.buffers[0]).toMatchObject({
      tensor: "mfcc",
      offset: expect.any(Number),
      bytes: 490,
      firstStep: 0,
      lastStep: 0,
    });
    expect(report.fits.length).toBeGreaterThanOrEqual(30);
  });

  it.each([
    ["--plan layers", "layers", "resident", 11_916],
    ["--optimize latency", "layers", "resident", 11_916],
    ["--optimize memory --feed pushed", "rows", "pushed", 5_828],
    ["--ram 12KB", "layers", "resident", 11_916],
    ["--ram 11000", "rows", "resident", 11_000],
  ] as const)("%s plans as asked", async (options, strategy, feed, most) => {
    const { plan, totals } = JSON.parse((await thimble("inspect", model, "--json", ...options.split(" "))).stdout);
    expect(plan).toMatchObject({ strategy, feed });
    expect(totals.peakBytes).toBeLessThanOrEqual(most);
  });

  it("exits 3 with the report when a named board is too small", async () => {
    const { code, stdout } = await thimble("inspect", model, "--board", "arduino-uno-r3,arduino-nano-33-ble", "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout).fits.map((f: { fits: boolean }) => f.fits)).toEqual([false, true]);
  });

  it("writes a page that stands alone", async () => {
    const page = join(folder, "page.html");
    expect((await thimble("inspect", model, "--html", page)).code).toBe(0);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("<title>ds_cnn - Thimble</title>");
    expect(html).not.toMatch(/(src|href)=["']?http/);
    expect(html.match(/<rect class="activation"/g)?.length).toBe(10);
  });
});

describe("thimble build", () => {
  it("writes a project that compiles anywhere, with the command in its header", async () => {
    const out = join(folder, "out");
    const { code, stdout } = await thimble(
      "build",
      model,
      "--board",
      "arduino-nano-33-ble",
      "--out",
      out,
      "--verify",
      "host",
      "--json",
    );
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.verification.targets).toMatchObject([{ name: "host", identical: true, mismatches: 0 }]);
    const source = report.files.find((f: string) => f.endsWith("ds_cnn.c"));
    const text = readFileSync(join(out, source), "utf8");
    expect(text).toContain(`thimble build ${model}`);
    expect(text).toContain(report.model.sha256);
  });

  it("replaces its own folder and refuses another's", async () => {
    const out = join(folder, "again");
    const args = ["build", model, "--board", "arduino-nano-33-ble", "--verify", "none", "--out"];
    expect((await thimble(...args, out)).code).toBe(0);
    expect((await thimble(...args, out, "--as", "arduino")).code).toBe(0);
    expect(existsSync(join(out, "library.properties"))).toBe(true);
    const foreign = join(folder, "foreign");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "notes.txt"), "mine");
    const refused = await thimble(...args, foreign);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("TH4002");
    expect(readdirSync(foreign)).toEqual(["notes.txt"]);
  });

  it("writes nothing when the board is too small", async () => {
    const out = join(folder, "small");
    const { code, stdout } = await thimble("build", model, "--board", "arduino-uno-r3", "--out", out);
    expect(code).toBe(3);
    expect(stdout).toContain("does not fit");
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((f) => f.startsWith(".small"))).toEqual([]);
  });
});

describe("thimble verify and run", () => {
  it.skipIf(findTarget("cortex-m4").missingTool() !== null)("compares targets", async () => {
    const { code, stdout } = await thimble("verify", model, "--on", "interpreter,host,cortex-m4", "--json");
    expect(code).toBe(0);
    const { targets } = JSON.parse(stdout);
    expect(targets.map((t: { name: string; identical: boolean }) => [t.name, t.identical])).toEqual([
      ["interpreter", true],
      ["host", true],
      ["cortex-m4", true],
    ]);
    expect(targets[2]).toMatchObject({
      instructions: expect.any(Number),
      stackBytes: expect.any(Number),
      flashBytes: expect.any(Number),
      ramBytes: expect.any(Number),
    });
  });

  it.skipIf(findTarget("cortex-m4").missingTool() !== null)("measures every layer", async () => {
    const args = ["verify", model, "--on", "cortex-m4", "--plan", "layers", "--profile"];
    const { targets } = JSON.parse((await thimble(...args, "--json")).stdout);
    const [{ instructions, cycles, profile }] = targets;
    expect(profile.layers[0]).toMatchObject({ op: "CONV_2D", kernel: "dsp s8", macs: expect.any(Number) });
    const sum = profile.layers.reduce((all: number, l: { instructions: number }) => all + l.instructions, 0);
    expect(Math.abs(sum / instructions - 1)).toBeLessThan(0.001);
    expect(cycles).toBeGreaterThan(instructions);
    expect(profile.mix.multiplies).toBeGreaterThan(0);
    const { stdout } = await thimble(...args, "--isa", "portable");
    expect(stdout).toMatch(/cortex-m4, by layer/);
    expect(stdout).toMatch(/CONV_2D +\S+ +portable s8/);
    // Streamed, a layer that takes its input row by row has its share too.
    const streamed = ["verify", model, "--on", "cortex-m4,rp2040", "--optimize", "memory", "--profile", "--json"];
    for (const target of JSON.parse((await thimble(...streamed)).stdout).targets)
      for (const l of target.profile.layers.filter((layer: { macs: number }) => layer.macs > 0))
        expect(l.instructions, `${target.name} ${l.name}`).toBeGreaterThan(0.3 * l.macs);
  });

  it("reads and writes .npy and raw bytes", async () => {
    const imported = importTflite(exampleModel(), "m");
    const inputs = testInputs(imported.main, 5);
    const expected = createSession(imported).invoke(inputs)[0] as Int8Array;
    const npy = join(folder, "in.npy");
    const raw = join(folder, "in.bin");
    writeFileSync(npy, writeNpy({ dtype: "int8", shape: [1, 49, 10, 1], data: inputs[0] as Int8Array }));
    writeFileSync(raw, inputs[0] as Int8Array);
    expect((await thimble("run", model, "--input", npy, "--out", join(folder, "out.npy"))).code).toBe(0);
    expect(readNpy(readFileSync(join(folder, "out.npy")), "out").data).toEqual(expected);
    const onHost = await thimble("run", model, "--on", "host", "--input", raw, "--json");
    expect(JSON.parse(onHost.stdout).outputs[0].data).toEqual(Array.from(expected));
  });
});

describe("mistakes", () => {
  const cases: readonly (readonly [what: string, args: readonly string[], code: number, says: string])[] = [
    ["no such file", ["inspect", "/nowhere.tflite"], 1, "TH6001"],
    ["not a model", ["inspect", join(packageRoot, "package.json")], 1, "TH1001"],
    ["an unknown command", ["compress", "x"], 2, "unknown command"],
    ["an unknown option", ["inspect", "MODEL", "--colour"], 2, "colour"],
    ["a missing argument", ["inspect"], 2, "model"],
    ["an unknown board", ["inspect", "MODEL", "--board", "arduino-nano"], 2, "TH3002"],
    ["an unknown target", ["verify", "MODEL", "--on", "cortex-m5"], 2, "TH5002"],
    [
      "an unknown project kind",
      ["build", "MODEL", "--board", "arduino-nano-33-ble", "--out", "x", "--as", "rust"],
      2,
      "TH6003",
    ],
    ["an unknown objective", ["inspect", "MODEL", "--optimize", "speed"], 2, "TH6003"],
    ["unknown instructions", ["inspect", "MODEL", "--isa", "mmx"], 2, "TH6003"],
    ["an unknown feed", ["inspect", "MODEL", "--feed", "pulled"], 2, "TH6003"],
    ["an unknown plan", ["inspect", "MODEL", "--plan", "rows"], 2, "TH6003"],
    ["what to do with dead channels", ["inspect", "MODEL", "--dead-channels", "eat"], 2, "TH6003"],
    ["RAM that is no size", ["inspect", "MODEL", "--ram", "much"], 2, "TH6003"],
    ["a hop that is no number", ["inspect", "MODEL", "--incremental", "soon"], 2, "TH6003"],
    ["no board", ["build", "MODEL", "--out", "x"], 2, "--board"],
    ["a wrong input", ["run", "MODEL", "--input", join(packageRoot, "package.json")], 1, "TH6002"],
    [
      "a name that is no identifier",
      ["build", "MODEL", "--board", "arduino-nano-33-ble", "--out", "x", "--name", "9x"],
      2,
      "TH4003",
    ],
  ];
  for (const [what, args, code, says] of cases) {
    it(`${what}: exit ${code}, a sentence on stderr, nothing on stdout, no stack trace`, async () => {
      const result = await thimble(...args.map((a) => (a === "MODEL" ? model : a)));
      expect(result.code).toBe(code);
      expect(result.stderr).toContain(says);
      expect(result.stderr).not.toMatch(/^\s+at /m);
      expect(result.stdout).toBe("");
    });
  }

  it("help names every command with examples, and exits 0", async () => {
    const { code, stdout } = await thimble("--help");
    expect(code).toBe(0);
    for (const command of ["inspect", "build", "verify", "run", "boards"]) expect(stdout).toContain(command);
    expect((await thimble("build", "--help")).stdout).toContain("thimble build kws.tflite");
  });
});
