/* memcpy, memmove and memset in plain C; the attribute keeps the compiler from turning a loop into a call of itself. */
#include <stdint.h>
#include <string.h>

#define TH_PLAIN(name) __attribute__((no_builtin(name)))

TH_PLAIN("memcpy") void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    uint8_t *out = (uint8_t *)to;
    const uint8_t *in = (const uint8_t *)from;
    for (size_t i = 0; i < bytes; i++) {
        out[i] = in[i];
    }
    return to;
}

TH_PLAIN("memmove") void *memmove(void *to, const void *from, size_t bytes)
{
    uint8_t *out = (uint8_t *)to;
    const uint8_t *in = (const uint8_t *)from;
    if ((uintptr_t)out < (uintptr_t)in) {
        for (size_t i = 0; i < bytes; i++) {
            out[i] = in[i];
        }
    } else {
        for (size_t i = bytes; i > 0; i--) {
            out[i - 1] = in[i - 1];
        }
    }
    return to;
}

TH_PLAIN("memset") void *memset(void *to, int value, size_t bytes)
{
    uint8_t *out = (uint8_t *)to;
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (uint8_t)value;
    }
    return to;
}
