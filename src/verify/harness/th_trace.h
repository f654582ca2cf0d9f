/* Included ahead of every file of a traced build: TH_TRACE then reports a hash of each output to the harness. */
#if !defined(TH_TRACE_H) && !defined(__ASSEMBLER__)
#define TH_TRACE_H

#include <stdint.h>

/* Writes a trace record with the FNV-1a 32 hash of `bytes` bytes at `data`. */
void th_trace(uint32_t step, uint32_t output, const void *data, uint32_t bytes);

#define TH_TRACE(step, output, data, bytes) th_trace((uint32_t)(step), (uint32_t)(output), (data), (uint32_t)(bytes))

#endif
