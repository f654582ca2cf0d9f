import type { Report } from "../base/diagnostics.js";
import type { DType, TensorData } from "../base/dtype.js";
import type { NodeView, Quantization, Tensor } from "../ir/graph.js";
import type { ChannelsOf, RangesOf } from "./channels.js";
import type { Activation } from "./common/activation.js";
import type { GradientOf, NoGradient, Recurrence } from "./gradient.js";
import type { Isa } from "./isa.js";

export type { Report } from "../base/diagnostics.js";

/**
 * The rows (along axis 1, the height of NHWC) of one input that an output row needs: output row y reads input rows
 * first(y) + k * dilation for 0 <= k < taps; those outside the input are padding. `first` never falls.
 */
export interface RowWindow {
  readonly first: (row: number) => number;
  readonly taps: number;
  readonly dilation: number;
}

/** The window of an input whose row y is all that output row y needs of it. */
export const sameRow: RowWindow = { first: (row) => row, taps: 1, dilation: 1 };

/** The window of a convolution or a pool: `taps` rows from row * stride - padBefore. */
export const slidingRows = (stride: number, taps: number, padBefore: number, dilation = 1): RowWindow => ({
  first: (row) => row * stride - padBefore,
  taps,
  dilation,
});

/** For each input its window, or null where a row may need all of it (weights, a value for all rows). */
export type RowWindows = readonly (RowWindow | null)[];

