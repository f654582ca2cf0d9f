/** What self-contained pages have in common: no script, no file besides, light and dark. */
import { grouped } from "../../base/units.js";

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** A coordinate of an SVG. */
export const fixed = (n: number): string => n.toFixed(1);

/** Numbers are grouped and stand to the right; text is escaped. */
export type Cell = string | number;

export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  rowClass: (i: number) => string = () => "",
): string {
  const body = rows.map(
    (row, i) =>
      `<tr class="${rowClass(i)}">${row.map((c) => (typeof c === "number" ? `<td class="n">${grouped(c)}</td>` : `<td>${escapeHtml(c)}</td>`)).join("")}</tr>`,
  );
  return `<div class="scroll"><table><thead><tr>${head.map((h) => `<th>${escapeHtml(h)}</th>`).join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

export const card = (label: string, value: string): string =>
  `<div class="card"><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`;

const style = `
:root{color-scheme:light dark;--bg:#fbfaf7;--ink:#1d2327;--soft:#6a737b;--line:#e2dfd8;--card:#fff;--peak:#c8452f}
@media (prefers-color-scheme:dark){:root{--bg:#15181b;--ink:#e6e8ea;--soft:#98a1a8;--line:#2c3237;--card:#1c2024;--peak:#e0644e}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1160px;margin:0 auto;padding:32px 24px 64px}h1{font-size:26px;margin:0 0 2px}h2{font-size:17px;margin:36px 0 10px}
.sub{color:var(--soft);font-size:13px;overflow-wrap:anywhere}.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin-top:20px}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px}.card b{display:block;font-size:20px;font-variant-numeric:tabular-nums}.card span{color:var(--soft);font-size:13px}
svg{display:block;width:100%;height:auto;background:var(--card);border:1px solid var(--line);border-radius:8px}
.grid{stroke:var(--line)}.tick{fill:var(--soft);font:11px system-ui,sans-serif}.label{fill:#fff;font:11px system-ui,sans-serif;pointer-events:none}
.legend{display:flex;gap:18px;color:var(--soft);font-size:13px;margin:8px 0 0}.legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px;background:var(--card)}table{border-collapse:collapse;width:100%;font-size:13px}th,td{text-align:left;padding:5px 8px;border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--soft);font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}tr:last-child td{border-bottom:0}
`;

/**
 * A page.
 * @param subtitle and body: HTML
 */
export const page = (title: string, subtitle: string, body: string, ownStyle: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)} - Thimble</title><style>${style}${ownStyle}</style></head>
<body><main><h1>${escapeHtml(title)}</h1><div class="sub">${subtitle}</div>
${body}
</main></body></html>
`;
