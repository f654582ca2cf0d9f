#!/usr/bin/env node
import { cac } from "cac";
import pc from "picocolors";
import { InternalError } from "../../base/assert.js";
import { version } from "../../base/assets.js";
import { type DiagnosticCode, DiagnosticError } from "../../base/diagnostics.js";
import { type Console, commands, type Outcome } from "./commands.js";
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

/** Runs the command line; returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const cli = cac("thimble");
  let outcome: Outcome | Promise<Outcome> | undefined;
  for (const command of commands) {
    const registered = cli.command(command.usage, command.summary);
    for (const [flags, description] of command.options) registered.option(flags, description);
    registered.option("--json", "print one JSON object");
    registered.option("--quiet", "no progress on stderr");
    for (const example of command.examples) registered.example(`  ${example}`);
    registered.action((...values: unknown[]) => {
      const options = values.at(-1) as RawOptions;
      const args = values.slice(0, -1).filter((v): v is string => typeof v === "string");
      const console: Console = { note: (text) => void (options["quiet"] || process.stderr.write(`${pc.dim(text)}\n`)) };
      outcome = command.run(args, options, console);
    });
  }
  cli.help();
  cli.version(version);
  cli.parse(["node", "thimble", ...argv], { run: false });
  if (cli.options["help"] || cli.options["version"]) return 0;
  if (cli.matchedCommand === undefined) {
    if (argv.length > 0 && argv[0]?.startsWith("-") !== true)
      process.stderr.write(`unknown command ${JSON.stringify(argv[0])}; see thimble --help\n`);
    else cli.outputHelp();
    return exitUsage;
  }
  await cli.runMatchedCommand();
  const { output, exitCode } = (await outcome) ?? { output: "", exitCode: 0 };
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
