import { arduinoBoards } from "./arduino.js";
import type { Board } from "./board.js";
import { espressifBoards } from "./espressif.js";
import { nordicBoards } from "./nordic.js";
import { otherBoards } from "./others.js";
import { stBoards } from "./st.js";

/**
 * Every board, in the order `thimble boards` lists them. Sizes are of the chip (code, boot loaders and radio stacks take
 * their share); external RAM is left out, external flash is listed where there is no other.
 */
export const boards: readonly Board[] = [
  ...arduinoBoards,
  ...stBoards,
  ...nordicBoards,
  ...espressifBoards,
  ...otherBoards,
];

/** The board of that id or alias, or undefined. */
export const findBoard = (id: string): Board | undefined =>
  boards.find((b) => b.id === id || b.aliases?.includes(id) === true);
