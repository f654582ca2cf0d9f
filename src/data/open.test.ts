import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode as encodeCbor } from "cborg";
import { encode as encodePng } from "fast-png";
import { zipSync } from "fflate";
import { encode as encodeJpeg } from "jpeg-js";
import { afterAll, describe, expect, it } from "vitest";
import { DiagnosticError } from "../base/diagnostics.js";
import type { TensorData } from "../base/dtype.js";
import { writeNpy } from "../base/npy.js";
import { seededRandom } from "../base/random.js";
import type { Dataset } from "./dataset.js";
import { openDataset } from "./open.js";
import type { DatasetOptions } from "./options.js";
import { hashedSplit } from "./splits.js";
import { decodeWav, encodeWav, resample } from "./wav.js";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

type Files = Readonly<Record<string, Uint8Array | string>>;

/** A folder of these files; a name that ends in `/` is an empty folder. */
function folderOf(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), "thimble-data-"));
  made.push(root);
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(path, content);
  }
  return root;
}

const png = (seed: number, height = 4, width = 5, channels = 1): Uint8Array => {
  const random = seededRandom(seed);
  const data = Uint8Array.from({ length: height * width * channels }, () => random.integer(0, 255));
  return encodePng({ width, height, channels, depth: 8, data });
};

const wav = (length: number, rate = 8000): Uint8Array =>
  encodeWav(
    Int16Array.from({ length }, (_, i) => (i * 37) % 1000),
    rate,
  );

const npy = (shape: readonly number[], data: TensorData, dtype: "uint8" | "float32" | "int64"): Uint8Array =>
  writeNpy({ dtype, shape, data });

const idx = (type: number, shape: readonly number[], data: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((n, i) => {
    new DataView(bytes.buffer).setUint32(4 + 4 * i, n);
  });
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
};

const acquisition = (values: readonly (readonly number[])[], sensors = ["x", "y"], intervalMs = 10): object => ({
  protected: { ver: "v1", alg: "none" },
  signature: "0",
  payload: {
    device_type: "T",
    interval_ms: intervalMs,
    sensors: sensors.map((name) => ({ name, units: "g" })),
    values,
  },
});

const infoLabels = (files: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    version: 1,
    files: Object.entries(files).map(([path, label]) => ({
      path,
      category: path.startsWith("testing") ? "testing" : "training",
      label: { type: "label", label },
    })),
  });

const split = { kind: "hash", validation: 0, test: 0 } as const;

/** Class, split and first values of every example. */
const contents = (d: Dataset): readonly string[] =>
  d.examples.map((e, i) => {
    const { label, data } = d.read(i);
    const target = typeof label === "number" ? d.classes[label] : `(${[...label].join()})`;
    return `${e.split} ${target} ${[...data.slice(0, 3)].join()}`;
  });

