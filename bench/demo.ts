/**
 * `npm run demo`: the whole path on a network that this repository makes itself. Writes the network as a .tflite file,
 * inspects it, compiles it for a board, and proves the C on every target whose tools are here.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { boardOf, build, inspect } from "../src/app/api.js";
import { loadModel } from "../src/app/files.js";
import { renderHtml } from "../src/app/report/html.js";
import { renderInspect } from "../src/app/report/terminal.js";
import { renderBuild } from "../src/app/report/verify.js";
import { packageRoot } from "../src/base/assets.js";
import { findTarget } from "../src/verify/targets.js";
import { exampleModel } from "./example.js";

const board = "arduino-nano-33-ble";
const folder = join(packageRoot, "out/demo");
const here = (path: string): string => relative(process.cwd(), path) || ".";
const say = (text: string): void => void process.stdout.write(`${text}\n`);

mkdirSync(folder, { recursive: true });
const file = join(folder, "ds_cnn.tflite");
writeFileSync(file, exampleModel());
say(
  `A keyword spotter (DS-CNN, seeded weights) written as ${here(file)}\n\n$ thimble inspect ${here(file)} --board ${board}\n`,
);

const model = loadModel(file);
const report = inspect(model, { boards: [board] });
say(renderInspect(report));
writeFileSync(join(folder, "ds_cnn.html"), renderHtml(inspect(model)));

const wanted = ["host", "wasm", "cortex-m0plus", "cortex-m4", "cortex-m55"];
const missing = wanted.map((name) => findTarget(name).missingTool()).filter((d) => d !== null);
const targets = ["interpreter", ...wanted.filter((name) => findTarget(name).missingTool() === null)];
for (const d of missing) process.stderr.write(`not verified there: ${d.found}; ${d.fix}\n`);

const out = join(folder, "arduino");
const command = `thimble build ${here(file)} --board ${boardOf(board).id} --as arduino --out ${here(out)} --verify ${targets.join(",")}`;
say(`$ ${command}\n`);
const built = await build(model, { board, out, as: "arduino", verifyOn: targets, commandLine: command });
say(renderBuild(built));
say(`The memory map: ${here(join(folder, "ds_cnn.html"))}\nThe Arduino library: ${here(out)}`);
process.exitCode = built.out === null ? 1 : 0;
