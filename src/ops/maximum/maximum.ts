import { defineExtremum } from "../common/extremum.js";

export const maximum = defineExtremum("MAXIMUM", "The larger of two, with broadcasting", 55);
