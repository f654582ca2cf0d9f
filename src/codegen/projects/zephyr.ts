import { zephyrProgram } from "./programs.js";
import { lineBanner, type ProjectFiles, type ProjectInput, ramBytes, splitModelFiles, usesMath } from "./project.js";

/** Kconfig's name of the model, without `CONFIG_`. */
const option = (name: string): string => `THIMBLE_${name.toUpperCase()}`;

const moduleYml = (input: ProjectInput): string => `${lineBanner(input, `${input.generated.name} as a Zephyr module.`)}
name: thimble_${input.generated.name}
build:
  cmake: .
  kconfig: Kconfig
`;

const moduleCmake = (input: ProjectInput): string => {
  const { name } = input.generated;
  return `${lineBanner(input, `${name}: the module's library.`)}
if(CONFIG_${option(name)})
  zephyr_include_directories(include)
  zephyr_library()
  zephyr_library_sources(src/${name}.c)
  zephyr_library_include_directories(src)
endif()
`;
};

const kconfig = (input: ProjectInput): string => {
  const { name, constantBytes } = input.generated;
  return `${lineBanner(input, `${name}: the module's option.`)}
config ${option(name)}
	bool "Neural network ${name}"
${usesMath(input) ? "\tselect REQUIRES_FULL_LIBC\n" : ""}	help
	  The neural network ${name} in plain C. Its arena, which the
	  application owns, has ${ramBytes(input)} bytes; its constants have
	  ${constantBytes} bytes.
`;
};

const sampleCmake = (input: ProjectInput): string => {
  const { name } = input.generated;
  return `${lineBanner(input, `${name}: the sample application.`)}
cmake_minimum_required(VERSION 3.20.0)
# The sample works from where it lies, without an entry in a west manifest.
get_filename_component(MODULE_DIR \${CMAKE_CURRENT_SOURCE_DIR}/../.. REALPATH)
list(APPEND EXTRA_ZEPHYR_MODULES \${MODULE_DIR})
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(${name}_sample LANGUAGES C)

target_sources(app PRIVATE src/main.c)
`;
};

/** Options of an application that prints floats and runs a model from its main thread. */
export const zephyrConf = (input: ProjectInput): string =>
  `${lineBanner(input, `${input.generated.name}: options of the application.`)}CONFIG_CBPRINTF_FP_SUPPORT=y
CONFIG_MAIN_STACK_SIZE=4096
`;

const sampleYaml = (input: ProjectInput): string => {
  const { name } = input.generated;
  const platform = input.board?.zephyr ?? "native_sim";
  return `${lineBanner(input, `${name}: how twister runs the sample.`)}
sample:
  name: ${name}
  description: One inference of the neural network ${name}
common:
  tags: thimble
  harness: console
  harness_config:
    type: one_line
    regex:
      - "inference: [0-9]+ us"
tests:
  sample.thimble.${name}:
    integration_platforms:
      - ${platform}
`;
};

/** A Zephyr module out of the tree, with a sample that builds where it lies. */
export function writeZephyr(input: ProjectInput): ProjectFiles {
  const { name } = input.generated;
  const sample = `samples/${name}`;
  return new Map([
    ["zephyr/module.yml", moduleYml(input)],
    ["CMakeLists.txt", moduleCmake(input)],
    ["Kconfig", kconfig(input)],
    ...splitModelFiles(input, "include/", "src/"),
    [`${sample}/CMakeLists.txt`, sampleCmake(input)],
    [`${sample}/prj.conf`, `${zephyrConf(input)}CONFIG_${option(name)}=y\n`],
    [`${sample}/sample.yaml`, sampleYaml(input)],
    [`${sample}/src/main.c`, zephyrProgram(input)],
  ]);
}
