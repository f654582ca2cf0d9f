import { describe, expect, it, test } from "vitest";
import { add } from "../add/add.js";
import { concatenation } from "../concatenation/concatenation.js";
import { depthToSpace } from "../depth_to_space/depth_to_space.js";
import { gather } from "../gather/gather.js";
import { mean } from "../mean/mean.js";
import { mirrorPad } from "../mirror_pad/mirror_pad.js";
import { pad } from "../pad/pad.js";
import { relu } from "../relu/relu.js";
import { resizeBilinear } from "../resize_bilinear/resize_bilinear.js";
import { resizeNearestNeighbor } from "../resize_nearest_neighbor/resize_nearest_neighbor.js";
import { slice } from "../slice/slice.js";
import { softmax } from "../softmax/softmax.js";
import { spaceToDepth } from "../space_to_depth/space_to_depth.js";
import type { OpSpec } from "../spec.js";
import { split } from "../split/split.js";
import { type StridedSliceAttrs, stridedSlice } from "../strided_slice/strided_slice.js";
import { transpose } from "../transpose/transpose.js";
import { foldSizes } from "./reduce.js";
import { index, inferOp, runOp, type TestTensor } from "./testing.js";

const of = <A extends object>(spec: OpSpec<string, A>): OpSpec<string, object> =>
  spec as unknown as OpSpec<string, object>;
const float = (...shape: number[]): TestTensor => ({ dtype: "float32", shape, data: [] });

/** For each input the rows that the first output rows start at, or null; "none". */
function starts(spec: OpSpec<string, object>, attrs: object, inputs: readonly TestTensor[], outputs = 1) {
  const { view, types } = inferOp(
    spec,
    attrs,
    inputs,
    Array.from({ length: outputs }, () => ({ dtype: "float32" as const })),
  );
  if (types === null || spec.traits.rows === "none") return types && "none";
  const resolved = { ...view, outputs: view.outputs.map((t, i) => ({ ...t, shape: types[i]?.shape ?? [] })) };
  const windows = spec.traits.rows(resolved);
  const rows = resolved.outputs[0]?.shape[1] ?? 0;
  return windows === "none" ? windows : windows.map((w) => w && Array.from({ length: rows }, (_, y) => w.first(y)));
}

const none = { activation: "NONE", potScaleInt16: false };
const [image, same] = [float(1, 3, 4, 5), [0, 1, 2]];
const plain = { alignCorners: false, halfPixelCenters: false };
const masks: StridedSliceAttrs = {
  beginMask: 0,
  endMask: 0,
  ellipsisMask: 0,
  newAxisMask: 0,
  shrinkAxisMask: 0,
  offset: false,
};
const strided = (begin: number[], end: number[], strides: number[]) => [begin, end, strides].map((v) => index(v));

