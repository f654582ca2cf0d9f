import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { QuantizeReport } from "../src/app/quantize.js";
import type { TrainModelReport } from "../src/app/train-report.js";
import type { VerifyReport } from "../src/app/verification.js";
import { packageRoot } from "../src/base/assets.js";
import { seededRandom } from "../src/base/random.js";
import { exportOnnx } from "../src/formats/onnx/export/export.js";
import { Network } from "../src/nets/network.js";

const main = join(packageRoot, "dist/src/app/cli/main.js");
let folder = "";

const thimble = (...args: readonly string[]) =>
  new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, NO_COLOR: "1" }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });

/** Gestures of two kinds as CSV, a folder for each: slow and fast waves with noise, on two columns of unlike size. */
function writeGestures(root: string): void {
  const random = seededRandom(11);
  for (const [name, speed] of [
    ["fast", 0.9],
    ["slow", 0.3],
  ] as const) {
    mkdirSync(join(root, name), { recursive: true });
    for (let i = 0; i < 60; i++) {
      const phase = 6 * random.unit();
      const rows = Array.from({ length: 32 }, (_, t) => {
        const wave = Math.sin(speed * t + phase) + 0.3 * random.normal();
        return `${wave.toFixed(4)},${(100 * Math.cos(speed * t + phase) + 20 * random.normal()).toFixed(3)}`;
      });
      writeFileSync(join(root, name, `${i}.csv`), `a,g\n${rows.join("\n")}\n`);
    }
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thimble-train-"));
  writeGestures(join(folder, "gestures"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const common = () => ["--data", join(folder, "gestures"), "--json", "--quiet"];

describe("thimble train and quantize", () => {
  it("train, quantize and score a network, the same for the same seed", { timeout: 240_000 }, async () => {
    const out = join(folder, "trained");
    const args = ["train", "--net", "tcn", "--width", "0.25", "--epochs", "6", "--batch", "8", "--out", out];
    const trained = await thimble(...args, ...common(), "--board", "arduino-nano-33-ble");
    expect(trained.stderr).toBe("");
    expect(trained.code).toBe(0);
    const report = JSON.parse(trained.stdout) as TrainModelReport;
    expect(report.classes).toEqual(["fast", "slow"]);
    expect(report.examples.train + report.examples.validation + report.examples.test).toBe(120);
    expect(report.quantized.value).toBeGreaterThan(0.9);
    expect(Math.abs(report.quantized.value - report.float.value)).toBeLessThanOrEqual(0.1);
    expect(report.history).toHaveLength(6);
    // Columns a hundred times as large as others are brought to one size.
    const { normalization } = report.preparation;
    expect(Math.round((normalization?.scale[0] ?? 0) / (normalization?.scale[1] ?? 1))).toBeGreaterThan(50);
    for (const file of ["model.tflite", "float.tflite", "float.onnx", "labels.txt", "metrics.jsonl", "report.json"])
      expect(existsSync(join(out, file)), file).toBe(true);
    const { quantized: score } = report;
    if (score.kind !== "accuracy") throw new Error("classes have an accuracy");
    const counted = score.confusion.map((row) => row.reduce((a, b) => a + b, 0));
    expect(counted.reduce((a, b) => a + b, 0)).toBe(score.count);
    expect(score.confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)).toBe(score.correct);
    const page = readFileSync(join(out, "report.html"), "utf8");
    // A page of its own: nothing is loaded, every mistake has its picture.
    expect(page).not.toMatch(/<script|src="(?!data:)|href=/);
    expect(page.match(/<figure>/g) ?? []).toHaveLength(score.worst.length);
    expect(page).toContain("validation loss, epoch 6");

    const again = await thimble(...args, ...common());
    expect((JSON.parse(again.stdout) as TrainModelReport).model.sha256).toBe(report.model.sha256);

    for (const file of ["float.tflite", "float.onnx"]) {
      const result = await thimble("quantize", join(out, file), ...common(), "--out", join(folder, "q.tflite"));
      expect(result.stderr).toBe("");
      const quantized = JSON.parse(result.stdout) as QuantizeReport;
      expect(quantized.float.value).toBe(report.float.value);
      expect(quantized.quantized.value).toBeGreaterThan(0.9);
    }
    const verified = await thimble("verify", join(folder, "q.tflite"), "--on", "interpreter,host", "--json");
    expect(verified.code).toBe(0);
  });

  it("makes weights as small as asked, or says that they cannot be", { timeout: 120_000 }, async () => {
    const float = join(folder, "trained", "float.tflite");
    const size = async (...more: readonly string[]): Promise<QuantizeReport> => {
      const out = join(folder, "small.tflite");
      const result = await thimble("quantize", float, ...common(), "--out", out, "--observer", "min-max", ...more);
      expect(result.stderr).toBe("");
      return JSON.parse(result.stdout) as QuantizeReport;
    };
    const whole = await size();
    const limit = Math.round(whole.flashBytes * 0.85);
    const small = await size("--flash", String(limit));
    expect(small.flashBytes).toBeLessThanOrEqual(limit);
    expect(small.layers.filter((l) => l.bits === 4).length).toBeGreaterThan(0);
    expect(small.layers.some((l) => l.bits === 8)).toBe(true);
    expect(await size("--weights", "4", "--flash", "100KB")).toMatchObject({ weightBits: 4, layers: [] });
    for (const more of [[], ["--activations", "int16"], ["--weights", "4"]]) {
      const none = await thimble("quantize", float, ...common(), "--flash", "0", "--observer", "min-max", ...more);
      expect(none.code).toBe(1);
      expect(none.stderr).toContain("TH7005");
    }
  });

  it.each([
    ["--activations int16 --weights 4", "int16 activations"],
    ["--activations int16 --weights auto", "int16 activations"],
    ["--max-loss 1", "a greatest loss with weights of 8 bits"],
    ["--max-loss 1 --weights auto --flash 5KB", "a greatest loss with a limit of flash"],
    ["--evaluate 0", "--evaluate 0"],
  ])("refuses choices that do not go together: %s", async (choices, found) => {
    const float = join(folder, "trained", "float.tflite");
    const refused = await thimble("quantize", float, ...common(), ...choices.split(" "));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("TH6003");
    expect(refused.stderr).toContain(found);
  });

  it("trains with quantization in the loop, to 4 bits", { timeout: 120_000 }, async () => {
    const args = ["train", "--net", "tcn", "--width", "0.25", "--epochs", "5", "--batch", "8", "--qat", "3"];
    const result = await thimble(...args, "--weights", "4", "--out", join(folder, "qat"), ...common());
    expect(result.stderr).toBe("");
    const report = JSON.parse(result.stdout) as TrainModelReport;
    expect(report.history).toHaveLength(8);
    expect(report.quantized.value).toBeGreaterThan(0.85);
  });

  it("trains what gives back its inputs, and scores it by them", { timeout: 240_000 }, async () => {
    const out = join(folder, "autoencoder");
    const args = ["train", "--net", "autoencoder", "--epochs", "30", "--batch", "16", "--width", "0.5"];
    const trained = await thimble(...args, "--out", out, ...common());
    expect(trained.stderr).toBe("");
    const { float, quantized } = JSON.parse(trained.stdout) as TrainModelReport;
    expect(float.kind).toBe("mean squared error");
    // Columns have a deviation of 1: giving their means would have an error of 1.
    expect(float.value).toBeLessThan(0.5);
    expect(Math.abs(quantized.value - float.value)).toBeLessThan(0.01);
    const quantize = async (...more: readonly string[]) => {
      const to = join(folder, "q.tflite");
      const result = await thimble("quantize", join(out, "float.tflite"), "--out", to, ...more, ...common());
      expect(result.stderr).toBe("");
      return JSON.parse(result.stdout) as QuantizeReport;
    };
    const again = await quantize("--reconstruct");
    expect(again.float.value).toBeCloseTo(float.value, 6);
    // Outputs that are no classes are compared with those of the float network.
    const against = await quantize();
    expect(against.evaluated.against).toBe("float network");
    expect(against.float.value).toBeLessThan(1e-10);
    expect(against.quantized.value).toBeLessThan(0.01);
    const other = await thimble(
      "train",
      join(out, "float.onnx"),
      "--epochs",
      "0",
      "--out",
      join(folder, "y"),
      ...common(),
    );
    expect(other.stderr).toContain("TH6002");
  });

  it("trains a recurrent network, which TensorFlow Lite has no operator for", { timeout: 240_000 }, async () => {
    const out = join(folder, "recurrent");
    const args = ["train", "--net", "gru-kws", "--width", "0.1", "--epochs", "8", "--batch", "8", "--rate", "0.01"];
    const trained = await thimble(...args, "--qat", "2", "--out", out, ...common());
    expect(trained.stderr).toBe("");
    const report = JSON.parse(trained.stdout) as TrainModelReport;
    expect(report.model.format).toBe("thimble");
    expect(report.history).toHaveLength(10);
    expect(report.quantized.value).toBeGreaterThan(0.9);
    for (const file of ["float.thimble", "float.onnx"]) {
      const to = join(folder, "q.thimble");
      const result = await thimble("quantize", join(out, file), ...common(), "--out", to);
      expect(result.stderr).toBe("");
      const quantized = JSON.parse(result.stdout) as QuantizeReport;
      expect(quantized.floating).toEqual([]);
      expect(quantized.float.value).toBe(report.float.value);
      expect(quantized.quantized.value).toBeGreaterThan(0.9);
      const verified = await thimble("verify", to, "--on", "interpreter,host,cortex-m4", "--json");
      expect(verified.code, verified.stderr).toBe(0);
    }
    const wrong = await thimble("quantize", join(out, "float.onnx"), ...common(), "--out", join(folder, "q.tflite"));
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/TH1012[\s\S]*GRU[\s\S]*\.thimble/);
  });

  it("goes on with a float model, softmax or not, and leaves it as it is for no epochs", {
    timeout: 180_000,
  }, async () => {
    const net = new Network("soft");
    const logits = net.dense(net.dense(net.input([64]), 24, { activation: "relu" }), 2);
    writeFileSync(join(folder, "soft.onnx"), exportOnnx(net.graph([net.activation(logits, "softmax")])));
    const out = join(folder, "soft");
    const args = ["train", join(folder, "soft.onnx"), "--batch", "8", "--out", out, ...common()];
    const learnt = JSON.parse((await thimble(...args, "--epochs", "8", "--rate", "0.01")).stdout) as TrainModelReport;
    expect(learnt.quantized.value).toBeGreaterThan(0.85);
    const kept = await thimble(
      "train",
      join(out, "float.onnx"),
      "--epochs",
      "0",
      "--out",
      join(folder, "kept"),
      ...common(),
    );
    expect(kept.stderr).toBe("");
    const report = JSON.parse(kept.stdout) as TrainModelReport;
    expect(report.history).toEqual([]);
    expect(report.float.value).toBe(learnt.float.value);
    // Probabilities still come out.
    const text = await thimble("inspect", join(out, "model.tflite"), "--text");
    expect(text.stdout).toContain("SOFTMAX");
    const three = await thimble("train", "--net", "tcn", join(out, "float.onnx"), ...common());
    expect(three.code).toBe(2);
  });

  it("refuses a model for other classes", async () => {
    const net = new Network("five");
    writeFileSync(join(folder, "five.onnx"), exportOnnx(net.graph([net.dense(net.input([64]), 5)])));
    const result = await thimble("train", join(folder, "five.onnx"), "--out", join(folder, "five"), ...common());
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/TH6002[\s\S]*2 classes/);
  });

  it("verifies what was trained on real examples, from the signal on", { timeout: 180_000 }, async () => {
    const recipe = join(folder, "recipe.json");
    writeFileSync(recipe, JSON.stringify({ kind: "imu-features", fullScale: [4, 400], bands: 2 }));
    const out = join(folder, "features");
    const front = ["--frontend", `@${recipe}`, ...common()];
    const trained = await thimble("train", "--net", "mlp", "--epochs", "5", "--batch", "8", "--out", out, ...front);
    expect(trained.stderr).toBe("");
    for (const [file, samples, runs] of [
      ["model-with-frontend.thimble", "all", (JSON.parse(trained.stdout) as TrainModelReport).examples.test],
      ["model.tflite", "5", 5],
    ] as const) {
      const result = await thimble(
        "verify",
        join(out, file),
        "--on",
        "interpreter,host",
        "--samples",
        samples,
        ...front,
      );
      expect(result.code).toBe(0);
      const report = JSON.parse(result.stdout) as VerifyReport;
      expect(report.runs).toBe(runs);
      expect(report.targets.map((t) => t.identical)).toEqual([true, true]);
    }
  });

  it("refuses a network that would not fit before training it", async () => {
    const args = ["train", "--net", "mobilenet-v2", "--board", "arduino-uno-r4-wifi", "--out", join(folder, "no")];
    const result = await thimble(...args, ...common());
    expect(result.code).toBe(3);
    expect(JSON.parse(result.stdout)).toHaveProperty("misfits");
    expect(existsSync(join(folder, "no"))).toBe(false);
  });

  it("says what is wrong with options and data, all at once", async () => {
    writeFileSync(join(folder, "gestures", "fast", "bad.csv"), "a,g\n1,2\n3,nan\n");
    const bad = await thimble("train", "--net", "tcn", ...common());
    rmSync(join(folder, "gestures", "fast", "bad.csv"));
    expect(bad.code).toBe(1);
    expect(bad.stderr).toMatch(/TH6016[\s\S]*bad\.csv/);
    expect((await thimble("train", ...common())).code).toBe(2);
    expect((await thimble("train", "--net", "tcn", "--augment", "[{", ...common())).stderr).toContain("TH6003");
    for (const wrong of [
      ["--rate", "0"],
      ["--width", "0"],
      ["--image", "8x8"],
      ["--frontend", "mfcc"],
    ]) {
      const refused = await thimble("train", "--net", "tcn", ...wrong, ...common());
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("TH6003");
    }
    const unknown = join(folder, "unknown");
    expect((await thimble("train", "--net", "nothing", "--out", unknown, ...common())).stderr).toContain("TH7001");
    expect(existsSync(unknown)).toBe(false);
    const elsewhere = await thimble(
      "train",
      "--net",
      "mlp",
      "--provider",
      "abacus",
      "--out",
      join(folder, "x"),
      ...common(),
    );
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toMatch(/TH5001[\s\S]*abacus/);
    expect(existsSync(join(folder, "x"))).toBe(false);
    const twice = await thimble("quantize", join(folder, "trained", "model.tflite"), ...common());
    expect(twice.stderr).toContain("TH7002");
  });
});
