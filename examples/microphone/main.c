/*
 * Which word was said? Feeds raw sound to a network whose front-end is part of it, as a microphone delivers it: neither
 * the sound nor its features are ever in memory as a whole. Here a WAV file plays the microphone; on a board, `read_block`
 * waits for the next block of its DMA instead. `attachFrontend` puts the front-end before the network; then
 *
 *     build(model, { board: "arduino-nano-33-ble", optimize: "memory", feed: "pushed", out: "kws" })
 *     cc -I kws examples/microphone/main.c kws/kws.c -o microphone
 *     ./microphone word.wav
 */
#include "kws.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = KWS_INPUT_0_ROW_BYTES / 2, HEADER = 44, SAMPLE_RATE = 16000 };

static _Alignas(KWS_ARENA_ALIGNMENT) uint8_t arena[KWS_ARENA_BYTES];

static uint32_t little(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* A header without other chunks, of 16-bit mono samples at the network's rate. */
static int read_header(FILE *microphone)
{
    uint8_t header[HEADER];
    return fread(header, HEADER, 1, microphone) == 1 && memcmp(header, "RIFF", 4) == 0 &&
           memcmp(header + 8, "WAVEfmt ", 8) == 0 && memcmp(header + 36, "data", 4) == 0 && little(header + 20, 2) == 1 &&
           little(header + 22, 2) == 1 && little(header + 24, 4) == SAMPLE_RATE && little(header + 34, 2) == 16;
}

/* The next samples; silence after the last. */
static void read_block(FILE *microphone, int16_t *block)
{
    uint8_t bytes[2 * BLOCK] = {0};
    if (fread(bytes, 1, sizeof bytes, microphone) < sizeof bytes && ferror(microphone)) {
        exit(EXIT_FAILURE);
    }
    for (int i = 0; i < BLOCK; i++) {
        block[i] = (int16_t)little(bytes + 2 * i, 2);
    }
}

int main(int argc, char **argv)
{
    static int16_t block[BLOCK];
    FILE *microphone = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (microphone == NULL || !read_header(microphone)) {
        fprintf(stderr, "usage: microphone word.wav (16 bits, mono, %d Hz)\n", SAMPLE_RATE);
        return EXIT_FAILURE;
    }
    kws_init(arena);
    kws_begin(arena);
    for (int i = 0; i < KWS_INPUT_0_ROWS; i++) {
        read_block(microphone, block);
        kws_push_rows(arena, block, 1);
    }
    fclose(microphone);
    if (kws_finish(arena) != 0) {
        return EXIT_FAILURE;
    }
    const int8_t *scores = kws_output_0(arena);
    for (int i = 0; i < KWS_OUTPUT_0_ELEMENTS; i++) {
        printf("%d %.8f\n", i, (double)(KWS_OUTPUT_0_SCALE * (float)(scores[i] - KWS_OUTPUT_0_ZERO_POINT)));
    }
    return EXIT_SUCCESS;
}