describe("rows", () => {
  it.each<readonly [string, OpSpec<string, object>, object, readonly TestTensor[], unknown]>([
    ["an element", of(relu), {}, [image], [same]],
    ["a matrix has none", of(relu), {}, [float(3, 4)], "none"],
    ["two images", of(add), none, [image, image], [same, same]],
    ["a value for each channel", of(add), none, [image, float(5)], [same, null]],
    ["a scalar first", of(add), none, [float(), image], [null, same]],
    ["one row for all", of(add), none, [float(1, 1, 4, 5), image], [null, same]],
    ["one column for all", of(add), none, [float(1, 3, 1, 1), image], [same, same]],
    ["rows without an image axis", of(add), none, [image, float(3, 4, 5)], "none"],
    ["vectors of an image", of(softmax), { beta: 1 }, [image], [same]],
    ["channels joined", of(concatenation), { axis: -1, activation: "NONE" }, [image, image], [same, same]],
    ["rows joined", of(concatenation), { axis: 1, activation: "NONE" }, [image, image], "none"],
    ["columns of an image", of(slice), {}, [image, index([0, 0, 1, 0]), index([1, 3, 2, 5])], [same, null, null]],
    ["rows of an image", of(slice), {}, [image, index([0, 1, 0, 0]), index([1, 2, 4, 5])], "none"],
    [
      "rows backwards",
      of(stridedSlice),
      { ...masks, beginMask: 2, endMask: 2 },
      [image, ...strided([0, 0], [1, 0], [1, -1])],
      "none",
    ],
    [
      "an axis gone before the rows",
      of(stridedSlice),
      { ...masks, shrinkAxisMask: 1 },
      [float(1, 1, 1, 4, 5), ...strided([0], [1], [1])],
      "none",
    ],
    ["within rows", of(transpose), {}, [image, index([0, 1, 3, 2])], [same, null]],
    ["rows and columns of a square", of(transpose), {}, [float(1, 3, 3, 5), index([0, 2, 1, 3])], "none"],
    ["channels by index", of(gather), { axis: -1, batchDims: 0 }, [image, index([1, 3])], [same, null]],
    [
      "mirrored columns",
      of(mirrorPad),
      { mode: "REFLECT" },
      [image, index([0, 0, 0, 0, 1, 1, 0, 0], [4, 2])],
      [same, null],
    ],
    ["mirrored rows", of(mirrorPad), { mode: "REFLECT" }, [image, index([0, 0, 1, 1, 0, 0, 0, 0], [4, 2])], "none"],
    ["padded", of(pad), {}, [image, index([0, 0, 2, 1, 0, 0, 0, 0], [4, 2])], [[-2, -1, 0, 1, 2, 3], null]],
    ["padded batch", of(pad), {}, [image, index([0, 1, 0, 0, 0, 0, 0, 0], [4, 2])], "none"],
    ["blocks to channels", of(spaceToDepth), { block: 2 }, [float(1, 6, 4, 1)], [[0, 2, 4]]],
    ["channels to blocks", of(depthToSpace), { block: 2 }, [float(1, 2, 2, 4)], [[0, 0, 1, 1]]],
    ["nearest", of(resizeNearestNeighbor), plain, [image, index([5, 2])], [[0, 0, 1, 1, 2], null]],
    ["between", of(resizeBilinear), plain, [image, index([5, 2])], [[0, 0, 1, 1, 2], null]],
    ["mean of columns", of(mean), { keepDims: true }, [image, index([2])], [same, null]],
    ["mean of channels", of(mean), { keepDims: false }, [image, index([-1])], [same, null]],
    ["mean of rows of a square", of(mean), { keepDims: false }, [float(1, 3, 3, 5), index([1])], "none"],
  ])("%s", (_, spec, attrs, inputs, expected) => {
    expect(starts(spec, attrs, inputs)).toEqual(expected);
  });

  it("takes channels apart", () => {
    expect(starts(of(split), { count: 5 }, [index([3]), image], 5)).toEqual([null, same]);
    expect(starts(of(split), { count: 3 }, [index([1]), image], 3)).toBe("none");
  });
});

test("a fold leaves the rows out of a row's sizes", () => {
  const row = { middle: 1, second: 1, inner: 1, outer: 6 };
  expect(foldSizes([1, 6, 4, 5], new Set([1, 2]))).toEqual({ ...row, first: 4, middle: 5 });
  expect(foldSizes([1, 6, 4, 5], new Set([1]))).toEqual({ ...row, first: 1, middle: 20 });
  expect(foldSizes([1, 6, 4, 5], new Set([1, 3]))).toEqual({ ...row, first: 1, middle: 4, second: 5 });
  expect(foldSizes([1, 6, 4, 5], new Set([2]))).toBeNull();
  expect(foldSizes([2, 6, 4, 5], new Set([1]))).toBeNull();
  expect(foldSizes([1, 1, 4, 5], new Set([1]))).toBeNull();
});

test("a resize to thousands of rows stays inside the image", () => {
  // The scale, 3 * 1024 / 4999 rounded up to 1, takes the last place to 4999 / 1024.
  const column: TestTensor = {
    dtype: "int8",
    shape: [1, 4, 1, 1],
    data: [1, 2, 3, 4],
    quant: { scales: [1], zeroPoints: [0], axis: 0 },
  };
  const [out] = runOp(
    resizeBilinear,
    { alignCorners: true, halfPixelCenters: false },
    [column, index([5000, 1])],
    [{ dtype: "int8", quant: { scales: [1], zeroPoints: [0], axis: 0 } }],
  );
  expect(out?.data.at(-1)).toBe(4);
});
