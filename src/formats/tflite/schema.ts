import type { DType } from "../../base/dtype.js";

/**
 * Slot numbers of TensorFlow Lite's schema.fbs, version 3 (tensorflow/lite/schema/schema.fbs), as far as Thimble reads
 * and writes it. Option tables of operators are with the operators.
 */
export const slots = {
  model: { version: 0, operatorCodes: 1, subgraphs: 2, description: 3, buffers: 4 },
  operatorCode: { deprecatedBuiltinCode: 0, customCode: 1, version: 2, builtinCode: 3 },
  subgraph: { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 },
  tensor: { shape: 0, type: 1, buffer: 2, name: 3, quantization: 4, isVariable: 5, sparsity: 6, shapeSignature: 7 },
  quantization: { min: 0, max: 1, scale: 2, zeroPoint: 3, detailsType: 4, details: 5, quantizedDimension: 6 },
  operator: { opcodeIndex: 0, inputs: 1, outputs: 2, optionsType: 3, options: 4, customOptions: 5 },
  buffer: { data: 0, offset: 1, size: 2 },
} as const;

/** The four bytes at offset 4 of every file. */
export const fileIdentifier = "TFL3";
export const schemaVersion = 3;

/** What the old 8-bit field says of every builtin code that only the 32-bit one can hold. */
export const wideBuiltin = 127;

/** TensorType enumerators; types Thimble has no use for are named so that diagnostics can say them. */
export const tensorTypes: readonly (DType | { readonly unsupported: string })[] = [
  "float32",
  "float16",
  "int32",
  "uint8",
  "int64",
  { unsupported: "STRING" },
  "bool",
  "int16",
  { unsupported: "COMPLEX64" },
  "int8",
  { unsupported: "FLOAT64" },
  { unsupported: "COMPLEX128" },
  { unsupported: "UINT64" },
  "resource",
  { unsupported: "VARIANT" },
  { unsupported: "UINT32" },
  { unsupported: "UINT16" },
  "int4",
  { unsupported: "BFLOAT16" },
];

/** Names of BuiltinOperator by code, for operators that Thimble does not have. */
export const builtinNames: readonly string[] =
  `ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM
MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS
SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND
SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN
EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2
GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG
SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT
UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU
SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE
MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND
SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL
COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE
READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU
DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2
UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT`.split(/\s+/);

const hints: Readonly<Record<string, string>> = {
  CUSTOM: "replace the custom operator by builtin ones before converting",
  SHAPE: "give the model a fixed input shape before converting, so that the converter folds SHAPE away",
  IF: "export the network without control flow",
  WHILE: "export the recurrent layer with unroll=True, or as UNIDIRECTIONAL_SEQUENCE_LSTM",
  SPACE_TO_BATCH_ND: "convert with a current TFLite converter, which turns it into a dilated convolution",
  BATCH_TO_SPACE_ND: "convert with a current TFLite converter, which turns it into a dilated convolution",
  GELU: "train with a ReLU or hard-swish activation, or convert with GELU written out in basic operators",
  DENSIFY: "export the model without sparse weights",
  LSTM: "convert with a current TFLite converter, which writes UNIDIRECTIONAL_SEQUENCE_LSTM",
};

/** What the user can do about an operator that Thimble does not have. */
export const wayOut = (name: string): string =>
  hints[name] ?? "replace it by operators that `thimble operators` lists before converting, or cut the model before it";