describe("layouts", () => {
  const iris = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";
  const cases: readonly (readonly [
    name: string,
    files: Files,
    options: DatasetOptions,
    kind: string,
    shape: readonly number[] | null,
    contents: readonly string[],
  ])[] = [
    [
      "images by folder, in folders of splits",
      {
        "train/cat/1.png": encodePng({ width: 2, height: 1, channels: 1, data: new Uint8Array([7, 9]) }),
        "test/dog/2.png": encodePng({ width: 2, height: 1, channels: 1, data: new Uint8Array([1, 2]) }),
      },
      { validation: 0 },
      "image",
      [1, 2, 1],
      ["test dog 1,2", "train cat 7,9"],
    ],
    [
      "images of another size, made grey",
      {
        "a/1.png": encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(12).fill(80) }),
        "b/2.jpg": encodeJpeg({ width: 8, height: 8, data: new Uint8Array(256).fill(128) }, 95).data,
      },
      { split, image: { height: 1, width: 3, channels: 1 } },
      "image",
      [1, 3, 1],
      ["train a 80,80,80", "train b 128,128,128"],
    ],
    [
      "sound by name, splits by number, cut and filled",
      { "0_ann_0.wav": wav(2), "0_ann_7.wav": wav(9), "1_bob_8.wav": wav(4) },
      { pattern: "{label}_{group}_{index}", split: { kind: "index", test: [0, 4] }, length: 3, validation: 0 },
      "audio",
      [3],
      ["test 0 0,37,0", "train 0 0,37,74", "train 1 0,37,74"],
    ],
    [
      "Speech Commands",
      {
        "yes/a_nohash_0.wav": wav(3),
        "no/b_nohash_0.wav": wav(3),
        "no/c_nohash_1.wav": wav(3),
        "_background_noise_/hum.wav": wav(50),
        "validation_list.txt": "no/b_nohash_0.wav\n",
        "testing_list.txt": "no/c_nohash_1.wav\n",
      },
      { length: 3 },
      "audio",
      [3],
      ["validation no 0,37,74", "test no 0,37,74", "train yes 0,37,74"],
    ],
    [
      "IDX, one of them packed",
      {
        "train-images-idx3-ubyte.gz": gzipSync(idx(8, [2, 1, 3], [1, 2, 3, 4, 5, 6])),
        "train-labels-idx1-ubyte": idx(8, [2], [3, 5]),
        "t10k-images-idx3-ubyte": idx(8, [1, 1, 3], [7, 8, 9]),
        "t10k-labels-idx1-ubyte": idx(8, [1], [3]),
      },
      { validation: 0 },
      "image",
      [1, 3, 1],
      ["test 3 7,8,9", "train 3 1,2,3", "train 5 4,5,6"],
    ],
    [
      "rows with a column of labels",
      { "iris.csv": iris },
      { split },
      "tensor",
      [2],
      ["train x 1,2", "train y 3,4", "train x 5,6"],
    ],
    [
      "recordings divided by blank lines",
      { "train/up.csv": "x,y\n1,2\n3,4\n\n5,6\n7,8\n", "test/down.csv": "x,y\n9,9\n8,8" },
      { validation: 0 },
      "series",
      [2, 2],
      ["test down 9,9,8", "train up 1,2,3", "train up 5,6,7"],
    ],
    [
      "windows that overlap, of one column, quoted and separated by semicolons",
      {
        "up/1.csv": '"timestamp";"x";"y"\n0;1;2\n20;3;4\n40;5;6\n60;7;"8"\n',
        "down/1.csv": '"timestamp";"x";"y"\n0;1;2\n20;9;4\n',
      },
      { split, window: 2, hop: 1, columns: ["y"] },
      "series",
      [2, 1],
      ["train down 2,4", "train up 2,4", "train up 4,6", "train up 6,8"],
    ],
    [
      "the acquisition format in JSON and CBOR, with info.labels",
      {
        "info.labels": infoLabels({ "training/a.json": "idle", "testing/b.cbor": "wave" }),
        "training/a.json": JSON.stringify(
          acquisition([
            [1, 2],
            [3, 4],
          ]),
        ),
        "testing/b.cbor": encodeCbor(
          acquisition([
            [5, 6],
            [7, 8],
          ]),
        ),
      },
      { validation: 0 },
      "series",
      [2, 2],
      ["test wave 5,6,7", "train idle 1,2,3"],
    ],
    [
      "NumPy arrays in an archive, classes of 64 bits",
      {
        "d.npz": zipSync({
          "x_train.npy": npy([2, 1, 2], new Uint8Array([1, 2, 3, 4]), "uint8"),
          "y_train.npy": npy([2], new BigInt64Array([4n, 2n]), "int64"),
        }),
      },
      { validation: 0 },
      "image",
      [1, 2, 1],
      ["train 4 1,2", "train 2 3,4"],
    ],
    [
      "NumPy files with targets",
      {
        "x.npy": npy([2, 2], new Float32Array([1, 2, 3, 4]), "float32"),
        "y.npy": npy([2, 2], new Float32Array([5, 6, 7, 8]), "float32"),
      },
      { split },
      "tensor",
      [2],
      ["train (5,6) 1,2", "train (7,8) 3,4"],
    ],
  ];
  it.each(cases)("%s", (_, files, options, kind, shape, expected) => {
    const dataset = openDataset(folderOf(files), options);
    expect(dataset.kind).toBe(kind);
    expect(dataset.shape).toEqual(shape);
    expect(contents(dataset)).toEqual(expected);
  });

  it("knows rates and columns", () => {
    const root = folderOf({ "a/1.csv": "timestamp,x\n0,1\n20,2\n", "b/1.csv": "timestamp,x\n0,1\n20,2\n" });
    expect(openDataset(root, { split })).toMatchObject({ sampleRate: 50, columns: ["x"] });
    expect(openDataset(folderOf({ "a/1.wav": wav(9, 16000) })).sampleRate).toBe(16000);
  });

  it("a file of an archive is a data set of its own", () => {
    const x = npy([1, 2], new Float32Array([1, 2]), "float32");
    const root = folderOf({ "d.npz": zipSync({ "x.npy": x, "y.npy": npy([1], new BigInt64Array([0n]), "int64") }) });
    expect(openDataset(join(root, "d.npz"), { split }).examples.length).toBe(1);
  });
});

