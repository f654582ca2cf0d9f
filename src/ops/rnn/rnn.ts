import { defineRecurrent } from "../common/recurrent.js";

export const rnn = defineRecurrent(
  "RNN",
  "rnn",
  "Plain recurrent layer over a sequence from a given state, either direction",
);
