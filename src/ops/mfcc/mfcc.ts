import { checkOption } from "../common/checks.js";
import { checkMel, checkSpectral, dctTable, type MelAttrs, melBank } from "../common/spectral.js";
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

export interface MfccAttrs extends MelAttrs {
  /** The first so many coefficients of the orthonormal DCT-II of a frame's levels are kept. */
  readonly coefficients: number;
}

const prepare = preparing<MfccAttrs>((attrs) => ({
  kind: "mel",
  bank: melBank(attrs),
  dct: dctTable(attrs.mels, attrs.coefficients),
}));

const wide: MfccAttrs = {
  sampleRate: 16000,
  window: 640,
  hop: 320,
  fft: 1024,
  mels: 40,
  coefficients: 10,
  lowHz: 20,
  highHz: 4000,
  scale: "htk",
  lowDb: -100,
  highDb: 0,
};
const narrow: MfccAttrs = { ...wide, sampleRate: 8000, window: 64, hop: 48, fft: 64, mels: 9, highHz: 3800 };

export const mfcc = defineOp<"MFCC", MfccAttrs>({
  name: "MFCC",
  summary: "Mel-frequency cepstral coefficients of sound, a row for each frame",
  arity: { inputs: [1, 1], outputs: [1, 1] },
  optionalInputs: [],
  traits: spectralTraits,
  tflite: "none",
  infer: (view, report) => {
    const count = checkSpectral(view, report);
    const { coefficients, mels } = view.attrs;
    if (count === null || !checkMel(view.attrs, report)) return null;
    const isSome = Number.isInteger(coefficients) && coefficients > 0 && coefficients <= mels;
    if (!checkOption(isSome, "coefficients", coefficients, `from 1 to ${mels}`, report)) return null;
    return spectralOutput(view, count, coefficients);
  },
  reference: (view) => spectralReference(view, prepare(view.attrs)),
  gradient: "integers",
  ranges: "none",
  channels: "none",
  cost: (view) => spectralCost(view, view.attrs.fft + view.attrs.mels * view.attrs.coefficients),
  kernels: spectralKernels(prepare),
  samples: [
    spectralSample("16 kHz, 40 ms", wide, 2, "int8", 4),
    spectralSample("8 kHz, 8 ms", { ...narrow, coefficients: 9 }, 4, "int16", 4),
    spectralSample("8 kHz, 8 ms", { ...narrow, coefficients: 5 }, 4, "float32", 4),
    spectralSample("one band", { ...narrow, mels: 1, coefficients: 1 }, 3, "int8", 4),
  ],
});
