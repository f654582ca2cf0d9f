import { fail } from "../base/diagnostics.js";
import type { Board } from "../boards/board.js";
import { arenaBudget, arenaRegions, type BoardFit, fitBoard } from "../boards/fit.js";
import { boards, findBoard } from "../boards/table.js";
import { type ProjectKind, writeProject } from "../codegen/projects/index.js";
import type { Model } from "../ops/index.js";
import { findTarget } from "../verify/targets.js";
import { type CompileOptions, generate, planModel } from "./compile.js";
import { isaOfBoards } from "./isa.js";
import { checkReplaceable, manifestName, writeFolder } from "./output.js";
import { type InspectReport, inspectReport } from "./report/inspect.js";
import { type VerifyOptions, type VerifyReport, type VerifyTarget, verifyCompiled } from "./verification.js";

export {
  run,
  type VerifyOptions,
  type VerifyOutcome,
  type VerifyReport,
  type VerifyTarget,
  verify,
} from "./verification.js";

/** The board of that id, or one that the caller describes. Throws TH3002 with the ids that come close. */
export function boardOf(id: string | Board): Board {
  if (typeof id !== "string") return id;
  const board = findBoard(id);
  if (board !== undefined) return board;
  const words = id
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((w) => w.length > 1);
  const close = boards.filter((b) => words.some((w) => b.id.includes(w))).map((b) => b.id);
  return fail("TH3002", {
    found: JSON.stringify(id),
    ...(close.length > 0 ? { expected: close.slice(0, 8).join(", ") } : {}),
    fix: "`thimble boards` lists all",
  });
}

export interface InspectOptions extends CompileOptions {
  /** Boards to check, by id or described; all boards of the table unless given. */
  readonly boards?: readonly (string | Board)[];
}

/**
 * The options with the instructions that all boards have and their RAM as the budget, unless given: one plan must suit the
 * smallest. A plan is spread over the memories of a single board only.
 */
function forBoards<T extends CompileOptions>(options: T, chosen: readonly Board[]): T {
  const [board] = chosen;
  if (board === undefined) return options;
  const isa = options.isa ?? isaOfBoards(chosen);
  if (options.budgetBytes !== undefined) return { ...options, isa };
  const budgetBytes = Math.min(...chosen.map(arenaBudget));
  return { ...options, isa, budgetBytes, ...(chosen.length === 1 ? { regions: arenaRegions(board) } : {}) };
}

/** What a model costs and where it fits, without generating anything. */
export function inspect(model: Model, options: InspectOptions = {}): InspectReport {
  const chosen = options.boards?.map(boardOf);
  return inspectReport(planModel(model, forBoards(options, chosen ?? [])), chosen ?? boards, chosen ?? []);
}

export interface BuildOptions extends VerifyOptions {
  /** By id, or described. */
  readonly board: string | Board;
  /** The folder to write; replaced if an earlier build wrote it. */
  readonly out: string;
  readonly as?: ProjectKind;
  /** Targets to verify on; none for an empty list. Default: the emulated twin of the board's core, else the host. */
  readonly verifyOn?: readonly VerifyTarget[];
}

/** What `thimble build --json` prints; an inspection with what the linker and the targets said. */
export interface BuildReport extends InspectReport {
  readonly board: string;
  readonly fit: BoardFit;
  /** Null if nothing was written because the model does not fit. */
  readonly out: string | null;
  readonly files: readonly string[];
  readonly verification: VerifyReport | null;
}

/** The targets a board is verified on unless told otherwise, and what is missing for them here. */
export function defaultTargets(board: Board): { readonly names: readonly string[]; readonly notice: string | null } {
  const twin = board.emulated ?? "host";
  const missing = findTarget(twin).missingTool();
  if (missing === null) return { names: [twin], notice: null };
  const fallback = ["host", "wasm"].find((name) => findTarget(name).missingTool() === null);
  const notice = `${board.id} would be verified on ${twin}, but ${missing.found ?? "a tool"} is missing (${missing.fix}); ${fallback ? `verified on ${fallback} instead` : "verified on the interpreter only"}`;
  return { names: [fallback ?? "interpreter"], notice };
}

/**
 * Plans, generates, verifies and writes a project for a board. Nothing is written if the model does not fit (`fit` says
 * why) or if verification fails.
 */
export async function build(model: Model, options: BuildOptions): Promise<BuildReport> {
  const board = boardOf(options.board);
  const planned = planModel(model, forBoards(options, [board]));
  const inspection = inspectReport(planned, [board], [board]);
  const arenas = planned.plan.regions;
  const before = fitBoard(board, {
    peakBytes: inspection.totals.peakBytes,
    flashBytes: inspection.totals.flashBytes,
    linked: false,
    arenas,
  });
  const unwritten = { ...inspection, board: board.id, fit: before, out: null, files: [], verification: null };
  if (!before.fits) return unwritten;
  checkReplaceable(options.out);
  const generated = generate(planned);
  const names = options.verifyOn ?? defaultTargets(board).names;
  const verification =
    names.length === 0 ? null : await verifyCompiled(model, () => ({ planned, generated }), names, options);
  const linked = verification?.targets.find((t) => t.name === board.emulated)?.modelFlashBytes;
  const totals = { ...inspection.totals, flashBytes: linked ?? inspection.totals.flashBytes };
  const fit = fitBoard(board, {
    peakBytes: totals.peakBytes,
    flashBytes: totals.flashBytes,
    linked: linked !== undefined,
    arenas,
  });
  const report = { ...unwritten, totals, fit, fits: [fit], verification };
  if (!fit.fits || verification?.targets.some((t) => !t.identical)) return report;
  const files = writeProject(options.as ?? "c", {
    generated,
    graph: planned.graph,
    board,
    sha256: model.sha256,
    commandLine: options.commandLine ?? "the thimble library",
  });
  const written = { ...report, out: options.out, files: [...files.keys()] };
  writeFolder(options.out, new Map([...files, [manifestName, `${JSON.stringify(written, null, 2)}\n`]]));
  return written;
}
