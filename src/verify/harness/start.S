/*
 * Reset, the vector table, faults and the measured call, for every Cortex-M: only Armv6-M instructions outside the
 * #if parts. Register addresses: Armv7-M and Armv8-M Architecture Reference Manuals, system control block.
 */
    .syntax unified
    .thumb

    .section .vectors, "a"
    .align 2
    .word th_stack_top
    .word th_reset
    .rept 14
    .word th_fault_entry
    .endr

    .section .text.th_reset, "ax"
    .thumb_func
    .global th_reset
    .type th_reset, %function
th_reset:
#if defined(__ARM_FP)
    /* CPACR: full access to coprocessors 10 and 11, the floating-point and Helium registers. */
    ldr r0, =0xE000ED88
    ldr r1, [r0]
    ldr r2, =0x00F00000
    orrs r1, r1, r2
    str r1, [r0]
#endif
    /* CCR of the system control block: LOB (low-overhead loops), and UNALIGN_TRP where the real core would fault. */
    ldr r0, =0xE000ED14
#if defined(__ARM_FEATURE_MVE)
    ldr r1, [r0]
    ldr r2, =0x00080000
    orrs r1, r1, r2
    str r1, [r0]
#elif defined(TH_TRAP_UNALIGNED)
    ldr r1, [r0]
    movs r2, #8
    orrs r1, r1, r2
    str r1, [r0]
#endif
    dsb
    isb
    bl th_start
    b .
    .pool

    .section .text.th_fault_entry, "ax"
    .thumb_func
    .type th_fault_entry, %function
th_fault_entry:
    /* The handler gets a fresh stack: the old one may be what went wrong. */
    mrs r0, msp
    ldr r1, =th_stack_top
    mov sp, r1
    bl th_fault
    b .
    .pool

/*
 * void th_measured_call(th_entry entry, void *arena, uint32_t **stack_pointer)
 * Between the two markers run exactly: the first nop, the blx, and the callee with its return.
 */
    .section .text.th_measured_call, "ax"
    .thumb_func
    .global th_measured_call
    .type th_measured_call, %function
th_measured_call:
    push {r4, lr}
    mov r4, sp
    str r4, [r2]
    mov r2, r0
    mov r0, r1
    ldr r1, =th_stack_limit
    ldr r3, =0xC5C5C5C5
    b 2f
1:  stmia r1!, {r3}
2:  cmp r1, r4
    blo 1b
    .global th_count_start
th_count_start:
    nop
    blx r2
    .global th_count_stop
th_count_stop:
    nop
    pop {r4, pc}
    .pool
    .size th_measured_call, . - th_measured_call
