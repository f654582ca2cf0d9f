/**
 * A program under test on disk and on the wire: its folder with the harness, the table of models, the request file,
 * the response file. The formats are those of harness/harness.c.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { invariant } from "../base/assert.js";
import { readAsset } from "../base/assets.js";
import { fail } from "../base/diagnostics.js";
import { hopFunctions, requestBytes, seriesTable, windowBytes } from "./series.js";
import type { ArenaRange, Program, ProgramModel, RunOptions, RunRequest, TraceRecord } from "./target.js";

/** What the harness reports of one request. */
export interface HarnessRun {
  readonly outputs: readonly Uint8Array[];
  readonly canariesIntact: boolean;
  /** 0 where the port cannot tell. */
  readonly stackBytes: number;
  /** The port's timer over the invoke, and over an empty function; 0 without a timer. */
  readonly ticks: number;
  readonly emptyTicks: number;
  readonly trace: readonly TraceRecord[];
}

/** Which harness files a target adds to the program. */
export interface Harness {
  /** Paths under src/verify/, such as "harness/port_host.c". */
  readonly assets: readonly string[];
  /** Texts made for this target, such as a linker script, by file name. */
  readonly texts?: Readonly<Record<string, string>>;
}

const harnessFolder = "th_harness";
const requestMagic = 0x51524854;
const tags = { trace: 1, done: 2, end: 3 } as const;
const guardBytes = 16;

/** A program with no model: what it costs is what the harness costs. */
export const emptyProgram: Program = { files: new Map(), models: [] };

/** Stands for the offset of a pushed input: its bytes go to a buffer outside of the arena. */
const pushedOffset = 0xffffffff;

/** Bytes of the largest pushed input. */
export const pushedBytes = (models: readonly ProgramModel[]): number =>
  models.reduce((most, model) => Math.max(most, windowBytes(model)), 0);

/** A function that gives a model its pushed input row by row, as a camera would. */
const pushFunction = ({ name, pushed, hopRows }: ProgramModel, index: number): string =>
  !pushed || hopRows
    ? ""
    : `static void push_${index}(void *arena)
{
    ${name}_begin(arena);
    for (uint32_t row = 0; row < ${pushed.rows}u; row++) {
        ${name}_push_rows(arena, (const void *)(th_pushed_buffer + row * ${pushed.rowBytes}u), 1);
    }
    ${name}_finish(arena);
}
`;

const rangeTable = (name: string, ranges: readonly ArenaRange[]): string => {
  const entries = ranges.map(({ region = 0, offset, bytes }) => `{${region}u, ${offset}u, ${bytes}u}`);
  return ranges.length === 0 ? "" : `static const th_range ${name}[] = {${entries.join(", ")}};\n`;
};

/** Sizes of a model's arenas. */
const arenaSizes = ({ arenaBytes, regions }: ProgramModel): readonly number[] =>
  regions?.map((r) => r.bytes) ?? [arenaBytes];

/** A function that gives a model all its arenas, which the harness has filled in; none for a model of one arena. */
function initFunction(model: ProgramModel, index: number): string {
  const others = arenaSizes(model).slice(1);
  if (others.length === 0) return "";
  const addresses = others.map((_, i) => `th_arenas[${i + 1}]`);
  return `static void init_${index}(void *arena)
{
    ${model.name}_init(arena, ${addresses.join(", ")});
}
`;
}

/** Buffers as large as the largest arena of each number with its guards, and the tables of them. */
function arenaBuffers(models: readonly ProgramModel[]): string {
  const sizes = models.map(arenaSizes);
  const count = Math.max(1, ...sizes.map((s) => s.length));
  const buffers = Array.from({ length: count }, (_, arena) => {
    const largest = Math.max(0, ...sizes.map((s) => s[arena] ?? 0));
    return `static uint8_t arena_buffer_${arena}[${largest + 2 * guardBytes}] __attribute__((aligned(16)));\n`;
  });
  const names = buffers.map((_, arena) => `arena_buffer_${arena}`);
  return [
    ...buffers,
    `uint8_t *const th_arena_buffers[] = {${names.join(", ")}};\n`,
    `uint8_t *th_arenas[${count}];\n`,
  ].join("");
}

function modelEntry(model: ProgramModel, index: number): string {
  const pointer = (kind: string, ranges: readonly ArenaRange[]) => (ranges.length === 0 ? "0" : `${kind}_${index}`);
  const { name, inputs, outputs, gaps, pushed } = model;
  const arenas = arenaSizes(model);
  const init = arenas.length > 1 ? `init_${index}` : `${name}_init`;
  const invoke = !pushed ? `${name}_invoke` : `push_${index}`;
  return (
    `    {${init}, ${invoke}, arenas_${index}, ${arenas.length}u, ${inputs.length}u, ${outputs.length}u, ${gaps.length}u, ` +
    `${pointer("inputs", inputs)}, ${pointer("outputs", outputs)}, ${pointer("gaps", gaps)}},\n`
  );
}

