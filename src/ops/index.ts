import type { GraphOf, ModelOf, NodeBase } from "../ir/graph.js";
import { abs } from "./abs/abs.js";
import { acos } from "./acos/acos.js";
import { acosh } from "./acosh/acosh.js";
import { add } from "./add/add.js";
import { argMax } from "./arg_max/arg_max.js";
import { argMin } from "./arg_min/arg_min.js";
import { asin } from "./asin/asin.js";
import { asinh } from "./asinh/asinh.js";
import { assignVariable } from "./assign_variable/assign_variable.js";
import { atan } from "./atan/atan.js";
import { atanh } from "./atanh/atanh.js";
import { averagePool2dGradient } from "./average_pool_2d_gradient/average_pool_2d_gradient.js";
import { averagePool2d } from "./average_pool2d/average_pool2d.js";
import { batchMatmul } from "./batch_matmul/batch_matmul.js";
import { batchNormalization } from "./batch_normalization/batch_normalization.js";
import { batchNormalizationGradient } from "./batch_normalization_gradient/batch_normalization_gradient.js";
import { batchNormalizationTraining } from "./batch_normalization_training/batch_normalization_training.js";
import { broadcastTo } from "./broadcast_to/broadcast_to.js";
import { callOnce } from "./call_once/call_once.js";
import { cast } from "./cast/cast.js";
import { ceil } from "./ceil/ceil.js";
import { concatenation } from "./concatenation/concatenation.js";
import { conv2dInputGradient } from "./conv_2d_input_gradient/conv_2d_input_gradient.js";
import { conv2dWeightsGradient } from "./conv_2d_weights_gradient/conv_2d_weights_gradient.js";
import { conv2d } from "./conv2d/conv2d.js";
import { cos } from "./cos/cos.js";
import { cosh } from "./cosh/cosh.js";
import { cumsum } from "./cumsum/cumsum.js";
import { depthToSpace } from "./depth_to_space/depth_to_space.js";
import { depthwiseConv2d } from "./depthwise_conv2d/depthwise_conv2d.js";
import { dequantize } from "./dequantize/dequantize.js";
import { div } from "./div/div.js";
import { dropout } from "./dropout/dropout.js";
import { elu } from "./elu/elu.js";
import { equal } from "./equal/equal.js";
import { erf } from "./erf/erf.js";
import { exp } from "./exp/exp.js";
import { expandDims } from "./expand_dims/expand_dims.js";
import { fakeQuantize } from "./fake_quantize/fake_quantize.js";
import { floor } from "./floor/floor.js";
import { floorMod } from "./floor_mod/floor_mod.js";
import { fmod } from "./fmod/fmod.js";
import { fullyConnected } from "./fully_connected/fully_connected.js";
import { gather } from "./gather/gather.js";
import { gelu } from "./gelu/gelu.js";
import { greater } from "./greater/greater.js";
import { greaterEqual } from "./greater_equal/greater_equal.js";
import { gru } from "./gru/gru.js";
import { hardSwish } from "./hard_swish/hard_swish.js";
import { imuFeatures } from "./imu_features/imu_features.js";
import { inRange } from "./in_range/in_range.js";
import { leakyRelu } from "./leaky_relu/leaky_relu.js";
import { less } from "./less/less.js";
import { lessEqual } from "./less_equal/less_equal.js";
import { log } from "./log/log.js";
import { logMel } from "./log_mel/log_mel.js";
import { logSoftmax } from "./log_softmax/log_softmax.js";
import { logicalAnd } from "./logical_and/logical_and.js";
import { logicalNot } from "./logical_not/logical_not.js";
import { logicalOr } from "./logical_or/logical_or.js";
import { logicalXor } from "./logical_xor/logical_xor.js";
import { logistic } from "./logistic/logistic.js";
import { lstm } from "./lstm/lstm.js";
import { maxPool2dGradient } from "./max_pool_2d_gradient/max_pool_2d_gradient.js";
import { maxPool2d } from "./max_pool2d/max_pool2d.js";
import { maximum } from "./maximum/maximum.js";
import { mean } from "./mean/mean.js";
import { mfcc } from "./mfcc/mfcc.js";
import { minimum } from "./minimum/minimum.js";
import { mirrorPad } from "./mirror_pad/mirror_pad.js";
import { mul } from "./mul/mul.js";
import { neg } from "./neg/neg.js";
import { notEqual } from "./not_equal/not_equal.js";
import { pack } from "./pack/pack.js";
import { pad } from "./pad/pad.js";
import { padv2 } from "./padv2/padv2.js";
import { pow } from "./pow/pow.js";
import { prelu } from "./prelu/prelu.js";
import { quantize } from "./quantize/quantize.js";
import { readVariable } from "./read_variable/read_variable.js";
import { reduceMax } from "./reduce_max/reduce_max.js";
import { reduceMin } from "./reduce_min/reduce_min.js";
import { reduceProd } from "./reduce_prod/reduce_prod.js";
import { relu } from "./relu/relu.js";
import { reluN1To1 } from "./relu_n1_to_1/relu_n1_to_1.js";
import { relu6 } from "./relu6/relu6.js";
import { reshape } from "./reshape/reshape.js";
import { resizeBilinear } from "./resize_bilinear/resize_bilinear.js";
import { resizeNearestNeighbor } from "./resize_nearest_neighbor/resize_nearest_neighbor.js";
import { rnn } from "./rnn/rnn.js";
import { round } from "./round/round.js";
import { rsqrt } from "./rsqrt/rsqrt.js";
import { scatter } from "./scatter/scatter.js";
import { scatterAdd } from "./scatter_add/scatter_add.js";
import { selectV2 } from "./select_v2/select_v2.js";
import { shape } from "./shape/shape.js";
import { sign } from "./sign/sign.js";
import { sin } from "./sin/sin.js";
import { sinh } from "./sinh/sinh.js";
import { slice } from "./slice/slice.js";
import { softmax } from "./softmax/softmax.js";
import { softplus } from "./softplus/softplus.js";
import { spaceToDepth } from "./space_to_depth/space_to_depth.js";
import type { OpSpec } from "./spec.js";
import { spectrogram } from "./spectrogram/spectrogram.js";
import { split } from "./split/split.js";
import { splitV } from "./split_v/split_v.js";
import { sqrt } from "./sqrt/sqrt.js";
import { squaredDifference } from "./squared_difference/squared_difference.js";
import { squeeze } from "./squeeze/squeeze.js";
import { stridedSlice } from "./strided_slice/strided_slice.js";
import { sub } from "./sub/sub.js";
import { sum } from "./sum/sum.js";
import { svdf } from "./svdf/svdf.js";
import { tan } from "./tan/tan.js";
import { tanh } from "./tanh/tanh.js";
import { tile } from "./tile/tile.js";
import { topkV2 } from "./topk_v2/topk_v2.js";
import { transpose } from "./transpose/transpose.js";
import { transposeConv } from "./transpose_conv/transpose_conv.js";
import { unidirectionalSequenceLstm } from "./unidirectional_sequence_lstm/unidirectional_sequence_lstm.js";
import { unpack } from "./unpack/unpack.js";
import { varHandle } from "./var_handle/var_handle.js";

