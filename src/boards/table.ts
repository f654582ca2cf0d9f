import type { Board } from "./board.js";

const kib = 1024;

/** Every board, in the order `thimble boards` lists them. */
export const boards: readonly Board[] = [
  {
    id: "arduino-nano-33-ble",
    name: "Arduino Nano 33 BLE Sense",
    vendor: "Arduino",
    mcu: "nRF52840",
    core: "cortex-m4",
    clockMhz: 64,
    fpu: "single",
    dsp: true,
    helium: false,
    sram: [{ name: "SRAM", bytes: 256 * kib, kind: "internal" }],
    flash: [{ name: "flash", bytes: 1024 * kib, kind: "internal" }],
    arduino: "arduino:mbed_nano:nano33ble",
    platformio: { platform: "nordicnrf52", board: "nano33ble" },
    zephyr: "arduino_nano_33_ble",
    emulated: "cortex-m4",
    sources: ["Arduino Nano 33 BLE Sense Rev2 datasheet (ABX00069)", "Nordic nRF52840 product specification v1.8"],
  },
];

/** The board of that id, or undefined. */
export const findBoard = (id: string): Board | undefined => boards.find((b) => b.id === id);
