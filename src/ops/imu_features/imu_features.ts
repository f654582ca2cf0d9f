import { bytesOf, type DType, rangeOf } from "../../base/dtype.js";
import { perTensor } from "../../ir/graph.js";
import { checkOption, checkRank, checkShape } from "../common/checks.js";
import { logTable, maxFft, spectralScale } from "../common/spectral.js";
import { soundQuantization } from "../common/spectral-op.js";
import { inputOf, outputOf, sizeAt, zeroPointOf } from "../common/view.js";
import { defineOp, type Kernel, noTraits, type Sample, slidingRows } from "../spec.js";
import {
  bandEdges,
  channelsOf,
  comparedOf,
  featuresPerColumn,
  fftOf,
  type ImuFeaturesAttrs,
  imuFeaturesReference,
  rowsOf,
  statisticScale,
  tablesOf,
} from "./reference.js";

export type { ImuFeaturesAttrs } from "./reference.js";

function kernel(suffix: "s8" | "s16" | "f32", dtype: DType): Kernel<ImuFeaturesAttrs> {
  return {
    name: `portable ${suffix}`,
    form: "row",
    types: { inputs: ["int16"], outputs: [dtype] },
    call: (view) => {
      const { attrs } = view;
      const { hann, twiddles, offset, half } = tablesOf(attrs);
      const [channels, fft, output] = [channelsOf(view), fftOf(attrs), outputOf(view, 0)];
      const [stats, levels] = [statisticScale(view), spectralScale(view, half)];
      const { min, max } = dtype === "float32" ? { min: 0, max: 0 } : rangeOf(dtype);
      return {
        source: `ops/imu_features/imu_features_${suffix}.h`,
        symbol: `th_imu_features_${suffix}`,
        params: {
          type: "th_imu_features_params",
          fields: {
            window: attrs.window,
            fft,
            channels,
            statistics: Number(attrs.statistics),
            compared: comparedOf(view),
            bands: attrs.bands,
            offset,
            half,
            multiplier: stats.multiplier,
            shift: stats.shift,
            level_multiplier: levels.multiplier,
            level_shift: levels.shift,
            zero: zeroPointOf(output),
            min,
            max,
            factor: { float: stats.factor },
            level_factor: { float: levels.factor },
          },
        },
        args: [
          { kind: "rows", index: 0 },
          { kind: "constant", label: "hann", dtype: "int16", data: hann },
          { kind: "constant", label: "twiddles", dtype: "int32", data: twiddles },
          { kind: "constant", label: "logs", dtype: "int16", data: logTable() },
          { kind: "constant", label: "edges", dtype: "int16", data: bandEdges(attrs) },
          { kind: "scratch" },
          { kind: "output", index: 0 },
        ],
        // The columns' lengths; the transform, and the column it is made of.
        scratchBytes: bytesOf("int32", channels + (attrs.bands > 0 ? fft + 2 + ((attrs.window + 1) >> 1) : 0)),
      };
    },
  };
}

const isCount = (n: number): boolean => Number.isInteger(n) && n > 0;

const base: ImuFeaturesAttrs = {
  window: 20,
  hop: 10,
  statistics: true,
  similarities: true,
  bands: 3,
  lowDb: -80,
  highDb: 0,
};

function sample(
  name: string,
  dtype: DType,
  attrs: ImuFeaturesAttrs,
  rows: number,
  channels: number,
): Sample<ImuFeaturesAttrs> {
  const quant = dtype === "float32" ? {} : { quant: perTensor(dtype === "int8" ? 1 / 128 : 1 / 32768) };
  return {
    name: `${name}, ${dtype}`,
    attrs,
    inputs: [{ shape: [1, rows, 1, channels], dtype: "int16", quant: soundQuantization }],
    outputs: [{ dtype, ...quant }],
  };
}

export const imuFeatures = defineOp<"IMU_FEATURES", ImuFeaturesAttrs>({
  name: "IMU_FEATURES",
  summary: "Statistics of windows of a time series, cosines between its columns, and levels of bands of its spectrum",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: {
    ...noTraits,
    rows: ({ attrs }) => [slidingRows(attrs.hop, attrs.window, 0)],
  },
  tflite: "none",
  infer: (view, report) => {
    const { window, hop, bands, lowDb, highDb } = view.attrs;
    const input = inputOf(view, 0);
    if (!checkRank(input, [4], report)) return null;
    const isWindow = isCount(window) && window >= 2 && window <= maxFft && isCount(hop);
    if (!checkOption(isWindow, "window, hop", `${window}, ${hop}`, `whole, window from 2 to ${maxFft}`, report))
      return null;
    const mostBands = fftOf(view.attrs) / 2;
    const isBands = Number.isInteger(bands) && bands >= 0 && bands <= mostBands;
    if (!checkOption(isBands, "bands", bands, `from 0 to ${mostBands}`, report)) return null;
    const isRange = highDb - lowDb >= 1 && lowDb >= -200 && highDb <= 100;
    if (!checkOption(isRange, "lowDb", lowDb, "less than highDb", report)) return null;
    const isAny = featuresPerColumn(view) > 0;
    if (!checkOption(isAny, "statistics, similarities, bands", "none", "some, of more than one column", report))
      return null;
    const count = Math.floor((rowsOf(view) - window) / hop) + 1;
    const isSeries = input.shape[0] === 1 && input.shape[2] === 1 && count > 0;
    if (!checkShape(input, isSeries, `[1, at least ${window}, 1, columns]`, report)) return null;
    const { dtype } = outputOf(view, 0);
    const shape = [1, count, channelsOf(view), featuresPerColumn(view)];
    return [{ shape, dtype, quant: dtype === "float32" ? null : "free" }];
  },
  reference: imuFeaturesReference,
  gradient: "integers",
  ranges: "none",
  channels: "none",
  cost: (view) => {
    const fft = view.attrs.bands > 0 ? fftOf(view.attrs) : 0;
    const columns = sizeAt(outputOf(view, 0).shape, 1) * channelsOf(view);
    const transform = fft === 0 ? 0 : fft * (Math.log2(fft) + 1);
    const { window, statistics } = view.attrs;
    const products = (statistics ? 3 : 1) + comparedOf(view);
    return { macs: columns * (products * window + transform), operations: columns * (statistics ? 6 : 1) * window };
  },
  kernels: [kernel("s8", "int8"), kernel("s16", "int16"), kernel("f32", "float32")],
  samples: [
    sample("6 columns", "int8", base, 45, 6),
    sample("one column, odd", "int16", { ...base, window: 119, hop: 119, bands: 8 }, 119, 1),
    sample("statistics alone", "float32", { ...base, window: 7, hop: 3, similarities: false, bands: 0 }, 20, 3),
    sample("cosines alone", "int8", { ...base, statistics: false, bands: 0 }, 45, 6),
    sample("cosines of two columns and bands", "int16", { ...base, window: 33, hop: 5, statistics: false }, 40, 2),
    sample("short", "float32", { ...base, window: 2, hop: 1, bands: 8 }, 4, 2),
  ],
});
