import { join } from "node:path";
import { fail } from "../../base/diagnostics.js";
import type { Augmentation } from "../../data/augment.js";
import { zoo, zooEntry } from "../../nets/zoo.js";
import type { EpochMetrics, TrainProgress } from "../../train/trainer.js";
import { loadModel } from "../files.js";
import { checkWritable } from "../output.js";
import { renderTrain } from "../report/train.js";
import type { Network } from "../train.js";
import { trainModel } from "../train-model.js";
import { type Command, type Console, json } from "./command.js";
import { dataOptions, datasetOption, preparationOption } from "./data-options.js";
import {
  choiceOption,
  jsonOption,
  listOption,
  modelOptions,
  numberOption,
  type RawOptions,
  textOption,
} from "./options.js";

/** The network that is asked for: one of the zoo, or a float model that goes on learning; and what the results are called. */
function networkOption(
  path: string | undefined,
  options: RawOptions,
): { readonly network: Network; readonly name: string } {
  const net = textOption(options, "net");
  const width = numberOption(options, "width", "positive");
  if ((net === undefined) === (path === undefined))
    fail("TH6003", {
      found: net === undefined ? "neither a model nor --net" : "a model and --net",
      expected: `one of them; --net is one of ${Object.keys(zoo).join(", ")}`,
      fix: "see --help",
    });
  if (net !== undefined) zooEntry(net);
  if (path === undefined)
    return { network: { net: net ?? "", ...(width === undefined ? {} : { width }) }, name: net ?? "" };
  if (width !== undefined)
    fail("TH6003", { found: "--width with a model", expected: "--width with --net", fix: "leave out --width" });
  const model = loadModel(path, modelOptions(options));
  return { network: { graph: model.main }, name: model.name };
}

/** At most a message in so many milliseconds. */
const messageEveryMs = 1000;

function progressOf(console: Console) {
  let last = 0;
  return {
    onEpoch: (m: EpochMetrics): void => {
      const accuracy = m.validationAccuracy === null ? "" : `, ${(100 * m.validationAccuracy).toFixed(2)}% correct`;
      const validation = m.validationLoss === null ? "" : `, validation ${m.validationLoss.toFixed(4)}${accuracy}`;
      const speed = `${Math.round(m.samplesPerSecond)} examples/s`;
      console.note(`epoch ${m.epoch + 1}: loss ${m.trainLoss.toFixed(4)}${validation}, ${speed}`);
    },
    onProgress: (p: TrainProgress): void => {
      if (performance.now() - last < messageEveryMs || !process.stderr.isTTY) return;
      last = performance.now();
      const left = `${Math.floor(p.secondsLeft / 60)}:${String(Math.floor(p.secondsLeft % 60)).padStart(2, "0")}`;
      console.progress(`epoch ${p.epoch + 1}, loss ${p.loss.toFixed(3)}, ${left} left`, p.step, p.steps);
    },
  };
}

export const trainCommand: Command = {
  usage: "train [model]",
  summary: "Train a network or go on training a float model, quantize it, and score what the firmware will compute",
  options: [
    ["--net <name>", Object.keys(zoo).join(", ")],
    ...dataOptions,
    ["--width <factor>", "multiplies the network's channels (default: 1)"],
    ["--board <ids>", "boards that the model is to fit; checked before training"],
    ["--out <folder>", "the folder to write (default: <net or model>-trained)"],
    ["--epochs <n>", "passes over the data; 0 with a model leaves it as it is (default: 20)"],
    ["--batch <n>", "examples of a step (default: 64, or all where they are fewer)"],
    ["--rate <x>", "the learning rate at its peak (default: 0.002)"],
    ["--optimizer <name>", "adamw or sgd (momentum 0.9) (default: adamw)"],
    ["--augment <json>", "random changes of examples, or @file.json"],
    ["--qat <epochs>", "epochs of quantization-aware training after the float ones (default: 0: post-training)"],
    ["--weights <bits>", "8 or 4 (default: 8)"],
    ["--patience <n>", "end after so many epochs without a better validation loss"],
    ["--seed <n>", "everything random follows from it (default: 1)"],
    ["--provider <names>", "execution providers of ONNX Runtime, in order, such as cuda,cpu (default: cpu)"],
    ["--resume", "go on from the checkpoint in --out"],
  ],
  examples: [
    `thimble train --net ds-cnn --data digits/ --board arduino-nano-33-ble`,
    `thimble train --net resnet-8 --data fashion-mnist/ --epochs 15 --augment '[{"kind":"shift","pixels":2},{"kind":"flip"}]'`,
    "thimble train float.onnx --data fashion-mnist/ --epochs 0 --qat 3 --weights 4",
    "thimble train --net tcn --data gestures/ --window 119 --qat 5 --weights 4",
  ],
  run: async ([path], options, console) => {
    const { network, name } = networkOption(path, options);
    const whole = (name: string): number | undefined => numberOption(options, name, "whole");
    const given = Object.fromEntries(
      Object.entries({
        epochs: whole("epochs"),
        batch: numberOption(options, "batch", "positive whole"),
        rate: numberOption(options, "rate", "positive"),
        patience: numberOption(options, "patience", "positive whole"),
        seed: whole("seed"),
        qatEpochs: whole("qat"),
        boards: listOption(options, "board"),
        augmentation: jsonOption(options, "augment", '[{"kind":"shift","pixels":2}]') as Augmentation | undefined,
      }).filter(([, value]) => value !== undefined),
    );
    const sgd = choiceOption(options, "optimizer", ["adamw", "sgd"], "adamw") === "sgd";
    const weightBits = choiceOption(options, "weights", ["8", "4"], "8") === "4" ? 4 : 8;
    const out = textOption(options, "out") ?? `${name}-trained`;
    checkWritable(out, "folder");
    const providers = listOption(options, "provider");
    const dataset = datasetOption(options, console);
    const report = await trainModel({
      ...given,
      name: name.toLowerCase().replaceAll(/[^a-z0-9]/g, "_"),
      dataset,
      network,
      weightBits,
      out,
      checkpoint: join(out, "checkpoint.bin"),
      ...(providers ? { runtime: { providers } } : {}),
      resume: options["resume"] === true ? "if-there" : "never",
      ...(sgd ? { optimizer: { kind: "sgd", momentum: 0.9, nesterov: true, weightDecay: 5e-4 } } : {}),
      ...preparationOption(options, dataset),
      onStage: console.note,
      ...progressOf(console),
    });
    const misfit = "misfits" in report;
    return { output: options["json"] ? json(report) : renderTrain(report), exitCode: misfit ? 3 : 0 };
  },
};
