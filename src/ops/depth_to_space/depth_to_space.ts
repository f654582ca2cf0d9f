import { defineBlockMover } from "../common/blocks.js";

export const depthToSpace = defineBlockMover("DEPTH_TO_SPACE", "Moves channels into blocks of pixels", {
  builtin: 5,
  maxVersion: 2,
  tag: 94,
});
