import { defineRecurrent } from "../common/recurrent.js";

export const gru = defineRecurrent("GRU", "gru", "GRU over a sequence from a given state, either direction");
