import { hostProgram } from "./programs.js";
import { lineBanner, modelFiles, type ProjectFiles, type ProjectInput, usesMath } from "./project.js";

const makefile = (input: ProjectInput): string => {
  const { name } = input.generated;
  return `${lineBanner(input, `${name}: the example program; \`make run\` runs it.`)}
CC ?= cc
CFLAGS ?= -O3 -Wall -Wextra
LDLIBS += ${usesMath(input) ? "-lm" : ""}

HEADERS := ${name}.h $(wildcard thimble/*.h)

${name}_example: example/main.o ${name}.o
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

%.o: %.c $(HEADERS)
	$(CC) -std=c99 $(CFLAGS) $(CPPFLAGS) -I. -c -o $@ $<

.PHONY: run clean
run: ${name}_example
	./${name}_example

clean:
	rm -f ${name}_example ${name}.o example/main.o
`;
};

/** Plain C: the model's files, an example and a Makefile. */
export const writePlain = (input: ProjectInput): ProjectFiles =>
  new Map([...modelFiles(input, ""), ["example/main.c", hostProgram(input)], ["Makefile", makefile(input)]]);
