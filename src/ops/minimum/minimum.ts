import { defineExtremum } from "../common/extremum.js";

export const minimum = defineExtremum("MINIMUM", "The smaller of two, with broadcasting", 57);
