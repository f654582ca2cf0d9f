import { describe, expect, it } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { add } from "../add/add.js";
import { div } from "../div/div.js";
import { maximum } from "../maximum/maximum.js";
import { minimum } from "../minimum/minimum.js";
import { mul } from "../mul/mul.js";
import { prelu } from "../prelu/prelu.js";
import type { OpSpec } from "../spec.js";
import { squaredDifference } from "../squared_difference/squared_difference.js";
import { sub } from "../sub/sub.js";
import { inferOp, runOp, vector } from "./testing.js";

const none = { activation: "NONE", potScaleInt16: false } as const;
const of = <A extends object>(spec: OpSpec<string, A>): OpSpec<string, object> =>
  spec as unknown as OpSpec<string, object>;

describe("quantized, worked by hand", () => {
  const half = perTensor(0.5, 2);
  const quarter = perTensor(0.25, -4);
  const one = perTensor(1, 10);

  // The inputs are 2, -5 and 31 (half), 3, 1 and 32 (quarter); the output is in ones above 10.
  it.each([
    ["ADD", of(add), none, [15, 6, 73]],
    ["SUB", of(sub), none, [9, 4, 9]],
    ["MUL", of(mul), none, [16, 5, 127]],
    ["SQUARED_DIFFERENCE", of(squaredDifference), {}, [11, 46, 11]],
  ])("%s", (_, spec, attrs, expected) => {
    const inputs = [vector("int8", [6, -8, 64], half), vector("int8", [8, 0, 124], quarter)];
    expect(runOp(spec, attrs, inputs, [{ dtype: "int8", quant: one }])[0]?.data).toEqual(expected);
  });

  it("clamps to the activation at the output's scale", () => {
    const q = perTensor(0.1, -100);
    const out = runOp(
      add,
      { ...none, activation: "RELU6" },
      [vector("int8", [-128, 0, 127], q), vector("int8", [-128, -100, 127], q)],
      [{ dtype: "int8", quant: q }],
    );
    // 0 and 6 are -100 and -40; the middle sum is 10, beyond 6.
    expect(out[0]?.data).toEqual([-100, -40, -40]);
  });

  it("16-bit products round to nearest", () => {
    const q = perTensor(2 ** -15);
    const [out] = runOp(
      mul,
      none,
      [vector("int16", [16384, -16384, 3], q), vector("int16", [16384, 16384, 16384], q)],
      [{ dtype: "int16", quant: q }],
    );
    expect(out?.data).toEqual([8192, -8192, 2]);
  });

  it("int32 wraps before the activation", () => {
    const inputs = [vector("int32", [2147483647, 5]), vector("int32", [1, -9])];
    expect(runOp(add, none, inputs, [{ dtype: "int32" }])[0]?.data).toEqual([-2147483648, -4]);
    expect(runOp(add, { ...none, activation: "RELU" }, inputs, [{ dtype: "int32" }])[0]?.data).toEqual([0, 0]);
  });

  it("prelu scales the negative side by alpha", () => {
    const [out] = runOp(
      prelu,
      {},
      [vector("int8", [-10, 10], perTensor(0.5)), vector("int8", [50, 50], perTensor(0.01))],
      [{ dtype: "int8", quant: perTensor(0.5) }],
    );
    expect(out?.data).toEqual([-5, 10]);
  });
});

describe("floats and comparisons", () => {
  it.each([
    ["DIV", of(div), { activation: "NONE" }, [3, -1.5]],
    ["SQUARED_DIFFERENCE", of(squaredDifference), {}, [4, 25]],
    ["MINIMUM", of(minimum), {}, [1, -3]],
    ["MAXIMUM", of(maximum), {}, [3, 2]],
  ])("%s", (_, spec, attrs, expected) => {
    const [out] = runOp(spec, attrs, [vector("float32", [3, -3]), vector("float32", [1, 2])], [{ dtype: "float32" }]);
    expect(out?.data).toEqual(expected);
  });
});

describe("inference", () => {
  it("refuses shapes that do not broadcast", () => {
    const { types, problems } = inferOp(
      add,
      none,
      [vector("float32", [1, 2]), vector("float32", [1, 2, 3])],
      [{ dtype: "float32" }],
    );
    expect(types).toBeNull();
    expect(problems.map((p) => p.code)).toEqual(["TH2005"]);
  });

  it("refuses mixed types, and comparisons across scales", () => {
    expect(
      inferOp(add, none, [vector("float32", [1]), vector("int32", [1])], [{ dtype: "float32" }]).problems[0]?.code,
    ).toBe("TH2004");
    const inputs = [vector("int8", [1], perTensor(0.1)), vector("int8", [1], perTensor(0.2))];
    expect(inferOp(minimum, {}, inputs, [{ dtype: "int8", quant: perTensor(0.1) }]).problems[0]?.code).toBe("TH2006");
  });
});