describe("recordings in windows", () => {
  const rows = (n: number, from = 0): number[][] => Array.from({ length: n }, (_, i) => [from + i, -i]);
  const files = {
    "a/1.json": JSON.stringify(acquisition(rows(7))),
    "a/2.cbor": encodeCbor(acquisition(rows(4, 10))),
    "b/1.json": JSON.stringify(acquisition(rows(2, 20))),
    "b/2.json": JSON.stringify(acquisition(rows(3, 30))),
  };

  it("are those of tables, and none is left out silently", () => {
    const d = openDataset(folderOf(files), { split, window: 3, hop: 2 });
    expect(d).toMatchObject({ kind: "series", shape: [3, 2], sampleRate: 100, columns: ["x", "y"] });
    expect(contents(d)).toEqual([
      ...["train a 0,0,1", "train a 2,-2,3", "train a 4,-4,5"],
      ...["train a 10,0,11", "train b 30,0,31"],
    ]);
    expect(d.warnings).toMatchObject([{ code: "TH6017", found: "1, such as b/1.json" }]);
    const tables = { "a.csv": "x\n1\n2\n3\n", "b.csv": "x\n1\n" };
    expect(openDataset(folderOf(tables), { split, window: 2 }).warnings).toMatchObject([
      { code: "TH6017", found: "1, such as b.csv:2" },
    ]);
  });

  it("are all of one split if they are of one recording", () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`a/${i}.json`, JSON.stringify(acquisition(rows(9, i)))]),
    );
    const d = openDataset(folderOf(many), { window: 3 });
    const byGroup = new Map<string | null, Set<string>>();
    for (const { group, split } of d.examples) byGroup.set(group, (byGroup.get(group) ?? new Set()).add(split));
    expect(byGroup.size).toBe(40);
    expect([...byGroup.values()].every((s) => s.size === 1)).toBe(true);
    expect(new Set(d.examples.map((e) => e.split)).size).toBe(3);
  });

  it("are of recordings that are alike", () => {
    const other = JSON.stringify(acquisition(rows(9), ["x", "y"], 20));
    expect(() => openDataset(folderOf({ ...files, "b/3.json": other }), { window: 3 })).toThrow(
      /TH6013[\s\S]*b\/3.json[\s\S]*50 Hz/,
    );
  });
});

describe("the size of images", () => {
  const colours = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
  const labels = new BigInt64Array([0n]);

  it.each([
    { height: 3, width: 7 },
    { height: 2, width: 2, channels: 1 },
  ] as const)("is what is asked for in arrays as in files: %j", (image) => {
    const files = { "0/1.png": encodePng({ width: 4, height: 5, channels: 3, data: colours }) };
    const arrays = { "x.npy": npy([1, 5, 4, 3], colours, "uint8"), "y.npy": npy([1], labels, "int64") };
    const [a, b] = [files, arrays].map((f) => openDataset(folderOf(f), { split, image }));
    expect(b?.shape).toEqual([image.height, image.width, "channels" in image ? 1 : 3]);
    expect(b?.read(0)).toEqual(a?.read(0));
  });

  it("is asked for in grey IDX files too", () => {
    const files = {
      "train-images-idx3-ubyte.gz": gzipSync(idx(8, [2, 2, 2], [0, 0, 0, 0, 9, 9, 9, 9])),
      "train-labels-idx1-ubyte": idx(8, [2], [3, 5]),
    };
    const d = openDataset(folderOf(files), { validation: 0, image: { height: 1, width: 3, channels: 3 } });
    expect(d.shape).toEqual([1, 3, 3]);
    expect([...d.read(1).data]).toEqual(Array(9).fill(9));
  });
});

