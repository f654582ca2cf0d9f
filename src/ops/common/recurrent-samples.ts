import { perTensor } from "../../ir/graph.js";
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

function integerSamples(layer: RecurrentLayer): readonly Sample<RecurrentAttrs>[] {
  const sample = (
    name: string,
    change: Partial<RecurrentAttrs>,
    { inputs, units }: { readonly inputs: number; readonly units: number },
  ): Sample<RecurrentAttrs> => {
    const attrs = { ...plainRecurrent, ...change };
    const rows = layer.gates * units;
    const matrix = (columns: number, perRow: "rows" | "one"): SampleTensor => ({
      shape: [rows, columns],
      dtype: "int8",
      quant: perRow === "rows" ? sampleChannels(rows, 0.004) : perTensor(0.02),
      constant: "random",
      range: [-127, 127],
    });
    const bias: SampleTensor = { shape: [rows], dtype: "int32", constant: "random", range: [-3000, 3000] };
    return {
      name,
      attrs,
      inputs: [
        {
          shape: attrs.timeMajor ? [steps, batch, inputs] : [batch, steps, inputs],
          dtype: "int8",
          quant: perTensor(0.02, -9),
        },
        matrix(inputs, "rows"),
        matrix(units, attrs.reverse ? "one" : "rows"),
        bias,
        ...(attrs.reverse ? [] : [bias]),
      ],
      outputs: new Array<object>(countOf(layer, attrs.returns)).fill({ quant: hiddenQuantization.int8 }).map((o) => ({
        ...o,
        dtype: "int8" as const,
      })),
    };
  };
  return [
    sample("int8", { returns: "sequence", linearBeforeReset: true }, { inputs: 5, units: 7 }),
    sample("int8, the last state", { returns: "hidden" }, { inputs: 6, units: 8 }),
    sample(
      "int8, reverse, clipped",
      { returns: "sequence", timeMajor: true, reverse: true, clip: 1.5 },
      {
        inputs: 3,
        units: 5,
      },
    ),
  ];
}

/** Float32 in every form, and int8 where the layer has it. */
export const recurrentSamples = (layer: RecurrentLayer): readonly Sample<RecurrentAttrs>[] => [
  ...floatSamples(layer),
  ...(layer.integer === "none" ? [] : integerSamples(layer)),
];
