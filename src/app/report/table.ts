/** How a column is aligned. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

// Terminal colours take no width.
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const width = (text: string): number => text.replace(escapes, "").length;

/** A plain table: a header line, a rule, and a line for each row. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((c, i) => Math.max(width(c.title), ...rows.map((r) => width(r[i] ?? ""))));
  const cell = (text: string, i: number): string => {
    const space = " ".repeat((widths[i] ?? 0) - width(text));
    return columns[i]?.align === "right" ? space + text : text + space;
  };
  const line = (cells: readonly string[]): string =>
    columns
      .map((_, i) => cell(cells[i] ?? "", i))
      .join("  ")
      .trimEnd();
  return [line(columns.map((c) => c.title)), widths.map((w) => "-".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}