describe("bad data", () => {
  const good = { "a/1.png": png(1), "b/1.png": png(2) };
  const nested = (bytes: Uint8Array, from: number): Uint8Array => bytes.map((b, i) => (i === from ? b ^ 255 : b));
  const cases: readonly (readonly [
    name: string,
    files: Files,
    options: DatasetOptions,
    problems: readonly string[],
  ])[] = [
    ["a corrupt PNG", { ...good, "b/2.png": nested(png(3), 45) }, {}, ["TH6011 b/2.png"]],
    ["a truncated PNG", { ...good, "b/2.png": png(3).slice(0, 50) }, {}, ["TH6011 b/2.png"]],
    ["no image", { ...good, "b/2.png": "hello", "b/3.png": "" }, {}, ["TH6011 b/2.png", "TH6011 b/3.png"]],
    ["an image of another shape", { ...good, "b/2.png": png(3, 5, 5) }, {}, ["TH6013 b/2.png"]],
    ["an empty class", { ...good, "c/": "" }, {}, ["TH6014 c"]],
    ["a file outside the classes", { ...good, "stray.png": png(4) }, {}, ["TH6015 stray.png"]],
    ["another sample rate", { "a/1.wav": wav(9), "b/1.wav": wav(9, 16000) }, {}, ["TH6013 b/1.wav", "TH6014 b"]],
    [
      "another sample rate that comes first",
      { "a/1.wav": wav(9, 16000), "a/2.wav": wav(9), "b/1.wav": wav(9) },
      {},
      ["TH6013 a/1.wav"],
    ],
    ["not the rate asked for", { "a/1.wav": wav(9) }, { sampleRate: 16000 }, ["TH6013 a/1.wav", "TH6014 a"]],
    ["a truncated WAV", { "a/1.wav": wav(9), "a/2.wav": wav(9).slice(0, 50) }, {}, ["TH6011 a/2.wav"]],
    [
      "names that do not fit",
      { "x_1.wav": wav(9), "y.wav": wav(9) },
      { pattern: "{label}_{index}.wav" },
      ["TH6015 y.wav"],
    ],
    ["names that tell nothing", { "x.wav": wav(9), "y.wav": wav(9) }, {}, ["TH6010"]],
    [
      "everything at once",
      { ...good, "a/2.png": "?", "c/": "", "b/2.png": png(3, 1, 1) },
      {},
      ["TH6014 c", "TH6011 a/2.png", "TH6013 b/2.png"],
    ],
    [
      "NaN in a table, with its line",
      { "a.csv": "x,y\n1,2\n3,nan\n5,6\n", "b.csv": "x,y\n1,2\n3,4\n5,oops\n" },
      { length: 2 },
      ["TH6016 a.csv line 3 column y", "TH6016 b.csv line 4 column y"],
    ],
    ["a row that is too short", { "a.csv": "x,y\n1,2\n3\n" }, { length: 2 }, ["TH6013 a.csv line 3"]],
    ["other columns", { "a.csv": "x,y\n1,2\n", "b.csv": "x,z\n1,2\n" }, {}, ["TH6013 b.csv line 1"]],
    ["a column that is not there", { "a.csv": "x,y\n1,2\n" }, { columns: ["w"] }, ["TH6015 a.csv line 1"]],
    [
      "labels that point nowhere",
      { "info.labels": infoLabels({ "a.wav": "x", "gone.wav": "y" }), "a.wav": wav(9), "extra.wav": wav(9) },
      {},
      ["TH6015 info.labels gone.wav", "TH6015 extra.wav"],
    ],
    [
      "lists that point nowhere",
      { "a/1.wav": wav(9), "validation_list.txt": "a/1.wav\na/2.wav\n", "testing_list.txt": "" },
      {},
      ["TH6015 validation_list.txt line 2"],
    ],
    [
      "images without labels",
      { "train-images-idx3-ubyte": idx(8, [1, 1, 2], [1, 2]) },
      {},
      ["TH6015 train-images-idx3-ubyte"],
    ],
    [
      "more labels than images",
      { "train-images-idx3-ubyte": idx(8, [1, 1, 2], [1, 2]), "train-labels-idx1-ubyte": idx(8, [2], [1, 2]) },
      {},
      ["TH6013 train-labels-idx1-ubyte"],
    ],
    [
      "a truncated IDX file",
      { "t-images-idx3-ubyte": idx(8, [2, 1, 2], [1, 2]), "t-labels-idx1-ubyte": idx(8, [2], [1, 2]) },
      {},
      ["TH6011 t-images-idx3-ubyte"],
    ],
    [
      "an array that is too short",
      {
        "x.npy": npy([4, 2], new Float32Array(8), "float32").slice(0, -4),
        "y.npy": npy([4], new Uint8Array(4), "uint8"),
      },
      {},
      ["TH6011 x.npy"],
    ],
    ["an array without labels", { "x.npy": npy([1, 2], new Float32Array(2), "float32") }, {}, ["TH6015 x.npy"]],
    [
      "NaN in an array",
      {
        "x.npy": npy([1, 2], new Float32Array([1, Number.NaN]), "float32"),
        "y.npy": npy([1], new Uint8Array(1), "uint8"),
      },
      {},
      ["TH6016 x.npy x/0 element 1", "TH6014 0"],
    ],
    [
      "a damaged recording",
      {
        "a/1.json": "{",
        "a/2.json": JSON.stringify(acquisition([[1, 2], [3]])),
        "a/3.cbor": new Uint8Array([0x9f, 1]),
      },
      {},
      ["TH6011 a/1.json", "TH6013 a/2.json row 1 of payload.values", "TH6011 a/3.cbor", "TH6014 a"],
    ],
    ["nothing", {}, {}, ["TH6010"]],
    ["nothing known", { "readme.md": "text" }, {}, ["TH6010"]],
  ];

  function problemsOf(root: string, options: DatasetOptions): readonly string[] {
    try {
      openDataset(root, options);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      return error.diagnostics.map(({ code, where }) =>
        [code, ...where.flatMap((w) => (w === root ? [] : [w.replace(`${root}/`, "")]))].join(" "),
      );
    }
    return [];
  }

  it.each(cases)("%s", (_, files, options, problems) => {
    expect(problemsOf(folderOf(files), options)).toEqual(problems);
  });

  it("is left out with a warning where that is asked for, and its example with it", () => {
    const root = folderOf({ ...good, "b/2.png": "?", "c/": "" });
    const dataset = openDataset(root, { bad: "skip" });
    expect(dataset.examples.map((e) => e.name)).toEqual(["a/1.png", "b/1.png"]);
    expect(dataset.warnings.map((d) => d.code)).toEqual(expect.arrayContaining(["TH6017", "TH6011", "TH6014"]));
    expect(dataset.warnings.every((d) => d.severity === "warning")).toBe(true);
  });

  it("refuses options that are none, and patterns without a label", () => {
    expect(problemsOf(folderOf(good), { validation: 3 })).toEqual(["TH6003 data set options"]);
    expect(problemsOf(folderOf(good), { pattern: "{who}_{label}" })).toEqual(["TH6003 data set options pattern"]);
  });

  it("refuses options that say nothing of the data", () => {
    const sound = { "a/1.wav": wav(9), "b/1.wav": wav(9) };
    const arrays = {
      "x.npy": npy([2, 4, 4], new Uint8Array(32), "uint8"),
      "y.npy": npy([2], new BigInt64Array(2), "int64"),
    };
    const table = { "a.csv": "x\n1\n2\n", "b.csv": "x\n1\n2\n" };
    const wrong: readonly (readonly [Files, DatasetOptions, string])[] = [
      [good, { length: 5 }, "length"],
      [good, { window: 5 }, "window"],
      [good, { sampleRate: 5 }, "sampleRate"],
      [sound, { image: { height: 4, width: 4 } }, "image"],
      [sound, { columns: ["x"] }, "columns"],
      [sound, { labelColumn: "x" }, "labelColumn"],
      [arrays, { pattern: "{label}" }, "pattern"],
      [table, { hop: 1 }, "hop"],
    ];
    for (const [files, options, name] of wrong)
      expect(problemsOf(folderOf(files), options)).toEqual([`TH6003 data set options ${name}`]);
  });

  it("damaged files of every kind give diagnostics and nothing else", () => {
    const files: Files = {
      "a/1.png": png(1, 6, 6, 3),
      "a/2.wav": wav(20),
      "a/3.jpg": encodeJpeg({ width: 9, height: 9, data: new Uint8Array(324).fill(99) }, 80).data,
      "a/4.cbor": encodeCbor(acquisition([[1, 2]])),
      "a/5.json": JSON.stringify(acquisition([[1, 2]])),
      "x.npz": zipSync({ "x.npy": npy([1, 2], new Float32Array(2), "float32") }),
      "t-images-idx3-ubyte.gz": gzipSync(idx(8, [1, 1, 2], [1, 2])),
    };
    const random = seededRandom(5);
    for (const [name, content] of Object.entries(files)) {
      for (let run = 0; run < 60; run++) {
        const bytes = Uint8Array.from(typeof content === "string" ? new TextEncoder().encode(content) : content);
        for (let i = 0; i < 3; i++) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
        const cut = run % 3 === 0 ? bytes.slice(0, random.integer(0, bytes.length)) : bytes;
        // It throws whatever is no diagnostic.
        problemsOf(folderOf({ [name]: cut }), { bad: "skip" });
      }
    }
  });
});

