import { describe, expect, it } from "vitest";
import { assignVariable } from "../assign_variable/assign_variable.js";
import { readVariable } from "../read_variable/read_variable.js";
import { runOp, type TestTensor, vector } from "./testing.js";

describe("variables", () => {
  const handle: TestTensor = { dtype: "resource", shape: [], data: [], resource: "state" };

  it("are overwritten, then read", () => {
    const variables = { state: Int32Array.of(1, 2, 3) };
    runOp(assignVariable, {}, [handle, vector("int32", [4, 5, 6])], [], variables);
    expect([...variables.state]).toEqual([4, 5, 6]);
    const [out] = runOp(readVariable, {}, [handle], [{ dtype: "int32", shape: [3] }], variables);
    expect(out).toEqual({ shape: [3], data: [4, 5, 6] });
  });
});
