import { checkMel, checkSpectral, type MelAttrs, melBank } from "../common/spectral.js";
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

export type LogMelAttrs = MelAttrs;

const prepare = preparing<LogMelAttrs>((attrs) => ({ kind: "mel", bank: melBank(attrs), dct: null }));

const wide: LogMelAttrs = {
  sampleRate: 16000,
  window: 480,
  hop: 320,
  fft: 512,
  mels: 40,
  lowHz: 20,
  highHz: 7600,
  scale: "htk",
  lowDb: -100,
  highDb: 0,
};
const narrow: LogMelAttrs = { ...wide, sampleRate: 8000, window: 64, hop: 24, fft: 64, mels: 7, highHz: 3800 };

export const logMel = defineOp<"LOG_MEL", LogMelAttrs>({
  name: "LOG_MEL",
  summary: "Levels of sound in bands that are even in mel, a row for each frame",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: spectralTraits,
  tflite: "none",
  infer: (view, report) => {
    const count = checkSpectral(view, report);
    return count === null || !checkMel(view.attrs, report) ? null : spectralOutput(view, count, view.attrs.mels);
  },
  reference: (view) => spectralReference(view, prepare(view.attrs)),
  gradient: "integers",
  ranges: "none",
  channels: "none",
  cost: (view) => spectralCost(view, view.attrs.fft),
  kernels: spectralKernels(prepare),
  samples: [
    spectralSample("16 kHz, 30 ms", wide, 3, "int8", 1),
    spectralSample("8 kHz, 8 ms", narrow, 5, "int8", 1),
    spectralSample("8 kHz, 8 ms", { ...narrow, scale: "slaney", lowHz: 0, highHz: 4000 }, 5, "int16", 1),
    spectralSample("padded", { ...narrow, window: 50, hop: 20, fft: 128, mels: 10 }, 4, "float32", 1),
    spectralSample("the smallest", { ...narrow, window: 15, hop: 15, fft: 16, mels: 2 }, 4, "int16", 1),
  ],
});
