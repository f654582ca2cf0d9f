import type { DatasetFile, Encoding, Place, SampleKind, Split, Targets } from "./dataset.js";

/** An example as a scan of files found it, before classes are numbered and splits are decided. */
export interface FoundExample extends Place {
  readonly name: string;
  /** The name of the class; null where the example has a target. */
  readonly label: string | null;
  /** What a folder or a list says. */
  readonly split: Split | null;
  readonly group: string | null;
  /** The number in the example's name, for splits by number. */
  readonly order: number | null;
}

/** What a scan makes of files of one kind. */
export interface Found {
  readonly layout: string;
  readonly kind: SampleKind;
  readonly encoding: Encoding;
  readonly files: readonly DatasetFile[];
  readonly examples: readonly FoundExample[];
  readonly shape: readonly number[] | null;
  readonly sampleRate: number | null;
  readonly columns: readonly string[];
  readonly targets: Targets | null;
}
