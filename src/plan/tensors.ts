import { bytesOf, elementsOf } from "../base/dtype.js";
import type { Tensor } from "../ir/graph.js";

/** Bytes of a whole tensor on the device. */
export const tensorBytes = (tensor: Tensor): number => bytesOf(tensor.dtype, elementsOf(tensor.shape));

/** C lets a compiler assume that pointers to different types do not meet, unless one is to a character type. */
export const mayAlias = (a: Tensor, b: Tensor): boolean =>
  a.dtype === b.dtype || bytesOf(a.dtype, 1) === 1 || bytesOf(b.dtype, 1) === 1;