describe("splits", () => {
  it("follow the Speech Commands data set's own function", () => {
    // Of its README's which_set, run in Python with 10 and 10 percent.
    const expected: readonly (readonly [speaker: string, split: string])[] = [
      ["0a7c2a8d", "train"],
      ["bed06fac", "test"],
      ["cb8f8307", "train"],
      ["f9643d42", "test"],
      ["5b09db89", "train"],
      ["c1d39ce8", "train"],
      ["00176480", "train"],
      ["004ae714", "train"],
      ["004b1731", "train"],
      ["b4aa9fef", "train"],
      ["00000000", "validation"],
      ["00000002", "test"],
      ["00000007", "validation"],
      ["0000000b", "validation"],
      ["0000000f", "validation"],
      ["00000018", "test"],
    ];
    const unit = (s: string) => hashedSplit(s, 0.1, 0.1);
    expect(expected.map(([speaker]) => [speaker, unit(`${speaker}_nohash_3.wav`)])).toEqual(expected);
    const names = Array.from({ length: 4000 }, (_, i) => `speaker${i}_nohash_0.wav`);
    const part = (wanted: string) => names.filter((n) => unit(n) === wanted).length / names.length;
    expect(part("test")).toBeCloseTo(0.1, 1);
    expect(part("validation")).toBeCloseTo(0.1, 1);
  });

  it("stay when files are added, and keep groups together", () => {
    const names = Array.from({ length: 40 }, (_, i) => `${i % 3}_s${i % 7}_${i}.wav`);
    const some = Object.fromEntries(names.slice(0, 20).map((n) => [n, wav(3)]));
    const all = Object.fromEntries(names.map((n) => [n, wav(3)]));
    const pattern = "{label}_{group}_{index}";
    const splitsOf = (files: Files, by: "name" | "group") =>
      new Map(
        openDataset(folderOf(files), {
          pattern,
          split: { kind: "hash", by, validation: 0.3, test: 0.3 },
        }).examples.map((e) => [e.name, e]),
      );
    const [few, many] = [splitsOf(some, "name"), splitsOf(all, "name")];
    for (const [name, { split }] of few) expect(many.get(name)?.split).toBe(split);
    const grouped = [...splitsOf(all, "group").values()];
    for (const e of grouped) expect(grouped.find((g) => g.group === e.group)?.split).toBe(e.split);
    expect(new Set(grouped.map((e) => e.split)).size).toBeGreaterThan(1);
  });
});

