import { basename } from "node:path";
import type { ActivationType } from "../../quantize/affine.js";
import { type ObserverName, observers } from "../../quantize/observers.js";
import { prepare } from "../../quantize/quantize.js";
import { loadModel } from "../files.js";
import { checkFormat } from "../model-file.js";
import { checkWritable, writeOutputFile } from "../output.js";
import { quantize } from "../quantize.js";
import { renderQuantize } from "../report/quantize.js";
import { type Command, json } from "./command.js";
import { dataOptions, datasetOption, preparationOption } from "./data-options.js";
import { choiceOption, modelOptions, numberOption, sizeOption, textOption } from "./options.js";

export const quantizeCommand: Command = {
  usage: "quantize <model>",
  summary: "Make a float model an integer one with real data, and score both",
  options: [
    ...dataOptions,
    [
      "--out <file>",
      "the model to write (default: <model>-int8.tflite, .thimble where TensorFlow Lite has no such operators)",
    ],
    ["--activations <type>", "int8 or int16 (default: int8)"],
    ["--weights <bits>", "8, 4, or auto: 4 bits for the layers that bear it (default: 8)"],
    [
      "--observer <name>",
      `how ranges are chosen: ${Object.keys(observers).join(", ")}, or auto: the best (default: auto)`,
    ],
    ["--bias-correction <on|off>", "biases make up for what rounding the weights does on average (default: on)"],
    [
      "--rounding <way>",
      "adaptive: weights up or down so that layers' outputs change least, or nearest (default: adaptive)",
    ],
    [
      "--equalize <on|off|auto>",
      "bring channels between layers to like ranges first; auto: if it helps (default: auto)",
    ],
    ["--flash <size>", "weights and constants may take so much; layers get 4 bits until they fit"],
    ["--max-loss <points>", "for --weights auto: points of accuracy that may be lost (default: 0.5)"],
    ["--calibrate <n>", "training examples to observe (default: 200)"],
    ["--evaluate <n>", "test examples to score (default: all)"],
    ["--seed <n>", "which examples are taken (default: 1)"],
  ],
  examples: [
    "thimble quantize net.tflite --data photos/ --image 96x96",
    "thimble quantize net.onnx --data digits/ --pattern '{label}_{group}_{index}.wav' --split index:0-4 --weights auto",
    "thimble quantize net.tflite --data mnist/ --flash 60KB --out small.tflite",
  ],
  run: async ([path = ""], options, console) => {
    const activations = choiceOption(options, "activations", ["int8", "int16"] as const, "int8") as ActivationType;
    const bits = choiceOption(options, "weights", ["8", "4", "auto"], "8");
    const observer = choiceOption(options, "observer", [...(Object.keys(observers) as ObserverName[]), "auto"], "auto");
    const biasCorrection = choiceOption(options, "bias-correction", ["on", "off"], "on");
    const rounding = choiceOption(options, "rounding", ["adaptive", "nearest"], "adaptive");
    const equalize = choiceOption(options, "equalize", ["on", "off", "auto"], "auto");
    const [calibration, evaluation] = ["calibrate", "evaluate"].map((n) => numberOption(options, n, "positive whole"));
    const seed = numberOption(options, "seed", "whole");
    const [flashBytes, points] = [sizeOption(options, "flash"), numberOption(options, "max-loss", "any")];
    const model = loadModel(path, modelOptions(options));
    const given = textOption(options, "out");
    if (given !== undefined) checkFormat(prepare(model), given);
    checkWritable(given ?? ".", given === undefined ? "folder" : "file");
    const dataset = datasetOption(options, console);
    const { file, format, report } = await quantize(model, {
      dataset,
      activations,
      observer,
      biasCorrection,
      rounding,
      equalize,
      weightBits: bits === "auto" ? "auto" : bits === "4" ? 4 : 8,
      ...preparationOption(options, dataset),
      ...(calibration === undefined ? {} : { calibration }),
      ...(evaluation === undefined ? {} : { evaluation }),
      ...(seed === undefined ? {} : { seed }),
      ...(flashBytes === undefined ? {} : { flashBytes }),
      ...(points === undefined ? {} : { maxLoss: points / 100 }),
      onProgress: console.progress,
    });
    const out = given ?? `${basename(path).replace(/\.[^.]*$/, "")}-${activations}.${format}`;
    writeOutputFile(out, file);
    console.note(`wrote ${out}`);
    return { output: options["json"] ? json(report) : renderQuantize(report), exitCode: 0 };
  },
};