/** The C file that tells the harness which models there are. Without models the table still holds one null entry. */
export function programTable(models: readonly ProgramModel[]): string {
  const inputsOf = ({ inputs, pushed }: ProgramModel): readonly ArenaRange[] =>
    inputs.map((range, i) => (i === pushed?.index ? { ...range, offset: pushedOffset } : range));
  const tables = models.map(
    (model, i) =>
      `static const uint32_t arenas_${i}[] = {${arenaSizes(model)
        .map((bytes) => `${bytes}u`)
        .join(", ")}};\n` +
      rangeTable(`inputs_${i}`, inputsOf(model)) +
      rangeTable(`outputs_${i}`, model.outputs) +
      rangeTable(`gaps_${i}`, model.gaps),
  );
  const entries = models.length === 0 ? "    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0},\n" : models.map(modelEntry).join("");
  return [
    '#include "th_harness.h"\n',
    ...models.map((model) => `#include "${model.name}.h"\n`),
    `\nuint8_t th_pushed_buffer[${Math.max(pushedBytes(models), 1)}] __attribute__((aligned(16)));\n`,
    arenaBuffers(models),
    ...models.map(pushFunction),
    ...models.map(hopFunctions),
    ...models.map(initFunction),
    "\n",
    ...tables,
    `const th_model th_models[] = {\n${entries}};\n`,
    seriesTable(models),
    `const uint32_t th_model_count = ${models.length}u;\n`,
  ].join("");
}

/** The files of the program and of the harness, by path relative to the program's folder. */
export function programFiles(program: Program, harness: Harness): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [path, text] of program.files) {
    const clean = normalize(path);
    invariant(!clean.startsWith("..") && !clean.startsWith("/"), `generated file outside its folder: ${path}`);
    files.set(clean, text);
  }
  for (const asset of [
    "harness/th_harness.h",
    "harness/th_trace.h",
    "harness/th_marks.h",
    "harness/harness.c",
    ...harness.assets,
  ]) {
    files.set(`${harnessFolder}/${asset.slice(asset.lastIndexOf("/") + 1)}`, readAsset(`verify/${asset}`));
  }
  for (const [name, text] of Object.entries(harness.texts ?? {})) files.set(`${harnessFolder}/${name}`, text);
  files.set(`${harnessFolder}/th_program.c`, programTable(program.models));
  return files;
}

/** Writes files below `folder`. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Compiler arguments that every target shares: the sources, the include path, the tracing, the marks of a profile. */
export function sourceArguments(
  files: ReadonlyMap<string, string>,
  { trace, profile }: Pick<RunOptions, "trace" | "profile">,
): readonly string[] {
  return [
    "-I.",
    `-I${harnessFolder}`,
    ...(trace ? ["-DTH_TRACING", "-include", "th_trace.h"] : []),
    ...(profile === "steps" && !trace ? ["-include", "th_marks.h"] : []),
    ...[...files.keys()].filter((path) => /\.[cS]$/.test(path)),
  ];
}

/** The path of a harness file inside the program's folder. */
export const harnessPath = (name: string): string => `${harnessFolder}/${name}`;

function checkRequest(models: readonly ProgramModel[], request: RunRequest, previous: RunRequest | undefined): void {
  const model = models[request.model];
  invariant(model !== undefined, `request for model ${request.model} of ${models.length}`);
  invariant(
    !request.keepState || previous?.model === request.model,
    "keepState needs a request of the same model before",
  );
  const found = request.inputs.map((input) => input.length).join(", ");
  const expected = requestBytes(model, request).join(", ");
  if (found !== expected) {
    fail("TH6002", {
      where: [model.name],
      found: `${found || "no"} bytes`,
      expected: `${expected || "no"} bytes`,
      fix: "give every input of the model, in order and in full",
    });
  }
}

/** The bytes of request.bin. Throws TH6002 where an input has the wrong size. */
export function encodeRequests(models: readonly ProgramModel[], requests: readonly RunRequest[]): Uint8Array {
  const header = (a: number, b: number): Uint8Array => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, a, true);
    view.setUint32(4, b, true);
    return bytes;
  };
  const parts = [header(requestMagic, requests.length)];
  for (const [i, request] of requests.entries()) {
    checkRequest(models, request, requests[i - 1]);
    parts.push(header(request.model, request.keepState ? 1 : 0), ...request.inputs);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function decodeDone(model: ProgramModel, body: DataView, trace: readonly TraceRecord[]): HarnessRun | null {
  let at = 16;
  const outputs: Uint8Array[] = [];
  for (const { bytes } of model.outputs) {
    if (at + bytes > body.byteLength) return null;
    outputs.push(new Uint8Array(body.buffer, body.byteOffset + at, bytes).slice());
    at += bytes;
  }
  return {
    outputs,
    canariesIntact: body.getUint32(0, true) === 1,
    stackBytes: body.getUint32(4, true),
    ticks: body.getUint32(8, true),
    emptyTicks: body.getUint32(12, true),
    trace,
  };
}

const decodeTrace = (body: DataView): TraceRecord => ({
  step: body.getUint32(0, true),
  output: body.getUint32(4, true),
  bytes: body.getUint32(8, true),
  hash: body.getUint32(12, true).toString(16).padStart(8, "0"),
});

/** The runs in response.bin, or null when it does not hold one for each request and the end record. */
export function decodeResponse(
  models: readonly ProgramModel[],
  requests: readonly RunRequest[],
  response: Uint8Array,
): readonly HarnessRun[] | null {
  const view = new DataView(response.buffer, response.byteOffset, response.byteLength);
  const runs: HarnessRun[] = [];
  let trace: TraceRecord[] = [];
  for (let at = 0; at + 8 <= response.length; ) {
    const tag = view.getUint32(at, true);
    const bytes = view.getUint32(at + 4, true);
    at += 8;
    if (tag === tags.end) return runs.length === requests.length && at === response.length ? runs : null;
    if (at + bytes > response.length || bytes < 16) return null;
    const body = new DataView(response.buffer, response.byteOffset + at, bytes);
    at += bytes;
    if (tag === tags.trace) {
      trace.push(decodeTrace(body));
      continue;
    }
    const model = models[requests[runs.length]?.model ?? -1];
    const run = tag === tags.done && model !== undefined ? decodeDone(model, body, trace) : null;
    if (run === null) return null;
    runs.push(run);
    trace = [];
  }
  return null;
}
