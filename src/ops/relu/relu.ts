import { defineRelu } from "../common/relu.js";

export const relu = defineRelu("RELU", "max(x, 0)", 19, 3);