describe("WAV", () => {
  const chunk = (tag: string, body: Uint8Array): Uint8Array => {
    const out = new Uint8Array(8 + body.length);
    out.set(new TextEncoder().encode(tag));
    new DataView(out.buffer).setUint32(4, body.length, true);
    out.set(body, 8);
    return out;
  };
  function file(format: number, bits: number, channels: number, data: Uint8Array): Uint8Array {
    const fmt = new Uint8Array(16);
    const view = new DataView(fmt.buffer);
    view.setUint16(0, format, true);
    view.setUint16(2, channels, true);
    view.setUint32(4, 8000, true);
    view.setUint16(14, bits, true);
    // A chunk that means nothing to us, of odd size, lies between.
    const parts = [chunk("fmt ", fmt), chunk("LIST", new Uint8Array([1, 2, 3, 0])), chunk("data", data)];
    const body = Buffer.concat([new TextEncoder().encode("WAVE"), ...parts]);
    return chunk("RIFF", body);
  }
  const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, 0, array.byteLength);
  it.each([
    ["8 bits", file(1, 8, 1, new Uint8Array([0, 128, 255])), [-32768, 0, 32512]],
    ["16 bits, stereo", file(1, 16, 2, bytesOf(new Int16Array([100, 200, -5, 5]))), [150, 0]],
    ["24 bits", file(1, 24, 1, new Uint8Array([0, 1, 0, 0x80, 0xff, 0xff])), [1, 0]],
    ["32 bits", file(1, 32, 1, bytesOf(new Int32Array([65536 * 7, -65536]))), [7, -1]],
    ["floats", file(3, 32, 1, bytesOf(new Float32Array([0.5, -1, 2]))), [16384, -32768, 32767]],
  ])("of %s", (_, bytes, expected) => {
    expect([...decodeWav(bytes, "x").data]).toEqual(expected);
  });

  it("resampling keeps a tone that both rates hold, and drops one that they do not", () => {
    const tone = (hertz: number, rate: number, n: number): Int16Array =>
      Int16Array.from({ length: n }, (_, i) => 10000 * Math.sin((2 * Math.PI * hertz * i) / rate));
    const [found, wanted] = [resample(tone(440, 16000, 1600), 16000, 8000), tone(440, 8000, 800)];
    const inner = (a: Int16Array): number[] => [...a.slice(100, 700)];
    expect(Math.max(...inner(found).map((v, i) => Math.abs(v - (inner(wanted)[i] ?? 0))))).toBeLessThan(60);
    expect(Math.max(...inner(resample(tone(6000, 16000, 1600), 16000, 8000)).map(Math.abs))).toBeLessThan(100);
  });
});

