import { defineRelu } from "../common/relu.js";

export const reluN1To1 = defineRelu("RELU_N1_TO_1", "x limited to [-1, 1]", 20, 2);