/** How a window of `taps` moves along an axis, and how far it reaches over the ends. */
export interface WindowAxis {
  readonly stride: number;
  readonly taps: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Tensors that are blocks of another, of which each part starts at `begin`, an index for every axis. Where the parts lie
 * inside the whole in memory, the operator has nothing to do.
 */
export interface Parts {
  readonly whole: Tensor;
  readonly parts: readonly { readonly tensor: Tensor; readonly begin: readonly number[] }[];
}

/** An operator that sums products with constant weights: which inputs it takes, and the weights' axis of output channels. */
export interface WeightedSums {
  readonly input: number;
  readonly weights: number;
  readonly bias: number;
  readonly channelAxis: number;
}

/**
 * Sums of products with constant weights inside an operator, whose outputs are no linear function of them: the gates of a
 * recurrent layer. `input` "output": what is multiplied is output 0 of the step before.
 */
export interface InnerSums extends Omit<WeightedSums, "input"> {
  readonly input: number | "output";
}

/** What passes and the planner may know of an operator; they ask these and never its name. */
export interface Traits<A> {
  /** Output element i depends on element i of each input of the output's shape, and on whole smaller inputs only. */
  readonly elementwise: boolean;
  /** The output's bytes are the first input's, in the same order: no code runs if both share storage. */
  readonly view: boolean;
  /** The operator joins its inputs to its output, or takes blocks out of an input; null where a node does more. */
  readonly parts: ((view: NodeView<A>) => Parts | null) | "none";
  /** A copy of selected input elements: no arithmetic, so quantization passes through unchanged. */
  readonly moves: boolean;
  /** Inputs whose storage the output may take over, element by element, when nothing else needs them. */
  readonly inPlace: readonly number[];
  /** Input rows per output row, or "none" where an output row may need all of every input. */
  readonly rows: ((view: NodeView<A>) => RowWindows | "none") | "none";
  /** Inputs (state tensors) that the operator overwrites; they live between invocations. */
  readonly mutates: readonly number[];
  /** The activation that the operator is, where another operator could apply it to its own result. */
  readonly activation: Activation | "none";
  /**
   * The window of a convolution or a pool over input 0, for operators whose `attrs.padding` may be explicit, so that the
   * same window can be moved over a part of the image.
   */
  readonly window: ((view: NodeView<A>) => { readonly rows: WindowAxis; readonly columns: WindowAxis }) | "none";
  /** `attrs.padding` may be explicit, and padding reads as the input's zero point. */
  readonly takesPadding: boolean;
  /** The output follows from the inputs' shapes alone, so it is known before anything runs. */
  readonly shapeOnly: boolean;
  readonly sums: WeightedSums | "none";
  readonly innerSums: readonly InnerSums[];
  /** How the operator goes through a sequence, step by step, in operators that have gradients. */
  readonly recurrence: Recurrence<A> | "none";
  /**
   * The quantization of integer outputs: any ("free"), that of the inputs ("same"; also where `moves` or `view` is set), or
   * one that the operator fixes.
   */
  readonly quantizes: "free" | "same" | Readonly<Record<"int8" | "int16", Quantization>>;
  /** Inputs that training changes where they are float32 constants: weights, biases, slopes. */
  readonly parameters: readonly number[];
  /** Must run even if nothing reads its outputs: it changes variables or runs a subgraph. */
  readonly sideEffects: boolean;
}

/** The traits of an operator that has none; records spread it and state what differs. */
export const noTraits = {
  elementwise: false,
  view: false,
  parts: "none",
  moves: false,
  inPlace: [],
  rows: "none",
  window: "none",
  mutates: [],
  activation: "none",
  takesPadding: false,
  shapeOnly: false,
  sums: "none",
  innerSums: [],
  recurrence: "none",
  quantizes: "free",
  parameters: [],
  sideEffects: false,
} as const satisfies Traits<never>;

/**
 * An output as inference finds it. `quant` is a value where the operator fixes it, null where the output has none,
 * and "free" where the model chooses it.
 */
export interface OutputType {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly quant: Quantization | null | "free";
}

/** Which element types an implementation takes: one entry per input and output, alternatives as a list. */
export interface TypeSignature {
  readonly inputs: readonly (DType | readonly DType[])[];
  readonly outputs: readonly (DType | readonly DType[])[];
  /** The last entry of `inputs` (or `outputs`) stands for all further ones. */
  readonly variadic?: "inputs" | "outputs";
}

/** Work of one execution. */
export interface Cost {
  /** Multiply-accumulates, padding positions left out of account (as MLPerf and TFLite count: full windows). */
  readonly macs: number;
  /** Other arithmetic operations on elements: compares, adds, table look-ups. */
  readonly operations: number;
}

/** A node with storage: what a reference implementation runs on. Data arrays match the tensors of the same index. */
export interface ExecView<A> extends NodeView<A> {
  readonly in: readonly (TensorData | null)[];
  readonly out: readonly TensorData[];
  /** Storage of the variable that a resource tensor names. */
  readonly variable: (name: string) => TensorData;
}

export type Reference<A> = (view: ExecView<A>) => void;

/** A value of a C params struct: an integer, a float (written exactly), or an array of integers or of floats. */
export type CValue = number | { readonly float: number } | readonly number[] | { readonly floats: readonly number[] };

/** One argument of a kernel call, in C order. Tensor pointers are typed by their tensor's element type. */
export type KernelArg =
  /** The tensor; in a call for one row, the row if the input has a window, of one tap. */
  | { readonly kind: "input"; readonly index: number }
  /** The tensor; in a call for one row, the row. */
  | { readonly kind: "output"; readonly index: number }
  /** `const void *const *`: the rows of an input's window, NULL for those outside the input. Only for one row. */
  | { readonly kind: "rows"; readonly index: number }
  /** `int32_t`: which output row to compute (of an image), or which input row a fold is given. */
  | { readonly kind: "row" }
  /** Storage of the variable that resource input `index` names. */
  | { readonly kind: "variable"; readonly index: number }
  /** Data the kernel reads from flash: packed weights, tables, multipliers. Equal data is stored once. */
  | { readonly kind: "constant"; readonly label: string; readonly dtype: DType; readonly data: TensorData }
  | { readonly kind: "scratch" }
  | { readonly kind: "null" };

/** A call of a C kernel as data; code generation prints it. */
export interface KernelCall {
  /** The header under `src/`, for example `ops/conv2d/conv2d_s8.h`. */
  readonly source: string;
  /** The function: `void symbol(const <params type> *params, args...)`; without params, `void symbol(args...)`. */
  readonly symbol: string;
  readonly params: { readonly type: string; readonly fields: Readonly<Record<string, CValue>> } | null;
  readonly args: readonly KernelArg[];
  /** Bytes of the scratch argument, aligned to 8; 0 if the kernel takes none. */
  readonly scratchBytes: number;
  /** What sets apart calls of one function whose time differs more than their sizes do. */
  readonly variant?: string;
  /**
   * Of a kernel that goes through its weights once for each block of pixels: how many blocks a call has, and how many words
   * of their values each weight is multiplied with in all.
   */
  readonly blocks?: { readonly count: number; readonly words: number };
}

/**
 * What a kernel computes at a time. "whole": all outputs. "slice": all outputs too, and, called for tensors cut to one row
 * (axis 1 of size 1), that row of them; elements are written in ascending order, and no input row before the window of the
 * row at hand is read again. "row": one row of each output from the rows of its windows; a caller loops over rows and images.
 */
export type KernelForm = "whole" | "slice" | "row";

/** A C implementation. Kernels are tried in order; the first whose types and `matches` fit is taken. */
export interface Kernel<A> {
  readonly name: string;
  readonly types: TypeSignature;
  readonly matches?: (view: NodeView<A>) => boolean;
  readonly form: KernelForm;
  /**
   * Set for a kernel that only targets with these instructions gain from. Portable ones come after it, those for fewer
   * instructions after those for more.
   */
  readonly isa?: Exclude<Isa, "portable">;
  /** Set if the kernel reads and writes images whose pixels do not follow each other, by `view.pixelSteps`. */
  readonly pixelSteps?: true;
  readonly call: (view: NodeView<A>) => KernelCall;
  /**
   * For an operator whose outputs need all rows of input 0: a call that is given them one after another, in order, and
   * has written the outputs after the last. Its scratch keeps sums between calls. Null where the node cannot be folded so.
   */
  readonly fold?: (view: NodeView<A>) => KernelCall | null;
}

/** Scalar types of FlatBuffers fields in TFLite's option tables. */
export type FieldType = "int8" | "uint8" | "int32" | "uint32" | "float" | "bool" | "string" | "int32[]";

/** A field of an options table in slot order: name, type, default. */
export type OptionField = readonly [name: string, type: FieldType, fallback: number | boolean];

export type OptionValue = number | boolean | string | readonly number[];
export type OptionValues = Readonly<Record<string, OptionValue>>;

/** How TFLite stores the operator (BuiltinOperator and BuiltinOptions of its schema.fbs). */
export interface TfliteBinding<A> {
  readonly builtin: number;
  /**
   * The newest version that a current TFLite knows, if its meaning is this record's. Versions mostly add element types,
   * which are checked on their own, so a high version alone is no reason to refuse a model.
   */
  readonly maxVersion: number;
  /** The BuiltinOptions union tag (0 for none) and the table's fields in slot order. */
  readonly options: { readonly tag: number; readonly fields: readonly OptionField[] };
  /** Attributes from option values; every field is present (defaults filled in). Bad enumerators are reported. */
  readonly decode: (values: OptionValues, report: Report) => A;
  readonly encode: (attrs: A, view: NodeView<A>) => OptionValues;
  /** Omitted inputs at the end are left off; other operators write -1 for each, as their kernels count inputs. */
  readonly leavesOffInputs?: true;
}

/** A tensor of a sample: an activation with random contents, or a constant. */
export interface SampleTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly quant?: Quantization;
  /** Present for a constant: its elements, or "random" for seeded ones over the type's range. */
  readonly constant?: readonly number[] | "random";
  /** Range of random elements (real values for float32, else integers); default [-1, 1] or the type's range. */
  readonly range?: readonly [low: number, high: number];
  /** A state tensor, kept between invocations. */
  readonly variable?: boolean;
  /** For a resource tensor: its variable's name and what that holds. */
  readonly resource?: {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly quant?: Quantization;
  };
}

