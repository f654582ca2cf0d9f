import type { DiagnosticCode, DiagnosticSink, Problem } from "../../base/diagnostics.js";
import { type TensorId, tensorId } from "../../base/units.js";
import type { Origin, Tensor } from "../../ir/graph.js";
import { type AnyOp, type Node, operators } from "../../ops/index.js";
import type { OptionField, OptionValue, OptionValues } from "../../ops/spec.js";
import type { Table } from "./reader.js";
import { builtinNames, slots, wayOut } from "./schema.js";

/** An operator kind of the file. */
export interface OperatorCode {
  readonly name: string;
  readonly version: number;
  /** Undefined for one that Thimble does not have. */
  readonly spec: AnyOp | undefined;
}

const byBuiltin = new Map<number, AnyOp>(
  operators.flatMap((op) => (op.tflite === "none" ? [] : [[op.tflite.builtin, op] as const])),
);

/** Reads an OperatorCode; old files have the 8-bit field only, which holds 127 where the code does not fit. */
export function readOperatorCode(table: Table): OperatorCode {
  const code = Math.max(
    table.int8(slots.operatorCode.deprecatedBuiltinCode),
    table.int32(slots.operatorCode.builtinCode),
  );
  const builtin = builtinNames[code] ?? `builtin operator ${code}`;
  const custom = table.string(slots.operatorCode.customCode);
  return {
    name: builtin === "CUSTOM" ? `CUSTOM ${JSON.stringify(custom ?? "")}` : builtin,
    version: table.int32(slots.operatorCode.version, 1),
    spec: byBuiltin.get(code),
  };
}

function readOption(table: Table | null, slot: number, [, type, fallback]: OptionField): OptionValue {
  switch (type) {
    case "int8":
      return table?.int8(slot, Number(fallback)) ?? fallback;
    case "uint8":
      return table?.uint8(slot, Number(fallback)) ?? fallback;
    case "int32":
      return table?.int32(slot, Number(fallback)) ?? fallback;
    case "uint32":
      return table?.uint32(slot, Number(fallback)) ?? fallback;
    case "float":
      return table?.float(slot, Number(fallback)) ?? fallback;
    case "bool":
      return table ? table.uint8(slot, fallback ? 1 : 0) !== 0 : fallback;
    case "string":
      return table?.string(slot) ?? "";
    case "int32[]":
      return table?.int32s(slot) ?? [];
    default:
      return type satisfies never;
  }
}

/** What reading operators needs of the subgraph they are in. */
export interface OperatorContext {
  readonly sink: DiagnosticSink;
  readonly place: readonly string[];
  readonly codes: readonly OperatorCode[];
  readonly tensors: ReadonlyMap<TensorId, Tensor>;
  readonly tensorCount: number;
}

/** Tensor ids of a node's inputs or outputs; -1 stands for an omitted one. Null after reporting a bad index. */
export function tensorRefs(
  indices: readonly number[],
  c: Pick<OperatorContext, "sink" | "tensorCount">,
  where: readonly string[],
): readonly (TensorId | null)[] | null {
  const bad = indices.find((i) => i < -1 || i >= c.tensorCount);
  if (bad === undefined) return indices.map((i) => (i === -1 ? null : tensorId(i)));
  c.sink.report("TH1003", {
    where,
    found: `tensor ${bad}`,
    expected: `-1 to ${c.tensorCount - 1}`,
    fix: "the file is damaged: convert the model again",
  });
  return null;
}

function unsupported(code: OperatorCode, where: readonly string[], sink: DiagnosticSink): void {
  sink.report("TH2001", {
    message: `unsupported operator ${code.name}`,
    where,
    found: `${code.name} version ${code.version}`,
    expected: "one that `thimble operators` lists",
    fix: wayOut(code.name.split(" ")[0] ?? ""),
  });
}

/** Reads one operator; null after reporting why it cannot be one of Thimble's. */
export function readOperator(c: OperatorContext, table: Table, index: number): Node | null {
  const opcode = table.uint32(slots.operator.opcodeIndex);
  const code = c.codes[opcode];
  const origin: Origin = { index, op: code?.name ?? "?", version: code?.version ?? 1 };
  const where = [...c.place, `op ${index} ${origin.op}`];
  if (code === undefined) {
    c.sink.report("TH1003", {
      where,
      found: `operator code ${opcode}`,
      expected: `less than ${c.codes.length}`,
      fix: "the file is damaged: convert the model again",
    });
    return null;
  }
  if (code.spec === undefined || code.spec.tflite === "none") {
    unsupported(code, where, c.sink);
    return null;
  }
  const binding = code.spec.tflite;
  if (code.version > binding.maxVersion) {
    c.sink.report("TH2002", {
      where,
      found: `${code.name} version ${code.version}`,
      expected: `version ${binding.maxVersion} or older`,
      fix: "convert the model for an older TFLite, or report the operator so that its new version is added",
    });
    return null;
  }
  const inputs = tensorRefs(table.int32s(slots.operator.inputs), c, where);
  const outputs = tensorRefs(table.int32s(slots.operator.outputs), c, where);
  if (inputs === null || outputs === null) return null;
  // A tensor that could not be read has been reported already.
  if ([...inputs, ...outputs].some((id) => id !== null && !c.tensors.has(id))) return null;
  const present = outputs.filter((id) => id !== null);
  if (present.length !== outputs.length) {
    c.sink.report("TH2003", { where, found: "an omitted output", fix: "the file is damaged: convert the model again" });
    return null;
  }
  const tag = table.uint8(slots.operator.optionsType);
  const options = tag === binding.options.tag && tag !== 0 ? table.table(slots.operator.options) : null;
  const values: OptionValues = Object.fromEntries(
    binding.options.fields.map((field, slot) => [field[0], readOption(options, slot, field)]),
  );
  const report = (diagnosticCode: DiagnosticCode, problem: Problem): void =>
    c.sink.report(diagnosticCode, { ...problem, where: [...where, ...(problem.where ?? [])] });
  const attrs = binding.decode(values, report);
  // The registry pairs each name with its attributes; the pair is remade here from data.
  return { op: code.spec.name, inputs, outputs: present, attrs, origin } as Node;
}
