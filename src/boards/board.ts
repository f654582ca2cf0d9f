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

/** A board that one can buy. Sizes and clocks are from the vendor's documents, which `sources` names. */
export interface Board {
  /** What `--board` takes: lower case, words joined by `-`. */
  readonly id: string;
  readonly name: string;
  readonly vendor: string;
  readonly mcu: string;
  readonly core: Core;
  /** Highest clock of the core that runs the model, MHz. */
  readonly clockMhz: number;
  readonly fpu: "none" | "single" | "double";
  /** SIMD within a register (Armv7E-M DSP extension or alike). */
  readonly dsp: boolean;
  /** Armv8.1-M vector extension. */
  readonly helium: boolean;
  /** RAM a model's arena can be in; fastest first. */
  readonly sram: readonly MemoryRegion[];
  /** Memory for code and weights. */
  readonly flash: readonly MemoryRegion[];
  /** Fully qualified board name of the Arduino CLI. */
  readonly arduino: string | null;
  readonly platformio: { readonly platform: string; readonly board: string } | null;
  /** Board name of Zephyr's west build. */
  readonly zephyr: string | null;
  /** The emulated target that stands for the board's core in `thimble verify`. */
  readonly emulated: "cortex-m0plus" | "cortex-m3" | "cortex-m4" | "cortex-m7" | "cortex-m33" | "cortex-m55" | null;
  /** Documents the figures come from. */
  readonly sources: readonly string[];
}
