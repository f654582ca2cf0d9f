import pc from "picocolors";
import type { Console } from "./command.js";

const width = 24;
const clearLine = "\r\u001b[2K";

/** A bar of `part` in `total`, such as `[######------] 1/2`. */
const bar = (part: number, total: number): string => {
  const filled = Math.round((width * part) / Math.max(total, 1));
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${part}/${total}`;
};

/** The messages of a command on stderr: a bar that stays on its line on a terminal, plain lines elsewhere. */
export function stderrConsole(): Console & { readonly end: () => void } {
  const { stderr } = process;
  let onBar = false;
  const end = (): void => {
    if (onBar) stderr.write(clearLine);
    onBar = false;
  };
  return {
    end,
    note: (text) => {
      end();
      stderr.write(`${pc.dim(text)}\n`);
    },
    progress: (text, part, total) => {
      if (!stderr.isTTY) {
        stderr.write(`${text}\n`);
        return;
      }
      stderr.write(`${clearLine}${bar(part, total)} ${text}`);
      onBar = true;
    },
  };
}

/** Says nothing, for --quiet. */
export const quietConsole: Console & { readonly end: () => void } = {
  end: () => {},
  note: () => {},
  progress: () => {},
};
