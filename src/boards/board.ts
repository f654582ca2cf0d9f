/** Processor cores that boards have. */
export type Core =
  | "avr"
  | "cortex-m0plus"
  | "cortex-m3"
  | "cortex-m4"
  | "cortex-m7"
  | "cortex-m33"
  | "cortex-m55"
  | "cortex-m85"
  | "xtensa-lx6"
  | "xtensa-lx7"
  | "riscv32";

/** A range of memory that is contiguous for a linker. */
export interface MemoryRegion {
  readonly name: string;
  readonly bytes: number;
  /** How fast the core reaches it: tightly coupled, on-chip, or through an external bus. */
  readonly kind: "tcm" | "internal" | "external";
}

/** How PlatformIO names a board, and the framework Thimble's project for it uses. */
export interface PlatformioBoard {
  readonly platform: string;
  readonly board: string;
  /** Arduino where the board has it; otherwise what it has of the two others. */
  readonly framework: "arduino" | "espidf" | "zephyr";
}

/** A board that one can buy. Sizes and clocks are from the vendor's documents, which `sources` names. */
export interface Board {
  /** What `--board` takes: lower case, words joined by `-`. */
  readonly id: string;
  /** Other ids that `--board` takes for it: boards with the same processor and memories. */
  readonly aliases?: readonly string[];
  readonly name: string;
  readonly vendor: string;
  readonly mcu: string;
  readonly core: Core;
  /** Highest clock of the core that runs the model, MHz. */
  readonly clockMhz: number;
  readonly fpu: "none" | "single" | "double";
  /** SIMD within a 32-bit register: the DSP extension of Armv7E-M and Armv8-M. */
  readonly dsp: boolean;
  /** Armv8.1-M vector extension. */
  readonly helium: boolean;
  /** RAM a static array of a plain program can be in, fastest first; TCM that holds only code is left out. */
  readonly sram: readonly MemoryRegion[];
  /** Memory for code and weights, as the processor reads it. */
  readonly flash: readonly MemoryRegion[];
  /** Fully qualified board name of the Arduino CLI; null if there is none or none is confirmed. */
  readonly arduino: string | null;
  readonly platformio: PlatformioBoard | null;
  /** Board target of Zephyr's `west build -b`, with its qualifiers; null if there is none. */
  readonly zephyr: string | null;
  /**
   * The emulated target that stands for the board's core in `thimble verify`. The M85 has the instructions of the
   * M55, which stands for it; null for a core that no emulator here runs.
   */
  readonly emulated: "cortex-m0plus" | "cortex-m3" | "cortex-m4" | "cortex-m7" | "cortex-m33" | "cortex-m55" | null;
  /** Documents the figures come from. */
  readonly sources: readonly string[];
}
