import type { Diagnostic } from "../base/diagnostics.js";

export type Split = "train" | "validation" | "test";
export const splits: readonly Split[] = ["train", "validation", "test"];

/** What examples are: images [H, W, C], mono sound [samples], series [time, columns], or anything else. */
export type SampleKind = "image" | "audio" | "series" | "tensor";

/** Elements as the files hold them: uint8 for images, int16 for sound, float32 for series. */
export type SampleData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array;

/** Values of one example. */
export interface Signal {
  readonly shape: readonly number[];
  readonly data: SampleData;
}

/** One example: its values, and the index of its class or what a network should give for it. */
export interface Sample extends Signal {
  readonly kind: SampleKind;
  readonly label: number | Float32Array;
}

/** Where an example lies: a range of bytes of a file. */
export interface Place {
  /** Index into the data set's files. */
  readonly file: number;
  readonly offset: number;
  readonly bytes: number;
}

/** One example of the index; `label` is a class, or -1 where examples have targets. */
export interface Example extends Place {
  readonly name: string;
  readonly label: number;
  readonly split: Split;
  /** Who or what was recorded, where the names say it. */
  readonly group: string | null;
}

export type ElementType = "uint8" | "int8" | "int16" | "int32" | "float32" | "float64" | "float16" | "int64";

/** How the bytes of an example become values; one for each format that files have. */
export type Encoding =
  | { readonly format: "image"; readonly size: ImageSize | null }
  | { readonly format: "wav" }
  | { readonly format: "csv"; readonly delimiter: string; readonly columns: readonly number[] }
  | { readonly format: "acquisition" }
  /** Elements one after another, as in IDX and NumPy files. */
  | {
      readonly format: "raw";
      readonly element: ElementType;
      readonly bigEndian: boolean;
      /** Images are brought from the first size to the second. */
      readonly resize?: { readonly from: Required<ImageSize>; readonly to: ImageSize };
    };

export interface ImageSize {
  readonly height: number;
  readonly width: number;
  /** 1 for grey, 3 for red, green, blue; as in the files where not given. */
  readonly channels?: number;
}

/** What is done to every example once it is read, so that all have one shape. */
export interface Fit {
  /** Samples (sound) or rows (series) that every example is cut or filled with zeros to; null for their own length. */
  readonly length: number | null;
  /** What is kept of a longer example, and where a shorter one is put. */
  readonly align: "start" | "center";
  /** Sound of another rate is brought to this one; null where the rates are known to be the same. */
  readonly resampleTo: number | null;
}

/** Recordings of nothing in particular, to be mixed with the examples. */
export interface Background {
  readonly files: readonly string[];
}

/** A file whose contents are kept, uncompressed, in memory that worker threads share. */
export interface DatasetFile {
  readonly path: string;
  readonly shared: SharedArrayBuffer | null;
}

/**
 * What is made of a signal before a network sees it, as a module: its `createTransform` is called in every worker with
 * these options (plain data) and the shape of an example.
 */
export interface TransformModule {
  /** An absolute path or a file URL. */
  readonly module: string;
  readonly options: unknown;
}

/**
 * All that is known of a data set without its values: plain data, which worker threads are given to read examples from.
 */
export interface DatasetIndex {
  /** What the files were taken for, in words. */
  readonly layout: string;
  readonly root: string;
  readonly kind: SampleKind;
  readonly encoding: Encoding;
  readonly fit: Fit;
  readonly files: readonly DatasetFile[];
  readonly examples: readonly Example[];
  /** Names of the classes, sorted; empty where examples have targets. */
  readonly classes: readonly string[];
  /** The shape of every example; null where they differ, as recordings do whose length is not fixed. */
  readonly shape: readonly number[] | null;
  /** Samples (or rows) in a second, where known. */
  readonly sampleRate: number | null;
  /** Names of a series' columns. */
  readonly columns: readonly string[];
  /**
   * What a network is to give: null for classes; "inputs" for what it is given, as an autoencoder does; else the targets of
   * all examples one after another, and the shape of one.
   */
  readonly targets: Targets | "inputs" | null;
  readonly background: Background;
  /** What batches of this set hold in place of its signals, unless a pipeline is told otherwise. */
  readonly transform?: TransformModule;
}

export interface Targets {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A data set: its index, and whatever was odd about it. */
export interface Dataset extends DatasetIndex {
  readonly warnings: readonly Diagnostic[];
  /** Reads example `index` of `examples`. Throws TH6001 or TH6011 if its file has changed for the worse since. */
  readonly read: (index: number) => Sample;
}

/** Indices of the examples of one split, in the index's order. */
export const examplesOf = ({ examples }: Pick<DatasetIndex, "examples">, split: Split): readonly number[] =>
  examples.flatMap((e, i) => (e.split === split ? [i] : []));
