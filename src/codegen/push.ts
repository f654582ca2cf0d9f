import { present } from "../base/assert.js";
import { ctypeOf } from "../base/dtype.js";
import { tensorOf } from "../ir/graph.js";
import { rowsOf } from "../ops/lower.js";
import { tensorBytes } from "../plan/tensors.js";
import { addressText, withArenas } from "./arenas.js";
import type { CodegenInput } from "./input.js";
import type { Printer } from "./printer.js";
import { drivenText, scheduleName, stateText } from "./streams.js";

/** The input that is pushed: its C type, rows and bytes of a row. */
export interface PushedInput {
  readonly index: number;
  readonly ctype: string;
  readonly rows: number;
  readonly rowBytes: number;
}

/** The pushed input of a plan, or null if all inputs are resident. */
export function pushedInput({ graph, plan }: Pick<CodegenInput, "graph" | "plan">): PushedInput | null {
  if (plan.pushed === null) return null;
  const t = tensorOf(graph, plan.pushed);
  const rows = rowsOf(t);
  return { index: graph.inputs.indexOf(t.id), ctype: ctypeOf(t.dtype), rows, rowBytes: tensorBytes(t) / rows };
}

/** The definitions of NAME_begin, NAME_push_rows and NAME_finish; `rest` runs what follows the first group. */
export function pushFunctions(p: Printer, rest: string): string {
  const { name, plan } = p.input;
  const pushed = present(pushedInput(p.input), "pushed input");
  const group = present(plan.groups[0], "first group");
  const buffer = present(plan.bufferOf.get(present(plan.pushed, "pushed input")), "its buffer");
  const place =
    buffer.rows < pushed.rows
      ? buffer.rows === 1
        ? ""
        : `state[TH_ROWS_PUSHED] % ${buffer.rows}u`
      : "state[TH_ROWS_PUSHED]";
  const at = `${addressText(buffer)}${place === "" ? "" : ` + ${place} * ${pushed.rowBytes}u`}`;
  const push = `    uint16_t *const state = ${stateText(p, group)};
    const uint8_t *from = (const uint8_t *)rows;
    for (; count > 0 && state[TH_ROWS_PUSHED] < ${pushed.rows}; count--, from += ${pushed.rowBytes}) {
        memcpy(${at}, from, ${pushed.rowBytes});
        state[TH_ROWS_PUSHED]++;
        th_play(&${scheduleName(p, 0)}, a, state);
    }`;
  const finish = `    const int32_t missing = ${pushed.rows} - (${stateText(p, group)})[TH_ROWS_PUSHED];
    if (missing > 0) {
        return missing;
    }
${rest}`;
  return `void ${name}_begin(void *arena)
{
    uint8_t *const a = (uint8_t *)arena;
${withArenas(plan, drivenText(p, group, 0))}
}

int32_t ${name}_push_rows(void *arena, const ${pushed.ctype} *rows, int32_t count)
{
    uint8_t *const a = (uint8_t *)arena;
${withArenas(plan, push)}
    return ${pushed.rows} - state[TH_ROWS_PUSHED];
}

int32_t ${name}_finish(void *arena)
{
    uint8_t *const a = (uint8_t *)arena;
${withArenas(plan, finish)}
    return 0;
}
`;
}

/** The declarations of the same functions. */
export function pushDeclarations(input: CodegenInput, { index, ctype, rows, rowBytes }: PushedInput): string {
  const { name } = input;
  const macro = `${name.toUpperCase()}_INPUT_${index}`;
  return `/*
 * Input ${index} is pushed: ${rows} rows of ${rowBytes} bytes, as they become known. Each push computes all that its rows allow.
 */
#define ${macro}_ROWS ${rows}
#define ${macro}_ROW_BYTES ${rowBytes}

/* Starts an inference.${input.graph.inputs.length > 1 ? " Fill the other inputs first: their bytes are reused and are not kept." : ""} */
void ${name}_begin(void *arena);

/* Hands over the next \`count\` rows, which are copied; returns how many are still missing. More than all are ignored. */
int32_t ${name}_push_rows(void *arena, const ${ctype} *rows, int32_t count);

/* Ends the inference and returns 0, or returns how many rows are missing and does nothing. Outputs stay until the next
 * ${name}_begin. */
int32_t ${name}_finish(void *arena);
`;
}
