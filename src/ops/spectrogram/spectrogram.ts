import { checkSpectral, type SpectralAttrs } from "../common/spectral.js";
import {
  preparing,
  spectralCost,
  spectralKernels,
  spectralOutput,
  spectralSample,
  spectralTraits,
} from "../common/spectral-op.js";
import { spectralReference } from "../common/spectral-reference.js";
import { defineOp } from "../spec.js";

export type SpectrogramAttrs = SpectralAttrs;

const prepare = preparing<SpectrogramAttrs>(() => ({ kind: "bins" }));
const base: SpectrogramAttrs = { sampleRate: 8000, window: 64, hop: 32, fft: 64, lowDb: -90, highDb: 0 };

export const spectrogram = defineOp<"SPECTROGRAM", SpectrogramAttrs>({
  name: "SPECTROGRAM",
  summary: "Levels of the spectrum of sound, a row for each frame",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: spectralTraits,
  tflite: "none",
  infer: (view, report) => {
    const count = checkSpectral(view, report);
    return count === null ? null : spectralOutput(view, count, view.attrs.fft / 2 + 1);
  },
  reference: (view) => spectralReference(view, prepare(view.attrs)),
  gradient: "integers",
  ranges: "none",
  channels: "none",
  cost: (view) => spectralCost(view, view.attrs.fft),
  kernels: spectralKernels(prepare),
  samples: [
    spectralSample("8 kHz, 8 ms", base, 4, "int8", 1),
    spectralSample("the largest", { ...base, window: 2000, hop: 500, fft: 2048 }, 2, "int16", 1),
    spectralSample("padded", { ...base, window: 30, hop: 12 }, 4, "float32", 1),
  ],
});
