import { basename } from "node:path";
import { fail } from "../../base/diagnostics.js";
import { toBytes } from "../../base/dtype.js";
import { writeNpy } from "../../base/npy.js";
import { boards } from "../../boards/table.js";
import { projectKinds } from "../../codegen/projects/index.js";
import { newestOpset } from "../../formats/onnx/import/table.js";
import { tensorOf } from "../../ir/graph.js";
import { printGraph } from "../../ir/print.js";
import type { Graph } from "../../ops/index.js";
import { isas } from "../../ops/isa.js";
import { dropFloatEdges } from "../../passes/edges.js";
import { runPipeline } from "../../passes/pipeline.js";
import { targetNames } from "../../verify/target.js";
import { boardOf, build, defaultTargets, inspect, run, verify } from "../api.js";
import { pipelineOptions } from "../compile.js";
import { loadModel } from "../files.js";
import { checkWritable, writeOutputFile } from "../output.js";
import { realInputs } from "../real-inputs.js";
import { renderBoard, renderBoards } from "../report/boards.js";
import { renderHtml } from "../report/html.js";
import { onnxReports, renderOnnxOperators } from "../report/onnx-operators.js";
import { operatorReports, renderOperators } from "../report/operators.js";
import { renderInspect } from "../report/terminal.js";
import { renderBuild, renderVerify } from "../report/verify.js";
import { type Command, type Console, json } from "./command.js";
import { dataOptions, datasetOption, preparationOption } from "./data-options.js";
import {
  choiceOption,
  compileOptions,
  listOption,
  modelOptions,
  numberOption,
  type RawOptions,
  readInputs,
  requiredOption,
  textOption,
} from "./options.js";
import { quantizeCommand } from "./quantize.js";
import { trainCommand } from "./train.js";

const planOptions = [
  [
    "--shape <name=sizes>",
    "sizes of an input that an ONNX file leaves open, such as input=1,3,96,96 (repeat for several)",
  ],
  ["--constant <name=values>", "an input of an ONNX file that is always the same (repeat for several)"],
  ["--io <float|quantized>", "keep float inputs and outputs, or drop their QUANTIZE and DEQUANTIZE (default: float)"],
  [
    "--optimize <objective>",
    "memory: the least RAM; latency: the fastest that fits; balanced: the least RAM at next to no cost; size: the least flash (default: latency with a --board, else balanced)",
  ],
  ["--ram <bytes>", "RAM that the arena may take, such as 14KB (default: what the board has)"],
  ["--plan <layers>", "layers runs one operator at a time, whatever else would be better"],
  ["--feed <resident|pushed>", "keep the whole input in the arena, or take it row by row (default: resident)"],
  [
    "--incremental <rows>",
    "the input is a time series that comes so many rows at a time: keep state, compute only what they change",
  ],
  [
    "--dead-channels <remove|keep>",
    "remove channels that cannot change any output, or keep them so that every operator computes all it did (default: remove)",
  ],
  [
    `--isa <${isas.join("|")}>`,
    "instructions that kernels are written for (default: those of the board, or of each target)",
  ],
  ["--name <identifier>", "prefix of the generated C names (default: from the file's name)"],
] as const;

const inspectCommand: Command = {
  usage: "inspect <model>",
  summary: "What a model costs: layers, peak SRAM, flash, MACs, and the boards it fits",
  options: [
    ["--board <id>", "check these boards only (repeat, or separate by commas); exit 3 if one does not fit"],
    ["--html <file>", "also write a page with the memory map"],
    ["--text", "print the optimized graph as text instead"],
    ...planOptions,
  ],
  examples: [
    "thimble inspect kws.tflite",
    "thimble inspect kws.tflite --board arduino-nano-33-ble --json",
    "thimble inspect kws.tflite --optimize memory --feed pushed",
    "thimble inspect kws.tflite --html kws.html",
    "thimble inspect strww.tflite --incremental 2",
  ],
  run: ([path = ""], options, { note }) => {
    const model = loadModel(path, modelOptions(options));
    const chosen = listOption(options, "board");
    const compile = compileOptions(options);
    if (options["text"] === true) {
      return {
        output: printGraph(runPipeline(model, pipelineOptions(compile)), { constants: "omitted" }),
        exitCode: 0,
      };
    }
    const html = textOption(options, "html");
    if (html !== undefined) checkWritable(html, "file");
    const report = inspect(model, { ...compile, ...(chosen ? { boards: chosen } : {}) });
    if (html !== undefined) {
      writeOutputFile(html, renderHtml(report));
      note(`wrote ${html}`);
    }
    const misfit = chosen !== undefined && report.fits.some((f) => !f.fits);
    return { output: options["json"] ? json(report) : renderInspect(report), exitCode: misfit ? 3 : 0 };
  },
};

