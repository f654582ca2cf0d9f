import { present } from "../base/assert.js";
import { bytesOf, ctypeOf, elementsOf } from "../base/dtype.js";
import { type Tensor, tensorOf } from "../ir/graph.js";
import type { Plan } from "../plan/plan.js";
import { initParameters, loadText } from "./arenas.js";
import { commentText, floatLiteral } from "./c.js";
import { hopDeclarations } from "./incremental.js";
import { type CodegenInput, fileBanner } from "./input.js";
import { pushDeclarations, pushedInput } from "./push.js";

/** Macros and the accessor of one input or output. */
function portText(input: CodegenInput, kind: "input" | "output", index: number, tensor: Tensor): string {
  const prefix = `${input.name}_${kind}_${index}`;
  const macro = prefix.toUpperCase();
  const type = ctypeOf(tensor.dtype);
  const buffer = present(input.plan.bufferOf.get(tensor.id), `storage of ${tensor.name}`);
  const isPushed = kind === "input" && tensor.id === input.plan.pushed;
  const scale = tensor.quant?.scales[0];
  const elements = elementsOf(tensor.shape);
  const lines = [
    `/* ${kind} ${index} "${commentText(tensor.name)}": ${tensor.dtype} [${tensor.shape.join(", ")}]${scale === undefined ? "" : "; real = SCALE * (value - ZERO_POINT)"} */`,
    ...(isPushed ? [] : [`#define ${macro}_OFFSET ${buffer.offset}`]),
    `#define ${macro}_BYTES ${bytesOf(tensor.dtype, elements)}`,
    `#define ${macro}_ELEMENTS ${elements}`,
    `#define ${macro}_RANK ${tensor.shape.length}`,
    `#define ${macro}_SHAPE {${tensor.shape.length === 0 ? "1" : tensor.shape.join(", ")}}`,
  ];
  if (scale !== undefined) {
    lines.push(
      `#define ${macro}_SCALE ${floatLiteral(Math.fround(scale))}`,
      `#define ${macro}_ZERO_POINT ${tensor.quant?.zeroPoints[0] ?? 0}`,
    );
  }
  if (isPushed) return `${lines.join("\n")}\n`;
  const arena = buffer.region === 0 ? "(uint8_t *)arena" : loadText("(uint8_t *)arena", buffer.region);
  lines.push(
    `static inline ${type} *${prefix}(void *arena)\n{\n    return (${type} *)(void *)(${arena} + ${macro}_OFFSET);\n}\n`,
  );
  return lines.join("\n");
}

/** The macros of the arenas' sizes. */
function arenaText(macro: string, { regions, arenaBytes, arenaAlignment }: Plan): string {
  const first = [
    `#define ${macro}_ARENA_BYTES ${Math.max(arenaBytes, 1)}`,
    `#define ${macro}_ARENA_ALIGNMENT ${arenaAlignment}`,
  ];
  if (regions.length === 1)
    return [
      "/*",
      ` * The arena is the only memory the model needs. It belongs to the caller, is aligned to ${macro}_ARENA_ALIGNMENT and`,
      " * holds inputs, outputs and any state; several arenas give several independent instances.",
      " */",
      ...first,
    ].join("\n");
  const others = regions
    .slice(1)
    .flatMap(({ bytes }, i) => [
      `#define ${macro}_ARENA_${i + 1}_BYTES ${bytes}`,
      `#define ${macro}_ARENA_${i + 1}_ALIGNMENT ${arenaAlignment}`,
    ]);
  return [
    "/*",
    " * The arenas are the only memory the model needs, each in a memory of its own:",
    ...regions.map(
      ({ name }, i) =>
        ` * ${i === 0 ? "the first" : `arena ${i}`} in ${commentText(name)}${i < regions.length - 1 ? "," : "."}`,
    ),
    " * They belong to the caller, are aligned as said below and hold inputs, outputs and any state; several sets of them give",
    " * several independent instances. The first keeps the addresses of the others, so that it stands for all after init.",
    " */",
    ...first,
    ...others,
    `#define ${macro}_ARENA_COUNT ${regions.length}`,
  ].join("\n");
}

const initComment = ({ regions }: Plan): string =>
  regions.length === 1
    ? "/* Once per arena, before the first inference, and whenever state is to be forgotten. */"
    : "/* Once per set of arenas, before anything else is done with them, and whenever state is to be forgotten. */";

/** The public header of a model: sizes as macros, accessors of its inputs and outputs, and the two functions. */
export function modelHeader(input: CodegenInput): string {
  const { name, graph, plan } = input;
  const macro = name.toUpperCase();
  const pushed = pushedInput(input);
  const ports = [
    ...graph.inputs.map((id, i) => portText(input, "input", i, tensorOf(graph, id))),
    ...graph.outputs.map((id, i) => portText(input, "output", i, tensorOf(graph, id))),
  ];
  return `${fileBanner(input, `${name}: the public interface.`)}#ifndef ${macro}_H
#define ${macro}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

${arenaText(macro, plan)}
#define ${macro}_INPUT_COUNT ${graph.inputs.length}
#define ${macro}_OUTPUT_COUNT ${graph.outputs.length}

${ports.join("\n")}
${initComment(plan)}
void ${name}_init(${initParameters(plan)});

${
  pushed
    ? (plan.incremental === null ? pushDeclarations : hopDeclarations)(input, pushed)
    : `/* One inference. Fill the inputs first: their bytes are reused and are not kept. Outputs stay until the next call. */
void ${name}_invoke(void *arena);
`
}
#ifdef __cplusplus
}
#endif

#endif
`;
}
