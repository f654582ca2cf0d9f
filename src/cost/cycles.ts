/**
 * Cycles of kernels by estimate, without running anything: weighted sums of features, whose weights `npm run calibrate`
 * finds from measured layers on each emulated core.
 */
import { readAsset } from "../base/assets.js";
import { lazy } from "../base/lazy.js";
import type { LoweredNode } from "../ops/lower.js";
import type { KernelCall } from "../ops/spec.js";
import { callMade, type FeatureName, type Features, featuresOf } from "./features.js";

/** Cores whose kernels were measured. */
export const measuredCores = ["cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"] as const;
export type MeasuredCore = (typeof measuredCores)[number];

/** Cycles per unit of a feature; features that are not named cost nothing. */
export type Weights = Partial<Readonly<Record<FeatureName, number>>>;

/** What calibrated.json holds. */
export interface Calibration {
  readonly schemaVersion: 1;
  readonly cores: Readonly<
    Record<
      MeasuredCore,
      {
        /** By `kernelKey`; "" for those that were not measured. */
        readonly kernels: Readonly<Record<string, Weights>>;
        /** Estimate over measurement of whole models that took no part in the fit, least and most. */
        readonly error: readonly [low: number, high: number];
      }
    >
  >;
  /** Bytes of code of a kernel function with what only it calls, on a Cortex-M4 at -O2. */
  readonly codeBytes: Readonly<Record<string, number>>;
}

/** The weights that were measured. */
export const calibration = lazy((): Calibration => JSON.parse(readAsset("cost/calibrated.json")) as Calibration);

/** A weighted sum of features. */
export const weigh = (weights: Weights, features: Features): number =>
  Object.entries(weights).reduce((sum, [name, weight]) => sum + weight * features[name as FeatureName], 0);

/** What weights are known by: the function, and the kernel, as several may call the same function with other parameters. */
export const kernelKey = (call: KernelCall, kernel: { readonly name: string }): string =>
  `${call.symbol}${call.variant === undefined ? "" : ` ${call.variant}`}, ${kernel.name}`;

/** Letters that functions of one family have in common at least: `th_conv2d_s8`. */
const familyLetters = 12;

const commonLetters = (a: string, b: string): number => {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
};

/** Weights of a kernel; where it was not measured, those of the function with the most similar name and the same kernel's name. */
function weightsOf(core: MeasuredCore, call: KernelCall, kernel: { readonly name: string }): Weights {
  const { kernels } = calibration().cores[core];
  const key = kernelKey(call, kernel);
  const exact = kernels[key];
  if (exact !== undefined) return exact;
  const alike = Object.keys(kernels).filter(
    (k) => k.endsWith(`, ${kernel.name}`) && commonLetters(k, key) >= familyLetters,
  );
  const closest = alike.reduce<string>((a, b) => (commonLetters(b, key) > commonLetters(a, key) ? b : a), "");
  return kernels[closest] ?? {};
}

/**
 * Cycles of a node's kernel on a core, by estimate; 0 for a node without code.
 * @param byRows it is called for each row, though it may compute everything at once
 */
export function nodeCycles(node: LoweredNode, core: MeasuredCore, byRows = node.whole === null): number {
  const call = callMade(node, byRows);
  if (call === null) return 0;
  return weigh(weightsOf(core, call, node.kernel), featuresOf(node, byRows));
}

/** Bytes of code of a kernel function, by measurement; those of a typical one where it was not measured. */
export const codeBytesOf = (symbol: string): number => calibration().codeBytes[symbol] ?? typicalCodeBytes;

const typicalCodeBytes = 500;
