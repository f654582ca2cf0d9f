/*
 * The bare-metal port: files through semihosting (Arm's "Semihosting for AArch32 and AArch64"), a painted stack, and
 * the board's 25 MHz CMSDK timer where TH_TIMER_BASE names one (Arm CMSDK technical reference, APB timer).
 */
#include "static_arena.h"

#include <stddef.h>

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE0 = 4, SYS_WRITE = 5, SYS_READ = 6, SYS_EXIT_EXTENDED = 0x20 };
enum { MODE_RB = 1, MODE_WB = 5, REASON_APPLICATION_EXIT = 0x20026 };

/* Defined by the linker script: the painted stack reserve, .data and its image, .bss. */
extern uint32_t th_stack_limit[], th_stack_top[], th_data_start[], th_data_end[], th_bss_start[], th_bss_end[];
extern const uint32_t th_data_image[];

/* start.S: paints the free stack, stores the stack pointer of the call, calls entry(arena) between the markers. */
void th_measured_call(th_entry entry, void *arena, uint32_t **stack_pointer);

void th_start(void);
void th_fault(const uint32_t *frame);

static int32_t request = -1;
static int32_t response = -1;

static int32_t semihost(int32_t operation, const void *argument)
{
    register int32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static int32_t open_file(const char *name, uint32_t mode)
{
    const uint32_t block[3] = {(uint32_t)(uintptr_t)name, mode, (uint32_t)strlen(name)};
    return semihost(SYS_OPEN, block);
}

/* Both calls return how many bytes they did not transfer. */
static void transfer(int32_t operation, int32_t handle, const void *data, uint32_t bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)data, bytes};
    if (bytes != 0 && semihost(operation, block) != 0) {
        th_port_exit(TH_EXIT_IO);
    }
}

void th_port_read(void *to, uint32_t bytes)
{
    transfer(SYS_READ, request, to, bytes);
}

void th_port_write(const void *from, uint32_t bytes)
{
    transfer(SYS_WRITE, response, from, bytes);
}

void th_port_exit(int32_t code)
{
    const uint32_t handle = (uint32_t)response;
    const uint32_t block[2] = {REASON_APPLICATION_EXIT, (uint32_t)code};
    semihost(SYS_CLOSE, &handle);
    semihost(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

#ifdef TH_TIMER_BASE
static volatile uint32_t *const timer = (volatile uint32_t *)TH_TIMER_BASE;

/* Counts down from the top and wraps: enough for 2.6 thousand million instructions. */
static void timer_start(void)
{
    timer[2] = 0xFFFFFFFFu;
    timer[1] = 0xFFFFFFFFu;
    timer[0] = 1;
}

static uint32_t timer_ticks(void)
{
    return 0xFFFFFFFFu - timer[1];
}
#else
static void timer_start(void)
{
}

static uint32_t timer_ticks(void)
{
    return 0;
}
#endif

th_measurement th_port_measure(th_entry entry, void *arena)
{
    uint32_t *stack_pointer = NULL;
    const uint32_t before = timer_ticks();
    th_measured_call(entry, arena, &stack_pointer);
    th_measurement result = {0, timer_ticks() - before};
    const uint32_t *lowest = th_stack_limit;
    while (lowest < stack_pointer && *lowest == TH_PAINT * 0x01010101u) {
        lowest++;
    }
    if (lowest == th_stack_limit) {
        th_port_exit(TH_EXIT_STACK);
    }
    result.stack_bytes = (uint32_t)((uintptr_t)stack_pointer - (uintptr_t)lowest);
    return result;
}

/* Entered from the reset handler with the floating-point unit on and the stack pointer set. */
void th_start(void)
{
    memcpy(th_data_start, th_data_image, (size_t)((uintptr_t)th_data_end - (uintptr_t)th_data_start));
    memset(th_bss_start, 0, (size_t)((uintptr_t)th_bss_end - (uintptr_t)th_bss_start));
    request = open_file("request.bin", MODE_RB);
    response = open_file("response.bin", MODE_WB);
    if (request < 0 || response < 0) {
        th_port_exit(TH_EXIT_IO);
    }
    timer_start();
    th_main();
}

static char *append_hex(char *to, uint32_t value)
{
    for (uint32_t shift = 32; shift != 0; shift -= 4) {
        *to++ = "0123456789abcdef"[(value >> (shift - 4)) & 15u];
    }
    return to;
}

/* Every fault ends here; frame is what the core stacked: r0-r3, r12, lr, pc, xpsr. */
void th_fault(const uint32_t *frame)
{
    char text[] = "fault pc 00000000 lr 00000000 sp 00000000 cfsr 00000000\n";
    if (frame >= th_stack_limit && frame + 8 <= th_stack_top) {
        append_hex(text + 9, frame[6]);
        append_hex(text + 21, frame[5]);
    }
    append_hex(text + 33, (uint32_t)(uintptr_t)frame);
#if defined(__ARM_ARCH) && !defined(__ARM_ARCH_6M__)
    append_hex(text + 47, *(const volatile uint32_t *)0xE000ED28u);
#endif
    semihost(SYS_WRITE0, text);
    th_port_exit(TH_EXIT_FAULT);
}
