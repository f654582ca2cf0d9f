/** How the harness drives incremental inference: a request is a whole window, or, if it keeps the state, one more hop. */
import type { ProgramModel, RunRequest } from "./target.js";

/** Rows that complete the first hop of a window whose rows are no multiple of a hop; no window needs them. */
function leadRows({ pushed, hopRows }: ProgramModel): number {
  if (!pushed || !hopRows) return 0;
  return (hopRows - (pushed.rows % hopRows)) % hopRows;
}

/** Bytes of rows that are pushed for one window. */
export const windowBytes = (model: ProgramModel): number =>
  !model.pushed ? 0 : (leadRows(model) + model.pushed.rows) * model.pushed.rowBytes;

/** Bytes of each input of a request. */
export const requestBytes = (model: ProgramModel, { keepState }: RunRequest): readonly number[] =>
  model.inputs.map(({ bytes }, i) =>
    keepState && model.hopRows && i === model.pushed?.index ? model.hopRows * model.pushed.rowBytes : bytes,
  );

/** A function that pushes a whole window hop by hop, and one that pushes a single hop. */
export function hopFunctions(model: ProgramModel, index: number): string {
  const { name, pushed, hopRows } = model;
  if (!pushed || !hopRows) return "";
  return `static void hop_${index}(void *arena)
{
    ${name}_push_hop(arena, (const void *)th_pushed_buffer);
}

static void push_${index}(void *arena)
{
    for (uint32_t at = 0; at < ${windowBytes(model)}u; at += ${hopRows * pushed.rowBytes}u) {
        ${name}_push_hop(arena, (const void *)(th_pushed_buffer + at));
    }
}
`;
}

/** The table of what is different about models that take hops; zeros for others. */
export function seriesTable(models: readonly ProgramModel[]): string {
  const entries = models.map((model, i) => {
    const { pushed, hopRows } = model;
    if (!pushed || !hopRows) return "    {0, 0, 0},\n";
    return `    {hop_${i}, ${hopRows * pushed.rowBytes}u, ${leadRows(model) * pushed.rowBytes}u},\n`;
  });
  return `const th_series th_series_of[] = {\n${entries.join("") || "    {0, 0, 0},\n"}};\n`;
}
