import type { DType } from "../../base/dtype.js";
import { type Console, exampleFunctions, printfConsole } from "./example.js";
import { arenasOf, cBanner, initCall, type ProjectInput } from "./project.js";

const banner = (input: ProjectInput): string => cBanner(input, `One inference of ${input.generated.name} on zeros.`);

/**
 * Definitions of the arenas, `qualifiers` giving what comes before the type. Where there are several, each has a macro for the
 * words that put it into its memory.
 */
function arenaArrays(input: ProjectInput, qualifiers: string): string {
  const arenas = arenasOf(input);
  return arenas
    .map(({ macro, variable, memory }) => {
      const place = arenas.length > 1 ? `${macro}_SECTION ` : "";
      const words = `/* For ${memory}: put here the words that place a variable there, such as the linker section of that memory. */
#ifndef ${macro}_SECTION
#define ${macro}_SECTION
#endif
`;
      return `${place === "" ? "" : words}${qualifiers}${place}uint8_t ${variable}[${macro}_BYTES];\n`;
    })
    .join("");
}

/** The arenas of a C program; before C11, every compiler has its own words for alignment. */
const cArena = (input: ProjectInput): string => `#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define ARENA_ALIGNED _Alignas(${input.generated.name.toUpperCase()}_ARENA_ALIGNMENT)
#elif defined(__GNUC__)
#define ARENA_ALIGNED __attribute__((aligned(${input.generated.name.toUpperCase()}_ARENA_ALIGNMENT)))
#elif defined(_MSC_VER)
#define ARENA_ALIGNED __declspec(align(${input.generated.name.toUpperCase()}_ARENA_ALIGNMENT))
#else
#error "say here how this compiler aligns a variable"
#endif

${arenaArrays(input, "static ARENA_ALIGNED ")}`;

/** A C99 program for anything that has printf; `entry` is the function that the start-up code calls. */
export function hostProgram(input: ProjectInput, entry: "main" | "app_main" = "main"): string {
  const { name } = input.generated;
  return `${banner(input)}#include "${name}.h"

#include <stdint.h>
#include <stdio.h>

${cArena(input)}
${exampleFunctions(input, printfConsole("printf"))}
${entry === "main" ? "int main(void)" : "void app_main(void);\n\nvoid app_main(void)"}
{
    ${initCall(input)};
    fill_inputs();
    infer();
    print_outputs();
${entry === "main" ? "    return 0;\n" : ""}}
`;
}

const zephyrIncludes = {
  current: `#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
`,
  any: `/* Zephyr has its headers in zephyr/ since 3.1. */
#if __has_include(<zephyr/kernel.h>)
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#else
#include <sys/printk.h>
#include <zephyr.h>
#endif
`,
} as const;

/** A C program for Zephyr, which prints the time of the inference too; PlatformIO may have a Zephyr of `any` age. */
export function zephyrProgram(input: ProjectInput, age: keyof typeof zephyrIncludes = "current"): string {
  const { name } = input.generated;
  return `${banner(input)}${zephyrIncludes[age]}
#include <stdint.h>

#include "${name}.h"

${cArena(input)}
${exampleFunctions(input, printfConsole("printk"))}
int main(void)
{
    ${initCall(input)};
    fill_inputs();
    const uint32_t start = k_cycle_get_32();
    infer();
    const uint32_t cycles = k_cycle_get_32() - start;
    print_outputs();
    printk("inference: %u us\\n", (unsigned)k_cyc_to_us_floor32(cycles));
    return 0;
}
`;
}

/** What Serial.print takes for one element; not every core prints 64-bit integers. */
function serialArguments(dtype: DType, value: string): string {
  switch (dtype) {
    case "float32":
      return `${value}, 6`;
    case "int32":
    case "int64":
      return `(long)${value}`;
    case "float16":
    case "int4":
      return `(unsigned)${value}, HEX`;
    default:
      return `(int)${value}`;
  }
}

const serial: Console = {
  line: (text) => `Serial.println("${text}");`,
  element: (dtype, value, real) =>
    [
      `Serial.print("  [");`,
      `Serial.print((int)i);`,
      `Serial.print("] ");`,
      ...(real === null
        ? [`Serial.println(${serialArguments(dtype, value)});`]
        : [`Serial.print(${serialArguments(dtype, value)});`, `Serial.print(" = ");`, `Serial.println(${real}, 6);`]),
    ].join("\n"),
};

/** An Arduino sketch, in C++; `include` is what it needs beside the model. */
export function arduinoProgram(input: ProjectInput, include: "nothing" | "Arduino.h"): string {
  const { name } = input.generated;
  const macro = name.toUpperCase();
  return `${banner(input)}${include === "nothing" ? "" : `#include <${include}>\n`}#include <${name}.h>

${arenaArrays(input, `alignas(${macro}_ARENA_ALIGNMENT) static `)}
${exampleFunctions(input, serial)}
void setup()
{
    Serial.begin(115200);
    /* A board with USB of its own waits for a listener, but not for ever. */
    while (!Serial && millis() < 3000) {
    }
    ${initCall(input)};
}

void loop()
{
    fill_inputs();
    const uint32_t start = micros();
    infer();
    const uint32_t elapsed = micros() - start;
    print_outputs();
    Serial.print("inference: ");
    Serial.print((unsigned long)elapsed);
    Serial.println(" us");
    delay(1000);
}
`;
}
