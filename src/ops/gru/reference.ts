import type { FloatStep, IntegerStep } from "../common/recurrent-layer.js";
import { sigmoidCurve16 } from "../common/sigmoid.js";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Source: GRU in ONNX's Operators.md, with its default activations (Cho et al. 2014). */
export function gruStep({ units: n, attrs, given, past, clip, hidden }: FloatStep): void {
  const isLinear = attrs.linearBeforeReset;
  const back = past(0, isLinear ? 3 * n : 2 * n, hidden);
  const gate = (u: number): number => sigmoid(clip((given[u] as number) + (back[u] as number)));
  const reset = Float64Array.from(hidden, (_, u) => gate(n + u));
  const before = isLinear
    ? reset.map((r, u) => r * (back[2 * n + u] as number))
    : past(
        2 * n,
        n,
        hidden.map((h, u) => h * (reset[u] as number)),
      );
  for (let u = 0; u < n; u++) {
    const update = gate(u);
    const candidate = Math.tanh(clip((given[2 * n + u] as number) + (before[u] as number)));
    hidden[u] = (1 - update) * candidate + update * (hidden[u] as number);
  }
}

const curve = { multiplier: 3, shift: 0 };
const logistic16 = sigmoidCurve16(curve, "logistic");
const tanh16 = sigmoidCurve16(curve, "tanh");

/** The same in fixed point; bit-exact with th_gru_steps.h. */
export function gruIntegerStep({ units: n, attrs, given, past, narrow, scaled, clip, hidden }: IntegerStep): void {
  const isLinear = attrs.linearBeforeReset;
  const state = narrow();
  const back = past(0, 2 * n, state);
  const gate = (u: number): number => logistic16(clip((given[u] as number) + (back[u] as number)));
  const reset = Int32Array.from(hidden, (_, u) => gate(n + u));
  const before = past(2 * n, n, isLinear ? state : scaled(reset));
  for (let u = 0; u < n; u++) {
    const update = gate(u);
    const sum = before[u] as number;
    const scaledSum = isLinear ? (sum * (reset[u] as number) + 2 ** 14) >> 15 : sum;
    const candidate = tanh16(clip((given[2 * n + u] as number) + scaledSum));
    hidden[u] = candidate + ((update * ((hidden[u] as number) - candidate) + 2 ** 14) >> 15);
  }
}
