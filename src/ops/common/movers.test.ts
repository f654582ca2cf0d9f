import { describe, expect, it } from "vitest";
import { perTensor } from "../../ir/graph.js";
import { concatenation } from "../concatenation/concatenation.js";
import { depthToSpace } from "../depth_to_space/depth_to_space.js";
import { expandDims } from "../expand_dims/expand_dims.js";
import { gather } from "../gather/gather.js";
import { mirrorPad } from "../mirror_pad/mirror_pad.js";
import { pack } from "../pack/pack.js";
import { pad } from "../pad/pad.js";
import { padv2 } from "../padv2/padv2.js";
import { reshape } from "../reshape/reshape.js";
import { slice } from "../slice/slice.js";
import { spaceToDepth } from "../space_to_depth/space_to_depth.js";
import type { OpSpec } from "../spec.js";
import { split } from "../split/split.js";
import { splitV } from "../split_v/split_v.js";
import { squeeze } from "../squeeze/squeeze.js";
import { type StridedSliceAttrs, stridedSlice } from "../strided_slice/strided_slice.js";
import { transpose } from "../transpose/transpose.js";
import { unpack } from "../unpack/unpack.js";
import { index, inferOp, runOp, type TestTensor } from "./testing.js";

const of = <A extends object>(spec: OpSpec<string, A>): OpSpec<string, object> =>
  spec as unknown as OpSpec<string, object>;

/** 0, 1, 2, ... under a shape. */
const counting = (...shape: number[]): TestTensor => ({
  dtype: "int32",
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
});
const masks: StridedSliceAttrs = {
  beginMask: 0,
  endMask: 0,
  ellipsisMask: 0,
  newAxisMask: 0,
  shrinkAxisMask: 0,
  offset: false,
};
const bounds = (begin: number[], end: number[], strides: number[]) => [begin, end, strides].map((v) => index(v));

type Row = readonly [
  name: string,
  spec: OpSpec<string, object>,
  attrs: object,
  inputs: readonly TestTensor[],
  ...outputs: (readonly [shape: number[], data: number[]])[],
];

/** Expected values are NumPy's or TensorFlow's documented ones, written out. */
const rows: readonly Row[] = [
  [
    "RESHAPE with -1",
    of(reshape),
    { shape: [] },
    [counting(2, 3), index([3, -1])],
    [
      [3, 2],
      [0, 1, 2, 3, 4, 5],
    ],
  ],
  ["SQUEEZE all", of(squeeze), { axes: [] }, [counting(1, 2, 1)], [[2], [0, 1]]],
  [
    "EXPAND_DIMS at the end",
    of(expandDims),
    {},
    [counting(2), index([-1])],
    [
      [2, 1],
      [0, 1],
    ],
  ],
  [
    "TRANSPOSE",
    of(transpose),
    {},
    [counting(2, 3), index([1, 0])],
    [
      [3, 2],
      [0, 3, 1, 4, 2, 5],
    ],
  ],
  [
    "SLICE to the end",
    of(slice),
    {},
    [counting(3, 4), index([1, 2]), index([-1, 1])],
    [
      [2, 1],
      [6, 10],
    ],
  ],
  [
    "STRIDED_SLICE x[::-1, 1:4:2]",
    of(stridedSlice),
    { ...masks, beginMask: 1, endMask: 1 },
    [counting(3, 4), ...bounds([0, 1], [0, 4], [-1, 2])],
    [
      [3, 2],
      [9, 11, 5, 7, 1, 3],
    ],
  ],
  [
    "STRIDED_SLICE x[-1]",
    of(stridedSlice),
    { ...masks, shrinkAxisMask: 1 },
    [counting(3, 4), ...bounds([-1], [0], [1])],
    [[4], [8, 9, 10, 11]],
  ],
  [
    "STRIDED_SLICE x[..., newaxis, 1]",
    of(stridedSlice),
    { ...masks, ellipsisMask: 1, newAxisMask: 2, shrinkAxisMask: 4 },
    [counting(2, 2, 3), ...bounds([0, 0, 1], [0, 0, 0], [1, 1, 1])],
    [
      [2, 2, 1],
      [1, 4, 7, 10],
    ],
  ],
  [
    "STRIDED_SLICE beyond the ends",
    of(stridedSlice),
    masks,
    [counting(5), ...bounds([-99], [99], [2])],
    [[3], [0, 2, 4]],
  ],
  [
    "PAD",
    of(pad),
    {},
    [counting(2, 2), index([1, 0, 0, 1], [2, 2])],
    [
      [3, 3],
      [0, 0, 0, 0, 1, 0, 2, 3, 0],
    ],
  ],
  [
    "PADV2",
    of(padv2),
    {},
    [counting(2), index([1, 2], [1, 2]), { dtype: "int32", shape: [], data: [7] }],
    [[5], [7, 0, 1, 7, 7]],
  ],
  [
    "MIRROR_PAD reflect",
    of(mirrorPad),
    { mode: "REFLECT" },
    [counting(3), index([2, 1], [1, 2])],
    [[6], [2, 1, 0, 1, 2, 1]],
  ],
  [
    "MIRROR_PAD symmetric",
    of(mirrorPad),
    { mode: "SYMMETRIC" },
    [counting(3), index([2, 1], [1, 2])],
    [[6], [1, 0, 0, 1, 2, 2]],
  ],
  [
    "CONCATENATION",
    of(concatenation),
    { axis: -1, activation: "NONE" },
    [counting(2, 1), counting(2, 2)],
    [
      [2, 3],
      [0, 0, 1, 1, 2, 3],
    ],
  ],
  [
    "PACK",
    of(pack),
    { axis: 1, count: 2 },
    [counting(2), counting(2)],
    [
      [2, 2],
      [0, 0, 1, 1],
    ],
  ],
  ["UNPACK", of(unpack), { axis: 1, count: 2 }, [counting(2, 2)], [[2], [0, 2]], [[2], [1, 3]]],
  [
    "SPLIT",
    of(split),
    { count: 2 },
    [index([1]), counting(2, 4)],
    [
      [2, 2],
      [0, 1, 4, 5],
    ],
    [
      [2, 2],
      [2, 3, 6, 7],
    ],
  ],
  [
    "SPLIT_V with -1",
    of(splitV),
    { count: 2 },
    [counting(5), index([1, -1]), index([0])],
    [[1], [0]],
    [[4], [1, 2, 3, 4]],
  ],
  [
    "GATHER along axis 1",
    of(gather),
    { axis: 1, batchDims: 0 },
    [counting(2, 3), index([2, 0])],
    [
      [2, 2],
      [2, 0, 5, 3],
    ],
  ],
  [
    "GATHER in batches",
    of(gather),
    { axis: 1, batchDims: 1 },
    [counting(2, 3), index([2, 0], [2, 1])],
    [
      [2, 1],
      [2, 3],
    ],
  ],
  ["GATHER limits wild indices", of(gather), { axis: 0, batchDims: 0 }, [counting(3), index([-5, 9])], [[2], [0, 2]]],
  [
    "SPACE_TO_DEPTH",
    of(spaceToDepth),
    { block: 2 },
    [counting(1, 2, 4, 1)],
    [
      [1, 1, 2, 4],
      [0, 1, 4, 5, 2, 3, 6, 7],
    ],
  ],
  [
    "DEPTH_TO_SPACE",
    of(depthToSpace),
    { block: 2 },
    [counting(1, 1, 2, 4)],
    [
      [1, 2, 4, 1],
      [0, 1, 4, 5, 2, 3, 6, 7],
    ],
  ],
];

