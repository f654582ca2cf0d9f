import { fail } from "../base/diagnostics.js";
import { bytesOf, type DType, dtypes, elementsOf, fromBytes, type TensorData } from "../base/dtype.js";
import { type TensorId, tensorId } from "../base/units.js";
import type { GraphOf, NodeBase, Quantization, Tensor, TensorType, Variable } from "./graph.js";

/** Reads tokens of one line: words, numbers, JSON strings, objects and lists. */
class Line {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly number: number,
    private readonly file: string,
  ) {}

  fail(expected: string): never {
    return fail("TH2012", {
      where: [this.file, `line ${this.number}, column ${this.at + 1}`],
      found: JSON.stringify(this.text.slice(this.at, this.at + 40)),
      expected,
      fix: "write the text as printGraph does",
    });
  }

  private match(pattern: RegExp, expected: string): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return this.fail(expected);
    this.at = pattern.lastIndex;
    return found[1] ?? "";
  }

  word(): string {
    return this.match(/\s*([A-Za-z_][A-Za-z0-9_]*|->|=)/y, "a word");
  }

  /** Takes `word` if it comes next. */
  take(word: string): boolean {
    const before = this.at;
    if (/^\s*$/.test(this.text.slice(this.at)) || !/\s*([A-Za-z_]|->|=)/y.test(this.text.slice(this.at))) return false;
    if (this.word() === word) return true;
    this.at = before;
    return false;
  }

  expect(word: string): void {
    if (!this.take(word)) this.fail(word);
  }

  integer(): number {
    return Number(this.match(/\s*(-?\d+)/y, "an integer"));
  }

  string(): string {
    return this.json(/\s*("(?:[^"\\]|\\.)*")/y, "a string in quotes") as string;
  }

  object(): object {
    return this.json(/\s*(\{.*\}) (?=origin)/y, "attributes as a JSON object") as object;
  }

  private json(pattern: RegExp, expected: string): unknown {
    const text = this.match(pattern, expected);
    try {
      return JSON.parse(text);
    } catch {
      return this.fail(expected);
    }
  }

  /** `[1, -, 3]`, null for the dash. */
  list(): readonly (number | null)[] {
    const inside = this.match(/\s*\[([^\]]*)\]/y, "a list of numbers").trim();
    if (inside === "") return [];
    return inside.split(",").map((item) => {
      const text = item.trim();
      if (text === "-") return null;
      const value = Number(text);
      return text === "" || Number.isNaN(value) ? this.fail("a number") : value;
    });
  }

  numbers(): readonly number[] {
    return this.list().map((v) => v ?? this.fail("a number"));
  }

  /** One number, or a list of them. */
  oneOrMore(): readonly number[] {
    if (/^\s*\[/.test(this.text.slice(this.at))) return this.numbers();
    return [Number(this.match(/\s*(-?[\d.]+(?:e[+-]?\d+)?)/y, "a number"))];
  }

  end(): void {
    if (this.text.slice(this.at).trim() !== "") this.fail("the end of the line");
  }
}

function parseType(line: Line): TensorType {
  const dtype = line.word() as DType;
  if (!dtypes.includes(dtype)) line.fail(`one of ${dtypes.join(", ")}`);
  const shape = line.numbers();
  if (shape.some((n) => !Number.isInteger(n) || n < 0) || elementsOf(shape) > 2 ** 28) line.fail("a shape");
  let quant: Quantization | null = null;
  if (line.take("scale")) {
    const scales = line.oneOrMore();
    line.expect("zero");
    const zeroPoints = line.oneOrMore();
    if (scales.length === 0 || zeroPoints.length !== scales.length || scales.some((s) => !(s > 0)))
      line.fail("positive scales and as many zero points");
    quant = { scales, zeroPoints, axis: line.take("axis") ? line.integer() : 0 };
  }
  return { dtype, shape, quant };
}

function parseData(line: Line, type: TensorType): TensorData | null {
  if (!line.take("=")) return null;
  const bytes = Buffer.from(line.string(), "base64");
  const elements = elementsOf(type.shape);
  if (bytes.length !== bytesOf(type.dtype, elements)) line.fail(`${bytesOf(type.dtype, elements)} bytes in base64`);
  return fromBytes(type.dtype, bytes, elements);
}

function parseTensor(line: Line): Tensor {
  const id = tensorId(line.integer());
  const name = line.string();
  const type = parseType(line);
  const variable = line.take("variable");
  const resource = line.take("resource") ? { resource: line.string() } : {};
  return { id, name, ...type, variable, ...resource, data: parseData(line, type) };
}

function parseNode(line: Line): NodeBase {
  const op = line.word();
  const inputs = line.list().map((id) => (id === null ? null : tensorId(id)));
  line.expect("->");
  const outputs = line.numbers().map(tensorId);
  const attrs = line.object();
  line.expect("origin");
  const index = line.integer();
  const name = line.string();
  const version = line.take("version") ? { version: line.integer() } : {};
  return { op, inputs, outputs, attrs, origin: { index, op: name, ...version } };
}

/**
 * Reads what printGraph writes with full constants. Only the form is checked here: whether the operators exist and
 * agree is for the caller to check. Throws TH2012 with line and column.
 */
export function parseGraph(text: string, file = "graph"): GraphOf<NodeBase> {
  const tensors = new Map<TensorId, Tensor>();
  const variables: Variable[] = [];
  const nodes: NodeBase[] = [];
  let name = "";
  let inputs: readonly TensorId[] = [];
  let outputs: readonly TensorId[] = [];
  text.split("\n").forEach((content, i) => {
    if (content.trim() === "" || content.startsWith("#")) return;
    const line = new Line(content, i + 1, file);
    const keyword = line.word();
    if (keyword === "graph") name = line.string();
    else if (keyword === "tensor") {
      const tensor = parseTensor(line);
      tensors.set(tensor.id, tensor);
    } else if (keyword === "variable") {
      const variable = line.string();
      const type = parseType(line);
      variables.push({ name: variable, ...type, initial: parseData(line, type) });
    } else if (keyword === "node") {
      const node = parseNode(line);
      const missing = [...node.inputs, ...node.outputs].find((id) => id !== null && !tensors.has(id));
      if (missing !== undefined) line.fail(`tensor ${missing} to be defined above`);
      nodes.push(node);
    } else if (keyword === "inputs" || keyword === "outputs") {
      const ids = line.numbers().map(tensorId);
      if (ids.some((id) => !tensors.has(id))) line.fail("tensors that are defined above");
      if (keyword === "inputs") inputs = ids;
      else outputs = ids;
    } else line.fail("graph, tensor, variable, node, inputs or outputs");
    line.end();
  });
  return { name, tensors, nodes, inputs, outputs, variables };
}
