import { defineRelu } from "../common/relu.js";

export const relu6 = defineRelu("RELU6", "x limited to [0, 6]", 21, 3);