const buildCommand: Command = {
  usage: "build <model>",
  summary: "Compile a model to C for a board, verify it, and write a project",
  options: [
    ["--board <id>", "the board (see `thimble boards`)"],
    ["--out <folder>", "the folder to write; replaced if an earlier build wrote it"],
    ["--as <kind>", `${projectKinds.join(", ")} (default: c)`],
    ["--verify <targets>", "verify on these targets (default: the emulated twin of the board's core); none to skip"],
    ...planOptions,
  ],
  examples: [
    "thimble build kws.tflite --board arduino-nano-33-ble --out kws",
    "thimble build kws.tflite --board raspberry-pi-pico --as cmake --out kws --verify none",
  ],
  run: async ([path = ""], options, { note, progress }) => {
    const board = requiredOption(options, "board", "arduino-nano-33-ble");
    const out = requiredOption(options, "out", `${basename(path).replace(/\.[^.]*$/, "")}-c`);
    const asked = listOption(options, "verify");
    const kind = choiceOption(options, "as", projectKinds, "c");
    const compile = compileOptions(options);
    const model = loadModel(path, modelOptions(options));
    const defaults = defaultTargets(boardOf(board));
    if (asked === undefined && defaults.notice !== null) note(defaults.notice);
    const verifyOn = asked?.includes("none") ? [] : (asked ?? defaults.names);
    const report = await build(model, {
      ...compile,
      board,
      out,
      as: kind,
      verifyOn,
      onTarget: (name, part, total) => progress(`verifying on ${name}`, part, total),
    });
    const verified = report.verification?.targets.every((t) => t.identical) ?? true;
    return {
      output: options["json"] ? json(report) : renderBuild(report),
      exitCode: !report.fit.fits ? 3 : verified ? 0 : 1,
    };
  },
};

/** What is run: files, real examples, or, undefined, what verification makes up. */
async function verifiedInputs(graph: Graph, options: RawOptions, console: Console) {
  const files = listOption(options, "input");
  const isReal = textOption(options, "data") !== undefined;
  if (files !== undefined && isReal)
    return fail("TH6003", { found: "--input with --data", expected: "one of them", fix: "leave out one" });
  if (files !== undefined) return [readInputs(graph, files)];
  if (!isReal) return undefined;
  const dataset = datasetOption(options, console);
  const count = textOption(options, "samples") === "all" ? Infinity : (numberOption(options, "samples", "whole") ?? 20);
  return realInputs(graph, dataset, { ...preparationOption(options, dataset), count });
}

const verifyCommand: Command = {
  usage: "verify <model>",
  summary: "Run the same inputs on several targets and compare them bit for bit",
  options: [
    ["--on <targets>", `interpreter, ${targetNames.join(", ")} (default: interpreter,host,cortex-m4)`],
    ["--input <file>", ".npy or raw bytes; repeat for several inputs (default: three pseudo-random runs)"],
    ...dataOptions,
    ["--samples <n>", "with --data: so many of its test examples, evenly, or all (default: 20)"],
    ["--profile", "also measure every layer on emulated cores: instructions, cycles, bytes"],
    ...planOptions,
  ],
  examples: [
    "thimble verify kws.tflite",
    "thimble verify kws.tflite --profile --on cortex-m4 --plan layers",
    "thimble verify model-with-frontend.thimble --data gestures/ --window 119 --frontend @recipe.json --on cortex-m4",
    "thimble verify kws.tflite --on interpreter,wasm,cortex-m55 --json",
  ],
  run: async ([path = ""], options, console) => {
    const files = listOption(options, "out") ?? [];
    for (const file of files) checkWritable(file, "file");
    const model = loadModel(path, modelOptions(options));
    const compile = compileOptions(options);
    const graph =
      compile.floatEdges === "drop" ? dropFloatEdges.run(model.main, { subgraphs: model.subgraphs }) : model.main;
    const inputs = await verifiedInputs(graph, options, console);
    const report = await verify(model, listOption(options, "on") ?? ["interpreter", "host", "cortex-m4"], {
      ...compile,
      ...(inputs ? { inputs } : {}),
      ...(options["profile"] === true ? { profile: true } : {}),
      onTarget: (name, part, total) => console.progress(`running on ${name}`, part, total),
    });
    return {
      output: options["json"] ? json(report) : renderVerify(report),
      exitCode: report.targets.every((t) => t.identical) ? 0 : 1,
    };
  },
};

