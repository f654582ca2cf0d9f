/*
 * Included ahead of every file of a profiled build: TH_TRACE then leaves a label where a step of the model ends, whose name
 * says which step it is; it adds no instruction.
 */
#if !defined(TH_MARKS_H) && !defined(__ASSEMBLER__)
#define TH_MARKS_H

#define TH_TRACE(step, output, data, bytes) __asm__ volatile("th_mark_%c0_%=:" : : "i"(step) : "memory")

#endif