/** Every operator, one line each. Everything else about it is in its folder. */
export const registry = [
  abs,
  acos,
  acosh,
  add,
  argMax,
  argMin,
  asin,
  asinh,
  assignVariable,
  atan,
  atanh,
  averagePool2d,
  batchMatmul,
  batchNormalization,
  broadcastTo,
  callOnce,
  cast,
  ceil,
  concatenation,
  conv2d,
  cos,
  cosh,
  cumsum,
  depthToSpace,
  depthwiseConv2d,
  dequantize,
  div,
  dropout,
  elu,
  equal,
  erf,
  exp,
  expandDims,
  fakeQuantize,
  floor,
  floorMod,
  fmod,
  fullyConnected,
  gather,
  gelu,
  greater,
  greaterEqual,
  gru,
  hardSwish,
  imuFeatures,
  leakyRelu,
  less,
  lessEqual,
  log,
  logMel,
  logSoftmax,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  logistic,
  lstm,
  maxPool2d,
  maximum,
  mean,
  mfcc,
  minimum,
  mirrorPad,
  mul,
  neg,
  notEqual,
  pack,
  pad,
  padv2,
  pow,
  prelu,
  quantize,
  readVariable,
  reduceMax,
  reduceMin,
  reduceProd,
  relu,
  relu6,
  reluN1To1,
  reshape,
  resizeBilinear,
  resizeNearestNeighbor,
  rnn,
  round,
  rsqrt,
  scatter,
  selectV2,
  shape,
  sign,
  sin,
  sinh,
  slice,
  softmax,
  softplus,
  spaceToDepth,
  spectrogram,
  split,
  splitV,
  sqrt,
  squaredDifference,
  squeeze,
  stridedSlice,
  sub,
  sum,
  svdf,
  tan,
  tanh,
  tile,
  topkV2,
  transpose,
  transposeConv,
  unidirectionalSequenceLstm,
  unpack,
  varHandle,
  // Of training only.
  inRange,
  scatterAdd,
  conv2dInputGradient,
  conv2dWeightsGradient,
  maxPool2dGradient,
  averagePool2dGradient,
  batchNormalizationTraining,
  batchNormalizationGradient,
] as const;

type Spec = (typeof registry)[number];

type NodeOfSpec<S> =
  S extends OpSpec<infer Name, infer A> ? NodeBase & { readonly op: Name; readonly attrs: A } : never;

/** A node of any operator, discriminated by `op`. */
export type Node = NodeOfSpec<Spec>;
export type OpName = Spec["name"];
export type Graph = GraphOf<Node>;
export type Model = ModelOf<Node>;

/** A graph that comes from no file as a model, for what takes one. */
export const modelOf = (main: Graph): Model => ({
  name: main.name,
  sha256: "",
  format: "memory",
  fileBytes: 0,
  main,
  subgraphs: [],
});

/** An operator with its attribute type forgotten, for code that treats all alike. */
export type AnyOp = OpSpec<OpName, object>;

const byName = new Map<string, AnyOp>(registry.map((spec) => [spec.name, spec as unknown as AnyOp]));

/** All operators, attribute types forgotten. */
export const operators: readonly AnyOp[] = [...byName.values()];

/** The operator of a node. */
export function specOf(node: { readonly op: OpName }): AnyOp {
  const spec = byName.get(node.op);
  if (spec === undefined) throw new RangeError(`no operator ${node.op}`);
  return spec;
}

/** The operator of that name, or undefined. */
export const findOp = (name: string): AnyOp | undefined => byName.get(name);