/** A small instance of an operator; generic tests run every sample of every operator on every target. */
export interface Sample<A> {
  readonly name: string;
  readonly attrs: A;
  readonly inputs: readonly (SampleTensor | null)[];
  /** Types of the outputs as a model would declare them; shapes are inferred, so they are not given. */
  readonly outputs: readonly {
    readonly dtype: DType;
    readonly quant?: Quantization;
    readonly shape?: readonly number[];
  }[];
}

/** All that the system knows of one operator. Absence is said ("none"), never left out. */
export interface OpSpec<Name extends string, A extends object> {
  /** TFLite's name of the operator, such as `CONV_2D`. */
  readonly name: Name;
  /** One line for the support table. */
  readonly summary: string;
  readonly arity: {
    readonly inputs: readonly [min: number, max: number];
    readonly outputs: readonly [min: number, max: number];
  };
  /** Inputs within the arity that may be null. */
  readonly optionalInputs: readonly number[];
  readonly traits: Traits<A>;
  readonly tflite: TfliteBinding<A> | "none";
  /**
   * Output types from inputs and attributes, or null after reporting why there are none. Arity and element types
   * have been checked before; `view.outputs` may be consulted only for what no input determines.
   */
  readonly infer: (view: NodeView<A>, report: Report) => readonly OutputType[] | null;
  /** The definition of the operator, for float and integer types; bit-exact with TFLM's for the latter. */
  readonly reference: Reference<A>;
  /** The gradient, as nodes that training adds to the graph; or why there is none. */
  readonly gradient: GradientOf<A> | NoGradient;
  /** How bounds of stored integers pass through, channel by channel; "none": an output may be anything its type holds. */
  readonly ranges: RangesOf<A> | "none";
  /** How channels hang together and can be cut out; "none" where they cannot. */
  readonly channels: ChannelsOf<A> | "none";
  readonly cost: (view: NodeView<A>) => Cost;
  readonly kernels: readonly Kernel<A>[];
  readonly samples: readonly Sample<A>[];
}

/** Declares an operator; types are inferred from the record. */
export const defineOp = <const Name extends string, A extends object>(spec: OpSpec<Name, A>): OpSpec<Name, A> => spec;
