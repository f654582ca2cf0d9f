import { defineRecurrent } from "../common/recurrent.js";

export const lstm = defineRecurrent(
  "LSTM",
  "lstm",
  "LSTM over a sequence from given states; peepholes, either direction",
);
