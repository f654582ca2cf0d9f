import type { Board } from "./board.js";
import { cores, kib, mib, offChip, onChip } from "./cores.js";

/**
 * RAM of these chips is shared by code, caches, radio and data, so a static array gets only a part of what a datasheet
 * says: 160 KiB on the ESP32 (ESP-IDF, "DRAM (data RAM)"), 320 KiB on the others (`maximum_data_size` of arduino-esp32).
 */
const esp32Dram = [onChip("DRAM", 160 * kib)];
const dram = [onChip("DRAM", 320 * kib)];

/** Boards with Espressif's processors. */
export const espressifBoards: readonly Board[] = [
  {
    id: "esp32-devkitc",
    name: "ESP32-DevKitC V4 (ESP32-WROOM-32E)",
    vendor: "Espressif",
    mcu: "ESP32",
    ...cores.lx6,
    clockMhz: 240,
    sram: esp32Dram,
    flash: [offChip("SPI flash", 4 * mib)],
    arduino: "esp32:esp32:esp32",
    platformio: { platform: "espressif32", board: "esp32dev", framework: "arduino" },
    zephyr: "esp32_devkitc/esp32/procpu",
    sources: [
      "Espressif ESP32 Series datasheet",
      "Espressif ESP32-WROOM-32E datasheet",
      "ESP-IDF programming guide: memory types",
    ],
  },
  {
    id: "esp32-s3-devkitc",
    name: "ESP32-S3-DevKitC-1 (N8)",
    vendor: "Espressif",
    mcu: "ESP32-S3",
    ...cores.lx7,
    clockMhz: 240,
    sram: dram,
    flash: [offChip("SPI flash", 8 * mib)],
    arduino: "esp32:esp32:esp32s3",
    platformio: { platform: "espressif32", board: "esp32-s3-devkitc-1", framework: "arduino" },
    zephyr: "esp32s3_devkitc/esp32s3/procpu",
    sources: [
      "Espressif ESP32-S3 Series datasheet",
      "Espressif ESP32-S3-DevKitC-1 user guide",
      "arduino-esp32 boards.txt",
    ],
  },
  {
    id: "esp32-c3-devkitm",
    name: "ESP32-C3-DevKitM-1",
    vendor: "Espressif",
    mcu: "ESP32-C3",
    ...cores.riscv,
    clockMhz: 160,
    sram: dram,
    flash: [offChip("SPI flash", 4 * mib)],
    arduino: "esp32:esp32:esp32c3",
    platformio: { platform: "espressif32", board: "esp32-c3-devkitm-1", framework: "arduino" },
    zephyr: "esp32c3_devkitm",
    sources: [
      "Espressif ESP32-C3 Series datasheet",
      "Espressif ESP32-C3-DevKitM-1 user guide",
      "arduino-esp32 boards.txt",
    ],
  },
  {
    id: "esp32-c6-devkitc",
    name: "ESP32-C6-DevKitC-1 (N8)",
    vendor: "Espressif",
    mcu: "ESP32-C6",
    ...cores.riscv,
    clockMhz: 160,
    sram: dram,
    flash: [offChip("SPI flash", 8 * mib)],
    arduino: "esp32:esp32:esp32c6",
    platformio: { platform: "espressif32", board: "esp32-c6-devkitc-1", framework: "espidf" },
    zephyr: "esp32c6_devkitc/esp32c6/hpcore",
    sources: [
      "Espressif ESP32-C6 Series datasheet",
      "Espressif ESP32-C6-DevKitC-1 user guide",
      "arduino-esp32 boards.txt",
    ],
  },
  {
    id: "xiao-esp32s3",
    name: "Seeed Studio XIAO ESP32S3",
    vendor: "Seeed Studio",
    mcu: "ESP32-S3R8",
    ...cores.lx7,
    clockMhz: 240,
    sram: dram,
    flash: [offChip("SPI flash", 8 * mib)],
    arduino: "esp32:esp32:XIAO_ESP32S3",
    platformio: { platform: "espressif32", board: "seeed_xiao_esp32s3", framework: "arduino" },
    zephyr: "xiao_esp32s3/esp32s3/procpu",
    sources: ["Espressif ESP32-S3 Series datasheet", "Seeed Studio wiki: XIAO ESP32S3", "arduino-esp32 boards.txt"],
  },
];