describe("movers", () => {
  it.each(rows.map((row) => [row[0], row] as const))("%s", (_, [, spec, attrs, inputs, ...outputs]) => {
    const found = runOp(
      spec,
      attrs,
      inputs,
      outputs.map(() => ({ dtype: "int32" as const })),
    );
    expect(found.map((t) => [t.shape, t.data])).toEqual(outputs);
  });

  it("pads a quantized tensor with its zero point", () => {
    const quant = perTensor(0.5, -9);
    const [out] = runOp(
      pad,
      {},
      [{ dtype: "int8", shape: [1], data: [4], quant }, index([1, 1], [1, 2])],
      [{ dtype: "int8", quant }],
    );
    expect(out?.data).toEqual([-9, 4, -9]);
  });
});

describe("inference refuses", () => {
  const runtime = (t: TestTensor): TestTensor => ({ ...t, constant: false });
  it.each([
    ["a shape with other elements", of(reshape), { shape: [4] }, [counting(3)], "TH2007"],
    ["two open sizes", of(reshape), { shape: [-1, -1] }, [counting(4)], "TH2007"],
    ["an axis out of range", of(concatenation), { axis: 2, activation: "NONE" }, [counting(2), counting(2)], "TH2013"],
    ["an axis that is not 1", of(squeeze), { axes: [0] }, [counting(2, 1)], "TH2007"],
    ["a permutation with a repeat", of(transpose), {}, [counting(2, 2), index([0, 0])], "TH2007"],
    ["a permutation at run time", of(transpose), {}, [counting(2, 2), runtime(index([0, 1]))], "TH2008"],
    ["a slice past the end", of(slice), {}, [counting(3), index([1]), index([3])], "TH2007"],
    ["a stride of zero", of(stridedSlice), masks, [counting(3), ...bounds([0], [3], [0])], "TH2007"],
    ["an empty slice", of(stridedSlice), masks, [counting(3), ...bounds([2], [1], [1])], "TH2007"],
    [
      "a shrunk index past the end",
      of(stridedSlice),
      { ...masks, shrinkAxisMask: 1 },
      [counting(3), ...bounds([3], [4], [1])],
      "TH2007",
    ],
    ["negative padding", of(pad), {}, [counting(3), index([-1, 0], [1, 2])], "TH2007"],
    [
      "a mirror wider than the input",
      of(mirrorPad),
      { mode: "REFLECT" },
      [counting(3), index([3, 0], [1, 2])],
      "TH2005",
    ],
    ["unequal parts", of(split), { count: 1 }, [index([2]), counting(3)], "TH2013"],
    ["sizes that do not add up", of(splitV), { count: 1 }, [counting(5), index([4]), index([0])], "TH2007"],
    ["a block that does not divide", of(spaceToDepth), { block: 2 }, [counting(1, 3, 2, 1)], "TH2005"],
    ["too many batch axes", of(gather), { axis: 0, batchDims: 1 }, [counting(3), index([0])], "TH2007"],
  ] as const)("%s", (_, spec, attrs, inputs, code) => {
    const { types, problems } = inferOp(spec, attrs, inputs, [{ dtype: "int32" }]);
    expect(types).toBeNull();
    expect(problems.map((p) => p.code)).toEqual([code]);
  });
});
