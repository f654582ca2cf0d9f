import { defineBlockMover } from "../common/blocks.js";

export const spaceToDepth = defineBlockMover("SPACE_TO_DEPTH", "Moves blocks of pixels into channels", {
  builtin: 26,
  maxVersion: 2,
  tag: 19,
});
