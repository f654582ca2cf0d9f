import type { Isa } from "../ops/isa.js";
import type { Feed } from "../plan/plan.js";
import type { Region } from "../plan/regions.js";

/** What a plan is chosen for. */
export const objectives = ["latency", "balanced", "memory", "size"] as const;
export type Objective = (typeof objectives)[number];

/** What a plan is chosen for where nothing is said: the fastest that fits where RAM is given, else something between. */
export const objectiveOf = ({ optimize, budgetBytes }: CompileOptions): Objective =>
  optimize ?? (budgetBytes === undefined ? "balanced" : "latency");

/** How a model is turned into a planned graph and into C. */
export interface CompileOptions {
  /** The prefix of the generated names; default: the model's name as a C identifier. */
  readonly name?: string;
  /** QUANTIZE and DEQUANTIZE at float inputs and outputs: kept (default), or dropped so that the ports are quantized. */
  readonly floatEdges?: "keep" | "drop";
  /**
   * "memory": the least RAM. "latency": the fewest instructions of the plans that fit `budgetBytes`. "balanced": the least
   * RAM that costs at most 5% more instructions by estimate. "size": the least flash of the plans that fit.
   * Default: "latency" with a budget, else "balanced".
   */
  readonly optimize?: Objective;
  /** RAM that a plan may need, in bytes; none: any amount. */
  readonly budgetBytes?: number;
  /**
   * Memories of the board and what arenas may have of each, fastest first. Where none of them holds a plan of what is asked
   * for, its buffers are spread over several, those in the fastest that are touched most.
   */
  readonly regions?: readonly Region[];
  /** "layers" runs every operator on its own, whatever else would be better. */
  readonly plan?: "layers";
  /** "resident" (default): the caller fills the first input in the arena. "pushed": it hands over row by row. */
  readonly feed?: Feed;
  /** Rows of the input that come at a time: compiles incremental inference over a time series. */
  readonly incremental?: number;
  /**
   * Instructions that the kernels may be written for. Default: those of the boards, or of the target, that a plan is made
   * for; "portable" for none.
   */
  readonly isa?: Isa;
  /** "none" runs only the passes that code generation needs. */
  readonly passes?: "all" | "none";
  /**
   * Channels that cannot change any output: removed (default), or kept, so that every operator's output is all that the
   * file's operator computes.
   */
  readonly deadChannels?: "remove" | "keep";
  /** Unused bytes between buffers and no shared storage, for tests that look for stray writes; plans layer by layer. */
  readonly guardBytes?: number;
  /** What the header of generated files says they were made by. */
  readonly commandLine?: string;
}