const fashion = "/usr/share/datasets/fashion-mnist";
const shared = process.env["THIMBLE_DATA"] ?? join(import.meta.dirname, "../../../shared/datasets");

describe("real data sets", () => {
  it.skipIf(!existsSync(fashion))("Fashion-MNIST", () => {
    const d = openDataset(fashion, { validation: 0 });
    expect(d.examples.length).toBe(70000);
    expect(d.examples.filter((e) => e.split === "test").length).toBe(10000);
    expect(d.examples.filter((e) => e.label === 3).length).toBe(7000);
  });

  it.skipIf(!existsSync(join(shared, "spoken-digits")))("spoken digits", () => {
    const d = openDataset(join(shared, "spoken-digits"), {
      pattern: "{label}_{group}_{index}",
      split: { kind: "index", test: [0, 4] },
    });
    expect(d).toMatchObject({ sampleRate: 8000, kind: "audio", shape: null });
    expect(d.examples.filter((e) => e.split === "test").length).toBe(300);
    expect(new Set(d.examples.map((e) => e.group)).size).toBe(6);
  });

  it.skipIf(!existsSync(join(shared, "magic-wand")))("magic wand", () => {
    const d = openDataset(join(shared, "magic-wand"), { window: 119, validation: 0 });
    expect(d).toMatchObject({ shape: [119, 6], columns: ["aX", "aY", "aZ", "gX", "gY", "gZ"] });
    expect(d.examples.filter((e) => e.split === "test").length).toBe(25);
    expect(d.examples.length).toBe(125);
  });
});
