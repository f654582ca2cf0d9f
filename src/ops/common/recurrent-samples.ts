import { perTensor, type Quantization } from "../../ir/graph.js";
import type { Sample, SampleTensor } from "../spec.js";
import { plainRecurrent, type RecurrentAttrs, type RecurrentLayer } from "./recurrent-layer.js";
import { hiddenQuantization } from "./recurrent-scales.js";
import { sampleChannels } from "./weighted.js";

const [steps, batch] = [4, 2];

type Returns = RecurrentAttrs["returns"];

const countOf = (layer: RecurrentLayer, returns: Returns): number => (returns === "all" ? (layer.hasCell ? 3 : 2) : 1);

function floatSamples(layer: RecurrentLayer): readonly Sample<RecurrentAttrs>[] {
  const [inputs, units] = [3, 5];
  const rows = layer.gates * units;
  const tensor = (shape: readonly number[], constant?: "random"): SampleTensor => ({
    shape,
    dtype: "float32",
    ...(constant ? { constant } : {}),
  });
  const sample = (
    name: string,
    attrs: RecurrentAttrs,
    more: readonly (SampleTensor | null)[],
  ): Sample<RecurrentAttrs> => ({
    name,
    attrs,
    inputs: [
      tensor(attrs.timeMajor ? [steps, batch, inputs] : [batch, steps, inputs]),
      tensor([rows, inputs], "random"),
      tensor([rows, units], "random"),
      ...more,
    ],
    outputs: new Array<{ dtype: "float32" }>(countOf(layer, attrs.returns)).fill({ dtype: "float32" }),
  });
  const bias = tensor([rows], "random");
  const state = tensor([batch, units]);
  const variant = { lstm: {}, gru: { linearBeforeReset: true }, rnn: { activation: "RELU" as const } }[layer.kind];
  const past = layer.hasCell ? [state, state, tensor([3 * units], "random")] : [state];
  return [
    sample("no bias", { ...plainRecurrent, timeMajor: true }, []),
    sample("bias", { ...plainRecurrent, ...variant }, [bias, bias]),
    sample("the last state alone", { ...plainRecurrent, ...variant, returns: "hidden" }, [bias]),
    sample("reverse, clipped, initial state", { ...plainRecurrent, timeMajor: true, reverse: true, clip: 0.7 }, [
      bias,
      bias,
      ...past,
    ]),
  ];
}

function integerSample(
  layer: RecurrentLayer,
  name: string,
  dtype: "int8" | "int16",
  change: Partial<RecurrentAttrs>,
  { inputs, units }: { readonly inputs: number; readonly units: number },
): Sample<RecurrentAttrs> {
  const attrs = { ...plainRecurrent, ...change };
  const rows = layer.gates * units;
  const matrix = (columns: number, quant: Quantization): SampleTensor => ({
    shape: [rows, columns],
    dtype: "int8",
    quant,
    constant: "random",
    range: [-127, 127],
  });
  const [wide, reach] = dtype === "int8" ? (["int32", 3000] as const) : (["int64", 700_000] as const);
  const bias: SampleTensor = { shape: [rows], dtype: wide, constant: "random", range: [-reach, reach] };
  const output = { dtype, quant: hiddenQuantization[dtype] };
  return {
    name,
    attrs,
    inputs: [
      {
        shape: attrs.timeMajor ? [steps, batch, inputs] : [batch, steps, inputs],
        dtype,
        quant: dtype === "int8" ? perTensor(0.02, -9) : perTensor(0.0001),
      },
      matrix(inputs, sampleChannels(rows, 0.004)),
      matrix(units, attrs.reverse ? perTensor(0.02) : sampleChannels(rows, 0.004)),
      bias,
      ...(attrs.reverse ? [] : [bias]),
    ],
    outputs: new Array<typeof output>(countOf(layer, attrs.returns)).fill(output),
  };
}

function integerSamples(layer: RecurrentLayer): readonly Sample<RecurrentAttrs>[] {
  const last = { returns: "hidden", linearBeforeReset: true } as const;
  const clipped = { returns: "sequence", timeMajor: true, reverse: true, clip: 1.5 } as const;
  return [
    integerSample(layer, "int8", "int8", { returns: "sequence" }, { inputs: 5, units: 7 }),
    integerSample(layer, "int8, the last state", "int8", last, { inputs: 6, units: 8 }),
    integerSample(layer, "int8, reverse, clipped", "int8", clipped, { inputs: 3, units: 5 }),
    integerSample(layer, "int16", "int16", last, { inputs: 5, units: 7 }),
    integerSample(layer, "int16, reverse, clipped", "int16", clipped, { inputs: 3, units: 4 }),
  ];
}

/** Float32 in every form, and integers where the layer has them. */
export const recurrentSamples = (layer: RecurrentLayer): readonly Sample<RecurrentAttrs>[] => [
  ...floatSamples(layer),
  ...(layer.integer === "none" ? [] : integerSamples(layer)),
];
