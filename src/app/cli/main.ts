#!/usr/bin/env node
import { cac } from "cac";
import pc from "picocolors";
import { InternalError } from "../../base/assert.js";
import { version } from "../../base/assets.js";
import { type DiagnosticCode, DiagnosticError } from "../../base/diagnostics.js";
import type { Command, Outcome } from "./command.js";
import { commands } from "./commands.js";
import { quietConsole, stderrConsole } from "./console.js";
import type { RawOptions } from "./options.js";

const exitUsage = 2;

/** Codes that say the command line is wrong rather than the work. */
const usageCodes: readonly DiagnosticCode[] = ["TH3002", "TH4003", "TH5002", "TH6003"];

const isUsage = (error: unknown): boolean =>
  error instanceof DiagnosticError
    ? error.diagnostics.every((d) => usageCodes.includes(d.code))
    : error instanceof Error && error.name === "CACError";

function printError(error: unknown): void {
  const stderr = (text: string): void => void process.stderr.write(`${text}\n`);
  if (error instanceof DiagnosticError) stderr(error.message.replace(/^(TH\d{4})/gm, (code) => pc.bold(pc.red(code))));
  else if (error instanceof Error && error.name === "CACError") stderr(`${error.message}; see thimble --help`);
  else if (error instanceof InternalError || error instanceof Error)
    stderr(`thimble failed; this is a defect, please report it with the model.\n${error.stack ?? error.message}`);
  else stderr(String(error));
}

/** Registers every command with the parser; `start` is called with the one that the command line names. */
function commandLineParser(start: (command: Command, args: readonly string[], options: RawOptions) => void) {
  const cli = cac("thimble");
  for (const command of commands) {
    const registered = cli.command(command.usage, command.summary);
    for (const [flags, description] of command.options) registered.option(flags, description);
    registered.option("--json", "print one JSON object");
    registered.option("--quiet", "no progress on stderr");
    for (const example of command.examples) registered.example(`  ${example}`);
    registered.action((...values: unknown[]) => {
      const args = values.slice(0, -1).filter((v): v is string => typeof v === "string");
      start(command, args, values.at(-1) as RawOptions);
    });
  }
  cli.help();
  cli.version(version);
  return cli;
}

/** Runs the command line; returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  let outcome: Promise<Outcome> | undefined;
  const cli = commandLineParser((command, args, options) => {
    const console = options["quiet"] ? quietConsole : stderrConsole();
    outcome = Promise.resolve()
      .then(() => command.run(args, options, console))
      .finally(console.end);
  });
  cli.parse(["node", "thimble", ...argv], { run: false });
  if (cli.options["help"] || cli.options["version"]) return 0;
  if (cli.matchedCommand === undefined) {
    const [word] = argv;
    if (word === undefined || word.startsWith("-")) cli.outputHelp();
    else process.stderr.write(`unknown command ${JSON.stringify(word)}; see thimble --help\n`);
    return exitUsage;
  }
  await cli.runMatchedCommand();
  if (outcome === undefined) return exitUsage;
  const { output, exitCode } = await outcome;
  process.stdout.write(output);
  return exitCode;
}

// A reader that closes the pipe early is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    printError(error);
    process.exitCode = isUsage(error) ? exitUsage : 1;
  },
);
