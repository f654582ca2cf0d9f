import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadModel, modelsMissing } from "../bench/goldens.js";
import { build } from "../src/app/api.js";
import { packageRoot } from "../src/base/assets.js";
import { encodeWav } from "../src/data/wav.js";
import { attachFrontend } from "../src/frontends/frontend.js";
import { createSession } from "../src/run/interpreter.js";
import { findTool } from "../src/verify/toolchain.js";

const missing = modelsMissing();
const compiler = findTool("cc") ?? findTool("gcc") ?? findTool("clang");
const folder = mkdtempSync(join(tmpdir(), "thimble-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A picture with edges, gradients and colours, larger than the network's input and not square. */
const picture = { width: 203, height: 131 };
const pixel = (x: number, y: number, c: number): number =>
  ((x * (c + 1) * 3 + y * 5) ^ (x > 90 && y > 40 ? 0x5a : 0)) & 255;

const ppm = (): Buffer => {
  const pixels: number[] = [];
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++) for (let c = 0; c < 3; c++) pixels.push(pixel(x, y, c));
  return Buffer.concat([Buffer.from(`P6\n# a test\n${picture.width} ${picture.height}\n255\n`), Buffer.from(pixels)]);
};

/** What the network sees: the middle square at 96 by 96, as int8. */
function seen(): Int8Array {
  const side = Math.min(picture.width, picture.height);
  const [left, top] = [(picture.width - side) >> 1, (picture.height - side) >> 1];
  const at = (i: number): number => Math.floor(((2 * i + 1) * side) / (2 * 96));
  return Int8Array.from({ length: 96 * 96 * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 288), Math.floor(i / 3) % 96, i % 3];
    return pixel(left + at(x), top + at(y), c) - 128;
  });
}

describe.skipIf(missing !== null || compiler === null)(`examples${missing === null ? "" : `: ${missing}`}`, () => {
  it("the camera pushes a picture line by line and prints the interpreter's scores", async () => {
    const model = loadModel("vww96");
    const out = join(folder, "vww96");
    const options = { optimize: "memory", feed: "pushed", verifyOn: [] } as const;
    await build(model, { ...options, board: "arduino-nano-33-ble", out });
    const program = join(folder, "camera");
    const sources = [join(packageRoot, "examples/camera/main.c"), join(out, "vww96.c")];
    execFileSync(compiler as string, ["-Wall", "-Wextra", "-Werror", "-O1", "-I", out, ...sources, "-o", program]);
    const file = join(folder, "picture.ppm");
    writeFileSync(file, ppm());
    const printed = execFileSync(program, [file], { encoding: "utf8" });
    const [scores] = createSession({ main: model.main, subgraphs: [] }).invoke([seen()]);
    const expected = Array.from(scores as Int8Array, (q) => ((q + 128) / 256).toFixed(3));
    expect(printed).toBe(`no person ${expected[0]}\nperson    ${expected[1]}\n`);
    expect(() => execFileSync(program, [join(out, "vww96.c")], { stdio: "pipe" })).toThrow();
  });

  it("the microphone pushes sound block by block and prints the interpreter's scores", async () => {
    const kws = loadModel("kws");
    const frontend = { kind: "mfcc", sampleRate: 16000, windowMs: 40, hopMs: 20, coefficients: 10 } as const;
    const model = { ...kws, main: attachFrontend(frontend, [16000], kws.main) };
    const out = join(folder, "kws");
    const options = { optimize: "memory", feed: "pushed", verifyOn: [] } as const;
    const { totals } = await build(model, { ...options, board: "arduino-nano-33-ble", out });
    // What examples/README.md says.
    expect(totals.peakBytes).toBeLessThan(6700);
    const program = join(folder, "microphone");
    const sources = [join(packageRoot, "examples/microphone/main.c"), join(out, "kws.c")];
    execFileSync(compiler as string, ["-Wall", "-Wextra", "-Werror", "-O1", "-I", out, ...sources, "-o", program]);
    // A chirp that ends early.
    const sound = Int16Array.from({ length: 16000 }, (_, i) => (i < 12000 ? 9000 * Math.sin(i * i * 1e-5) : 0));
    const file = join(folder, "sound.wav");
    writeFileSync(file, encodeWav(sound.slice(0, 12000), 16000));
    const printed = execFileSync(program, [file], { encoding: "utf8" });
    const [scores] = createSession({ main: model.main, subgraphs: [] }).invoke([sound]);
    const expected = Array.from(scores as Int8Array, (q, i) => `${i} ${((q + 128) / 256).toFixed(8)}\n`);
    expect(printed).toBe(expected.join(""));
    writeFileSync(file, encodeWav(sound, 8000));
    expect(() => execFileSync(program, [file], { stdio: "pipe" })).toThrow();
  });
});