const runCommand: Command = {
  usage: "run <model>",
  summary: "One inference on one target",
  options: [
    ["--on <target>", `interpreter, ${targetNames.join(", ")} (default: interpreter)`],
    ["--input <file>", ".npy or raw bytes; repeat for several inputs"],
    ["--out <file>", ".npy or raw bytes; repeat for several outputs (default: print them)"],
    ...planOptions,
  ],
  examples: [
    "thimble run kws.tflite --input mfcc.npy",
    "thimble run kws.tflite --on cortex-m4 --input mfcc.bin --out scores.npy",
  ],
  run: async ([path = ""], options, { note }) => {
    const files = listOption(options, "out") ?? [];
    for (const file of files) checkWritable(file, "file");
    const model = loadModel(path, modelOptions(options));
    const compile = compileOptions(options);
    const graph =
      compile.floatEdges === "drop" ? dropFloatEdges.run(model.main, { subgraphs: model.subgraphs }) : model.main;
    const inputs = readInputs(graph, listOption(options, "input") ?? []);
    const outputs = await run(model, textOption(options, "on") ?? "interpreter", inputs, compile);
    const ports = graph.outputs.map((id) => tensorOf(graph, id));
    const values = outputs.map((data, i) => ({
      name: ports[i]?.name ?? "",
      dtype: ports[i]?.dtype ?? "int8",
      shape: ports[i]?.shape ?? [],
      data,
    }));
    files.forEach((file, i) => {
      const value = values[i];
      if (value === undefined) return;
      writeOutputFile(file, file.endsWith(".npy") ? writeNpy(value) : toBytes(value.dtype, value.data));
      note(`wrote ${file}`);
    });
    const printed = values.map((v) => ({
      name: v.name,
      dtype: v.dtype,
      shape: v.shape,
      data: Array.from(v.data as ArrayLike<number | bigint>, Number),
    }));
    if (options["json"]) return { output: json({ schemaVersion: 1, outputs: printed }), exitCode: 0 };
    return {
      output:
        files.length > 0
          ? ""
          : `${printed.map((v) => `${v.name} ${v.dtype} [${v.shape.join(", ")}]\n${v.data.join(" ")}`).join("\n")}\n`,
      exitCode: 0,
    };
  },
};

const boardsCommand: Command = {
  usage: "boards [name]",
  summary: "The boards Thimble knows, or one of them in full",
  options: [],
  examples: ["thimble boards", "thimble boards raspberry-pi-pico --json"],
  run: ([name], options) => {
    if (name === undefined)
      return { output: options["json"] ? json({ schemaVersion: 1, boards }) : renderBoards(boards), exitCode: 0 };
    const board = boardOf(name);
    return { output: options["json"] ? json({ schemaVersion: 1, boards: [board] }) : renderBoard(board), exitCode: 0 };
  },
};

const operatorsCommand: Command = {
  usage: "operators",
  summary: "The operators Thimble supports, with their element types",
  options: [["--onnx", "the ONNX operators that can be read, with their operator sets and element types"]],
  examples: ["thimble operators", "thimble operators --onnx", "thimble operators --json"],
  run: (_, options) => {
    const isOnnx = options["onnx"] === true;
    const data = isOnnx ? { newestOpset, operators: onnxReports() } : { operators: operatorReports() };
    const text = isOnnx ? renderOnnxOperators : renderOperators;
    return { output: options["json"] ? json({ schemaVersion: 1, ...data }) : text(), exitCode: 0 };
  },
};

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  inspectCommand,
  buildCommand,
  verifyCommand,
  runCommand,
  trainCommand,
  quantizeCommand,
  boardsCommand,
  operatorsCommand,
];
