/*
 * A TCG plugin for qemu-system-arm: counts the guest instructions executed between two addresses.
 * Arguments: start=ADDRESS, stop=ADDRESS (hexadecimal), out=FILE; every pass from start to stop appends one decimal line,
 * the number of instructions from the one at start (included) to the one at stop (excluded).
 *
 * Each translated block adds its length inline, without a call; only the two marked instructions call back, and take
 * off the rest of their own block, which was added but has not run yet. Since qemu 9.0 (TH_PLUGIN_API 2) counters live
 * in per-core scoreboards.
 */
#include "qemu_plugin.h"

#if TH_PLUGIN_API == 1
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation, void *counter,
                                                     uint64_t amount);
static uint64_t executed;

static void counter_create(void)
{
}

static void counter_add_inline(struct qemu_plugin_tb *block, uint64_t amount)
{
    qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD_U64, &executed, amount);
}

static uint64_t counter_read(void)
{
    return executed;
}
#else
struct qemu_plugin_scoreboard;
typedef struct {
    struct qemu_plugin_scoreboard *score;
    size_t offset;
} scoreboard_u64;
extern struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_bytes);
extern uint64_t qemu_plugin_u64_sum(scoreboard_u64 entry);
extern void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *block, int operation,
                                                              scoreboard_u64 entry, uint64_t amount);
static scoreboard_u64 executed;

static void counter_create(void)
{
    executed.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
    executed.offset = 0;
}

static void counter_add_inline(struct qemu_plugin_tb *block, uint64_t amount)
{
    qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(block, INLINE_ADD_U64, executed, amount);
}

static uint64_t counter_read(void)
{
    return qemu_plugin_u64_sum(executed);
}
#endif

static uint64_t start_address;
static uint64_t stop_address;
static uint64_t count_at_start;
static FILE *out;

static void on_start(unsigned int core, void *not_run_yet)
{
    (void)core;
    count_at_start = counter_read() - (uintptr_t)not_run_yet;
}

static void on_stop(unsigned int core, void *not_run_yet)
{
    (void)core;
    fprintf(out, "%" PRIu64 "\n", counter_read() - (uintptr_t)not_run_yet - count_at_start);
    fflush(out);
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *block)
{
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(block);
    counter_add_inline(block, count);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        const uint64_t address = qemu_plugin_insn_vaddr(instruction);
        void *not_run_yet = (void *)(uintptr_t)(count - i);
        if (address == start_address) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_start, CALLBACK_NO_REGISTERS, not_run_yet);
        } else if (address == stop_address) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_stop, CALLBACK_NO_REGISTERS, not_run_yet);
        }
    }
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "start=", 6) == 0) {
            start_address = strtoull(argv[i] + 6, NULL, 16);
        } else if (strncmp(argv[i], "stop=", 5) == 0) {
            stop_address = strtoull(argv[i] + 5, NULL, 16);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        }
    }
    if (out == NULL || start_address == 0 || stop_address == 0) {
        return 1;
    }
    counter_create();
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
