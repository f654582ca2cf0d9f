/*
 * Is there a person in the picture? Feeds a network one line at a time, as a camera delivers it: neither the picture nor
 * the network's input is ever in memory as a whole. Here a PPM file plays the camera; on a board, `read_line` waits for
 * the sensor's next line instead.
 *
 *     thimble build vww96.tflite --board arduino-nano-33-ble --optimize memory --feed pushed --out vww96
 *     cc -I vww96 examples/camera/main.c vww96/vww96.c -o camera
 *     ./camera picture.ppm
 */
#include "vww96.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = VWW96_INPUT_0_ROWS, CHANNELS = 3, COLUMNS = VWW96_INPUT_0_ROW_BYTES / CHANNELS, WIDEST = 8192 };

static _Alignas(VWW96_ARENA_ALIGNMENT) uint8_t arena[VWW96_ARENA_BYTES];

/* A number of the header of a PPM file, which may have comments. */
static int read_number(FILE *camera)
{
    int c = getc(camera);
    while (c == '#' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        while (c == '#' && (c = getc(camera)) != '\n' && c != EOF) {
            c = '#';
        }
        c = getc(camera);
    }
    int n = 0;
    for (; c >= '0' && c <= '9' && n < 1000000; c = getc(camera)) {
        n = n * 10 + c - '0';
    }
    return n;
}

static int read_line(FILE *camera, uint8_t *line, int width)
{
    return fread(line, CHANNELS, (size_t)width, camera) == (size_t)width;
}

/* The pixels of a line that the network sees: of the middle square, as many as its input has, as its int8. */
static void take_pixels(const uint8_t *line, int left, int side, int8_t *row)
{
    for (int x = 0; x < COLUMNS; x++) {
        const uint8_t *pixel = line + CHANNELS * (left + (2 * x + 1) * side / (2 * COLUMNS));
        for (int c = 0; c < CHANNELS; c++) {
            const float q = (float)pixel[c] / 255.0f / VWW96_INPUT_0_SCALE + (float)VWW96_INPUT_0_ZERO_POINT;
            row[CHANNELS * x + c] = (int8_t)(q > 127.0f ? 127.0f : q + (q < 0.0f ? -0.5f : 0.5f));
        }
    }
}

int main(int argc, char **argv)
{
    static uint8_t line[CHANNELS * WIDEST];
    static int8_t row[CHANNELS * COLUMNS];
    FILE *camera = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (camera == NULL || getc(camera) != 'P' || getc(camera) != '6') {
        fprintf(stderr, "usage: camera picture.ppm (binary, P6)\n");
        return EXIT_FAILURE;
    }
    const int width = read_number(camera);
    const int height = read_number(camera);
    const int side = width < height ? width : height;
    if (read_number(camera) != 255 || side < ROWS || width > WIDEST) {
        fprintf(stderr, "a picture of 8 bits, at least %d pixels high and wide, at most %d wide\n", ROWS, WIDEST);
        return EXIT_FAILURE;
    }
    vww96_init(arena);
    vww96_begin(arena);
    for (int y = 0, taken = 0; y < height && taken < ROWS; y++) {
        if (!read_line(camera, line, width)) {
            fprintf(stderr, "the picture ends after %d of %d lines\n", y, height);
            return EXIT_FAILURE;
        }
        if (y == (height - side) / 2 + (2 * taken + 1) * side / (2 * ROWS)) {
            take_pixels(line, (width - side) / 2, side, row);
            vww96_push_rows(arena, row, 1);
            taken++;
        }
    }
    fclose(camera);
    if (vww96_finish(arena) != 0) {
        fprintf(stderr, "the picture has too few lines\n");
        return EXIT_FAILURE;
    }
    const int8_t *scores = vww96_output_0(arena);
    for (int i = 0; i < VWW96_OUTPUT_0_ELEMENTS; i++) {
        const float score = VWW96_OUTPUT_0_SCALE * (float)(scores[i] - VWW96_OUTPUT_0_ZERO_POINT);
        printf("%-9s %.3f\n", i == 1 ? "person" : "no person", (double)score);
    }
    return EXIT_SUCCESS;
}
