/* The host port: files through stdio, and arenas of the exact size from malloc, so that AddressSanitizer guards them. */
#include "th_harness.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *request;
static FILE *response;

void th_port_read(void *to, uint32_t bytes)
{
    if (bytes != 0 && fread(to, 1, bytes, request) != bytes) {
        th_port_exit(TH_EXIT_IO);
    }
}

void th_port_write(const void *from, uint32_t bytes)
{
    if (bytes != 0 && fwrite(from, 1, bytes, response) != bytes) {
        th_port_exit(TH_EXIT_IO);
    }
}

uint8_t *th_port_arena(uint32_t number, uint32_t bytes)
{
    free(th_arenas[number]);
    uint8_t *const arena = malloc(bytes == 0 ? 1 : bytes);
    if (arena == NULL) {
        th_port_exit(TH_EXIT_IO);
    }
    return arena;
}

uint32_t th_port_guards_intact(uint32_t number, uint32_t bytes)
{
    (void)number;
    (void)bytes;
    return 1;
}

th_measurement th_port_measure(th_entry entry, void *of)
{
    const th_measurement none = {0, 0};
    entry(of);
    return none;
}

void th_port_exit(int32_t code)
{
    if (response != NULL && fclose(response) != 0 && code == TH_EXIT_OK) {
        code = TH_EXIT_IO;
    }
    exit((int)code);
}

int main(void)
{
    request = fopen("request.bin", "rb");
    response = fopen("response.bin", "wb");
    if (request == NULL || response == NULL) {
        return TH_EXIT_IO;
    }
    th_main();
    return 0;
}
