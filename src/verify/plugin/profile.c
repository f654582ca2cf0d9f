/*
 * A TCG plugin for qemu-system-arm: which blocks of instructions run between two addresses, how often, and how often each
 * is left by a jump; by step of the model, where marks say which step ends.
 * Arguments: start=ADDRESS, stop=ADDRESS (hexadecimal), out=FILE, and marks=FILE with lines "ADDRESS STEP". What runs
 * before a mark, since the one before it, belongs to the mark's step; a block that holds a mark counts whole before it.
 * Every pass from start to stop writes a line "run", then lines "STEP ADDRESS INSTRUCTIONS TIMES JUMPS"; step -1 is what
 * runs after the last mark.
 */
#include "qemu_plugin.h"

extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, execution_callback callback, int flags,
                                                 void *data);

typedef struct block {
    uint64_t address;
    /* Of its last instruction. */
    uint64_t last;
    uint64_t instructions;
    /* Since the last mark. */
    uint64_t times, jumps;
    /* Of each step, and what runs after the last: pairs of times and jumps. */
    uint64_t *totals;
    struct block *next_touched, *next;
} block;

typedef struct {
    uint64_t address;
    uint64_t step;
} mark;

static block *blocks, *touched, *previous;
static mark *marks;
static size_t mark_count, step_count;
static uint64_t start_address, stop_address;
static FILE *out;

static void touch(block *b)
{
    if (b->times == 0 && b->jumps == 0) {
        b->next_touched = touched;
        touched = b;
    }
}

/* What follows an instruction of two or four bytes in memory; what jumps over one of two bytes is taken for it. */
static int follows(uint64_t address, uint64_t before)
{
    return address == before + 2 || address == before + 4;
}

static void on_block(unsigned int core, void *data)
{
    (void)core;
    block *b = data;
    if (previous != NULL && !follows(b->address, previous->last)) {
        touch(previous);
        previous->jumps++;
    }
    touch(b);
    b->times++;
    previous = b;
}

/* Gives what has run since the last mark to a step. */
static void close_step(size_t step)
{
    for (block *b = touched; b != NULL; b = b->next_touched) {
        b->totals[2 * step] += b->times;
        b->totals[2 * step + 1] += b->jumps;
        b->times = 0;
        b->jumps = 0;
    }
    touched = NULL;
}

static void on_start(unsigned int core, void *data)
{
    (void)core;
    (void)data;
    close_step(step_count);
    for (block *b = blocks; b != NULL; b = b->next) {
        memset(b->totals, 0, 2 * (step_count + 1) * sizeof *b->totals);
    }
}

static void on_mark(unsigned int core, void *data)
{
    (void)core;
    close_step(((const mark *)data)->step);
}

static void on_stop(unsigned int core, void *data)
{
    (void)core;
    (void)data;
    close_step(step_count);
    fprintf(out, "run\n");
    for (block *b = blocks; b != NULL; b = b->next) {
        for (size_t step = 0; step <= step_count; step++) {
            const uint64_t times = b->totals[2 * step];
            if (b->address == stop_address || times == 0) {
                continue;
            }
            fprintf(out, "%d %" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                    step == step_count ? -1 : (int)step, b->address, b->instructions, times, b->totals[2 * step + 1]);
        }
    }
    fflush(out);
}

/* A block may be translated more than once; it is counted as one. */
static block *block_at(const struct qemu_plugin_tb *translated)
{
    const size_t count = qemu_plugin_tb_n_insns(translated);
    const uint64_t address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(translated, 0));
    for (block *b = blocks; b != NULL; b = b->next) {
        if (b->address == address && b->instructions == count) {
            return b;
        }
    }
    block *b = calloc(1, sizeof *b);
    b->totals = calloc(2 * (step_count + 1), sizeof *b->totals);
    b->address = address;
    b->instructions = count;
    b->last = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(translated, count - 1));
    b->next = blocks;
    blocks = b;
    return b;
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *translated)
{
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(translated);
    qemu_plugin_register_vcpu_tb_exec_cb(translated, on_block, CALLBACK_NO_REGISTERS, block_at(translated));
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(translated, i);
        const uint64_t address = qemu_plugin_insn_vaddr(instruction);
        if (address == start_address) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_start, CALLBACK_NO_REGISTERS, NULL);
        } else if (address == stop_address) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_stop, CALLBACK_NO_REGISTERS, NULL);
        }
        for (size_t m = 0; m < mark_count; m++) {
            if (marks[m].address == address) {
                qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, CALLBACK_NO_REGISTERS, &marks[m]);
            }
        }
    }
}

static void read_marks(const char *path)
{
    FILE *file = fopen(path, "r");
    mark m;
    while (file != NULL && fscanf(file, "%" SCNx64 " %" SCNu64, &m.address, &m.step) == 2) {
        marks = realloc(marks, (mark_count + 1) * sizeof *marks);
        marks[mark_count++] = m;
        if (m.step >= step_count) {
            step_count = (size_t)m.step + 1;
        }
    }
    if (file != NULL) {
        fclose(file);
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
        } else if (strncmp(argv[i], "marks=", 6) == 0) {
            read_marks(argv[i] + 6);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        }
    }
    if (out == NULL || start_address == 0 || stop_address == 0) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
