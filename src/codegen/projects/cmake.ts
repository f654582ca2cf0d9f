import { hostProgram } from "./programs.js";
import { lineBanner, type ProjectFiles, type ProjectInput, splitModelFiles, usesMath } from "./project.js";

/** Names that CMake keeps for itself and refuses for a library. */
const reserved: ReadonlySet<string> = new Set(["all", "clean", "help", "install", "package", "test"]);

function cmakeLists(input: ProjectInput): string {
  const { name } = input.generated;
  const target = reserved.has(name) ? `${name}_model` : name;
  const macro = name.toUpperCase();
  return `${lineBanner(input, `${name} as a library; alone, or by add_subdirectory from a larger project.`)}
cmake_minimum_required(VERSION 3.13)
project(${target} LANGUAGES C)

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
  set(${macro}_ALONE ON)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release)
  endif()
else()
  set(${macro}_ALONE OFF)
endif()
option(${macro}_BUILD_EXAMPLE "Build the example program of ${name}" \${${macro}_ALONE})

add_library(${target} STATIC src/${name}.c)
target_include_directories(${target}
  PUBLIC \${CMAKE_CURRENT_SOURCE_DIR}/include
  PRIVATE \${CMAKE_CURRENT_SOURCE_DIR}/src)
set_target_properties(${target} PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
${usesMath(input) ? `if(NOT MSVC)\n  target_link_libraries(${target} PUBLIC -lm)\nendif()\n` : ""}
if(${macro}_BUILD_EXAMPLE)
  add_executable(${target}_example example/main.c)
  target_link_libraries(${target}_example PRIVATE ${target})
  set_target_properties(${target}_example PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON)
endif()
`;
}

/** CMake: a library target with the model's name, and an example that is built if the project is the top one. */
export const writeCmake = (input: ProjectInput): ProjectFiles =>
  new Map([
    ...splitModelFiles(input, "include/", "src/"),
    ["example/main.c", hostProgram(input)],
    ["CMakeLists.txt", cmakeLists(input)],
  ]);
